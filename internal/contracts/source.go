package contracts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A version is one side of a comparison, found.
type version struct {
	contract.Source
	prefix string // of places in it, to be shown: of a revision "main:" and a folder
	top    string // of a version on disk: the absolute path of what FS is
	folder bool
	gone   bool // nothing is there
	close  func() error
}

// locate finds what the user named: a path, or REVISION:PATH. A path that exists as it is written wins.
func locate(ctx context.Context, name string) (version, error) {
	_, err := os.Stat(name)
	if err == nil {
		return onDisk(ctx, name)
	}
	// One letter before a colon is a drive on some systems, and no revision that anybody means.
	rev, in, ok := strings.Cut(name, ":")
	if !ok || rev == "" {
		return version{}, &Error{fmt.Sprintf("%s: there is no such file or folder (a version at a git revision is REVISION:PATH, such as main:%s)", name, filepath.ToSlash(name))}
	}
	return atRevision(ctx, tree{"."}, rev, in, name)
}

// locateBoth finds two versions. A path that one of them has and the other has not is a contract that is new, or gone, where both name the same path:
// else somebody mistyped one.
func locateBoth(ctx context.Context, oldName, newName string) (old, new version, err error) {
	old, oldErr := locate(ctx, oldName)
	new, newErr := locate(ctx, newName)
	if newErr != nil && oldErr == nil && !old.gone {
		if in := below(ctx, newName); in != "" && old.top == "" && in == old.below() {
			new, newErr = version{Source: contract.Source{Name: newName, Path: in}, gone: true, close: func() error { return nil }}, nil
		}
	}
	if oldErr != nil || newErr != nil {
		return old, new, cmp.Or(oldErr, newErr)
	}
	same := old.top == "" && (new.top == "" && old.below() == new.below() || new.top != "" && below(ctx, newName) == old.below())
	switch {
	case (old.gone || new.gone) && (!same || old.gone && new.gone):
		v := old
		if new.gone {
			v = new
		}
		err = &Error{fmt.Sprintf("%s: the revision is here, and has no such file or folder (paths at a revision count from the repository's top; ./ counts from this folder)", v.Name)}
	case !old.gone && !new.gone && old.folder != new.folder:
		err = &Error{fmt.Sprintf("%s and %s cannot be compared: one is a file, the other a folder", oldName, newName)}
	}
	return old, new, err
}

// below returns the path of a version of a revision below the repository's top.
func (v version) below() string {
	_, in, _ := strings.Cut(v.prefix, ":")
	return path.Join(in, v.Path)
}

// below returns the path of a file or folder, which need not be there, below the top of the repository that this folder is in; "" where it is not.
func below(ctx context.Context, name string) string {
	top, err := tree{"."}.git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return ""
	}
	here, err := tree{"."}.git(ctx, "rev-parse", "--show-prefix")
	if err != nil {
		return ""
	}
	rel := path.Join(here, filepath.ToSlash(name))
	if filepath.IsAbs(name) {
		if rel, err = filepath.Rel(top, name); err != nil {
			return ""
		}
	}
	if rel = filepath.ToSlash(rel); !filepath.IsLocal(rel) {
		return ""
	}
	return rel
}

// onDisk opens a file or folder of this machine. References of a file reach as far as its repository, else as far as its folder;
// those of a folder stay within it.
func onDisk(ctx context.Context, name string) (version, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return version{}, err
	}
	info, err := os.Stat(abs)
	if err != nil {
		return version{}, err
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return version{}, &Error{fmt.Sprintf("%s is neither a file nor a folder (%v)", name, info.Mode().Type())}
	}
	top := abs
	if !info.IsDir() {
		top = filepath.Dir(abs)
		if repo, err := (tree{top}).git(ctx, "rev-parse", "--show-toplevel"); err == nil {
			if rel, err := filepath.Rel(repo, top); err == nil && filepath.IsLocal(rel) {
				top = repo
			}
		}
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return version{}, err
	}
	rel, err := filepath.Rel(top, abs)
	if err != nil {
		return version{}, errors.Join(err, root.Close())
	}
	return version{Source: contract.Source{Name: name, FS: root.FS(), Path: filepath.ToSlash(rel)}, top: top, folder: info.IsDir(), close: root.Close}, nil
}

// shown returns how a file of the version is shown: as the user would name it from here.
func (v version) shown(file string) string {
	if file == "" {
		return ""
	}
	if v.top == "" {
		rev, in, _ := strings.Cut(v.prefix, ":")
		return rev + ":" + path.Join(in, file)
	}
	abs := filepath.Join(v.top, filepath.FromSlash(file))
	here, err := os.Getwd()
	if err != nil || filepath.IsAbs(v.Name) {
		return filepath.ToSlash(abs)
	}
	rel, err := filepath.Rel(here, abs)
	if err != nil {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(rel)
}

// at returns the version with another path in it.
func (v version) at(file string) version {
	v.Path = file
	v.folder = false
	v.Name = v.shown(file)
	return v
}

// files returns the files of a folder that may be contracts.
func (v version) files() ([]string, error) {
	var names []string
	err := fs.WalkDir(v.FS, v.Path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != v.Path && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.Type().IsRegular() && candidate(name):
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, &Error{fmt.Sprintf("%s cannot be read: %v", v.Name, err)}
	}
	return names, nil
}
