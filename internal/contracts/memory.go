package contracts

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// An entry is what is known of a file or folder of a revision before it is read. It is its own information.
type entry struct {
	name   string
	size   int64
	folder bool
}

func (e entry) Name() string               { return e.name }
func (e entry) Size() int64                { return e.size }
func (e entry) ModTime() time.Time         { return time.Time{} }
func (e entry) IsDir() bool                { return e.folder }
func (e entry) Sys() any                   { return nil }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e, nil }

func (e entry) Mode() fs.FileMode {
	if e.folder {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// opened is a file of a revision with its content, or one that is too large to be read.
type opened struct {
	entry
	*bytes.Reader // nil: too large
}

func (o opened) Size() int64                { return o.entry.size }
func (o opened) Stat() (fs.FileInfo, error) { return o.entry, nil }
func (o opened) Close() error               { return nil }

func (o opened) Read(p []byte) (int, error) {
	if o.Reader == nil {
		return 0, fmt.Errorf("%s has %d bytes, which is more than is read", o.name, o.entry.size)
	}
	return o.Reader.Read(p)
}

// listing is an open folder.
type listing struct {
	entry
	rest []fs.DirEntry
}

func (l *listing) Stat() (fs.FileInfo, error) { return l.entry, nil }
func (l *listing) Close() error               { return nil }
func (l *listing) Read([]byte) (int, error)   { return 0, fmt.Errorf("%s is a folder", l.name) }

// ReadDir implements fs.ReadDirFile.
func (l *listing) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(l.rest)
	} else if len(l.rest) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(l.rest))
	part := l.rest[:n]
	l.rest = l.rest[n:]
	return part, nil
}

// folders returns what each folder of a list of files holds, in order of name.
func folders(files map[string]object) map[string][]fs.DirEntry {
	all := map[string][]fs.DirEntry{".": nil}
	for name, o := range files {
		at, one := path.Dir(name), fs.DirEntry(entry{name: path.Base(name), size: o.size})
		for {
			_, known := all[at]
			all[at] = append(all[at], one)
			if known || at == "." {
				break
			}
			at, one = path.Dir(at), entry{name: path.Base(at), folder: true}
		}
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return all
}
