package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Names of files that are not whole yet. A writer that dies leaves one behind;
// a sealed run has none.
const unfinished = ".unfinished-"

// writeNew stores content under name, whole or not at all, and never over a
// file that exists: the content is on disk under another name before it gets its own.
func (r *Run) writeNew(name string, content io.Reader) error {
	if err := r.prepare(name); err != nil {
		return err
	}
	final := r.path(name)
	temp, err := os.CreateTemp(filepath.Dir(final), unfinished)
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	if err := fill(temp, content); err != nil {
		return err
	}
	if err := claimName(temp.Name(), final); err != nil {
		return err
	}
	return syncDir(filepath.Dir(final))
}

func fill(file *os.File, content io.Reader) error {
	_, err := io.Copy(file, content)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// claimName gives the file at temp the name final unless that exists. A hard
// link does both in one step; where a file system has none, the name is
// reserved first, and a writer that dies in between leaves an empty file.
func claimName(temp, final string) error {
	err := os.Link(temp, final)
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOSYS) {
		return err
	}
	reserved, err := os.OpenFile(final, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(reserved.Close(), os.Rename(temp, final))
}

func (r *Run) createNew(name string) (*os.File, error) {
	if err := r.prepare(name); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(r.path(name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return file, syncDir(filepath.Dir(r.path(name)))
}

// prepare checks that name stays below the run, and makes the directories above it.
func (r *Run) prepare(name string) error {
	if !fs.ValidPath(name) || name == "." || strings.HasPrefix(path.Base(name), unfinished) {
		return fmt.Errorf("%q is no path below a run (relative, with slashes, without ..)", name)
	}
	return makeDirs(r.dir, path.Dir(name))
}

// makeDirs makes the directory name below dir and those between, each on disk in its parent.
func makeDirs(dir, name string) error {
	for _, part := range strings.Split(name, "/") {
		if part == "." {
			continue
		}
		parent := dir
		dir = filepath.Join(dir, part)
		err := os.Mkdir(dir, 0o777)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := syncDir(parent); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in dir durable. File systems that cannot are forgiven.
func syncDir(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	err = file.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}
