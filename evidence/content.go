package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A content is what a run holds: the digest of each file by its path below the
// run, with slashes, and "" for each empty folder, whose path ends in a slash.
type content map[string]string

// digest names the whole content.
func (c content) digest() string {
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(sum, "%q %s\n", name, c[name])
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil))
}

// fixed is what of an unsealed run no judgement changes.
func (c content) fixed() content {
	kept := maps.Clone(c)
	maps.DeleteFunc(kept, func(name, _ string) bool { return isJudgement(name) })
	return kept
}

// A refusal says which file of a run keeps it out, and why. It is no fault of ours, and others may come in.
type refusal struct{ file, reason string }

func (r *refusal) Error() string {
	if r.file == "" {
		return r.reason
	}
	return fmt.Sprintf("%q: %s", r.file, r.reason)
}

func refuse(file, format string, args ...any) error {
	return &refusal{file, fmt.Sprintf(format, args...)}
}

// contentOf reads the run in dir. also, unless nil, sees each file's bytes and is
// told the name first; its errors are returned as they are. What cannot travel is a *refusal.
func contentOf(dir string, also func(name string) (io.WriteCloser, error)) (content, error) {
	found := content{}
	buffer := make([]byte, 64<<10)
	err := walk(dir, func(name string, isDir bool) error {
		if isDir {
			found[name+"/"] = ""
			return nil
		}
		var err error
		found[name], err = digestAlso(filepath.Join(dir, filepath.FromSlash(name)), name, also, buffer)
		return err
	})
	return found, err
}

// walk calls f for each file below dir and for each empty folder, in order of name.
func walk(dir string, f func(name string, isDir bool) error) error {
	twins := twinFinder{}
	var below func(name string) error
	below = func(folder string) error {
		entries, err := os.ReadDir(filepath.Join(dir, filepath.FromSlash(folder)))
		if err != nil {
			return refuse(folder, "it cannot be read: %v", err)
		}
		seen := 0
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), unfinished) {
				continue // what a writer left that died, or of one that judges now
			}
			seen++
			name := strings.TrimPrefix(folder+"/"+entry.Name(), "/")
			if err := checkEntry(name, entry.Type(), twins); err != nil {
				return err
			}
			if entry.IsDir() {
				err = below(name)
			} else {
				err = f(name, false)
			}
			if err != nil {
				return err
			}
		}
		if seen == 0 && folder != "" {
			return f(folder, true)
		}
		return nil
	}
	return below("")
}

func checkEntry(name string, mode fs.FileMode, twins twinFinder) error {
	if err := checkFile(name); err != nil {
		return refuse(name, "%v", err)
	}
	if !mode.IsRegular() && !mode.IsDir() {
		return refuse(name, "it is no regular file (%v)", mode)
	}
	if twin := twins.add(name); twin != "" {
		return refuse(name, "its name is the same as %q on some machines", twin)
	}
	return nil
}

func digestAlso(path, name string, also func(string) (io.WriteCloser, error), buffer []byte) (_ string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", refuse(name, "it cannot be read: %v", err)
	}
	defer file.Close()
	sum := sha256.New()
	if also == nil {
		also = func(string) (io.WriteCloser, error) { return nowhere{}, nil }
	}
	to, err := also(name)
	if err != nil {
		return "", err
	}
	if err := copyTwice(to, sum, file, name, buffer); err != nil {
		to.Close()
		return "", err
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), to.Close()
}

// copyTwice tells a source that cannot be read, a *refusal, from a copy that cannot be written.
func copyTwice(to, sum io.Writer, from io.Reader, name string, buffer []byte) error {
	for {
		n, readErr := from.Read(buffer)
		sum.Write(buffer[:n])
		if _, err := to.Write(buffer[:n]); err != nil {
			return err
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			return refuse(name, "it cannot be read: %v", readErr)
		}
	}
}

type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) Close() error                { return nil }
