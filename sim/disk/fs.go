package disk

import (
	"io"
	"io/fs"
	"path"
	"syscall"
	"time"
)

// FS returns the disk as a file system to read: it is an [fs.ReadDirFS], an [fs.StatFS] and an [fs.ReadFileFS].
func (d *Disk) FS() fs.FS { return readFS{d} }

type readFS struct{ disk *Disk }

func valid(op, name string) error {
	if fs.ValidPath(name) {
		return nil
	}
	return fail(op, name, fs.ErrInvalid)
}

func (r readFS) Open(name string) (fs.File, error) {
	if err := valid("open", name); err != nil {
		return nil, err
	}
	f, err := r.disk.Open(name)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r readFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := valid("readdir", name); err != nil {
		return nil, err
	}
	return r.disk.ReadDir(name)
}

func (r readFS) Stat(name string) (fs.FileInfo, error) {
	if err := valid("stat", name); err != nil {
		return nil, err
	}
	return r.disk.Stat(name)
}

func (r readFS) ReadFile(name string) ([]byte, error) {
	if err := valid("readfile", name); err != nil {
		return nil, err
	}
	return r.disk.ReadFile(name)
}

// ReadDir reads the next n entries of a directory in the order of their names, or all for n <= 0. The names
// are those of the first call.
func (f *File) ReadDir(n int) ([]fs.DirEntry, error) {
	_, err := f.enter(List)
	defer f.disk.mu.Unlock()
	if err == nil && !f.node.dir {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, fail("readdirent", f.name, err)
	}
	if !f.listed {
		f.list, f.listed = f.node.sorted(), true
	}
	if n > 0 && len(f.list) == 0 {
		return nil, io.EOF
	}
	entries := []fs.DirEntry{}
	for len(f.list) > 0 && (n <= 0 || len(entries) < n) {
		name := f.list[0]
		f.list = f.list[1:]
		if child := f.node.names[name]; child != nil {
			entries = append(entries, dirEntry{f.disk, child, name})
		}
	}
	return entries, nil
}

// Readdirnames is ReadDir of names alone.
func (f *File) Readdirnames(n int) ([]string, error) {
	entries, err := f.ReadDir(n)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// A dirEntry asks for the rest when it is asked.
type dirEntry struct {
	disk *Disk
	node *node
	name string
}

func (e dirEntry) Name() string      { return e.name }
func (e dirEntry) IsDir() bool       { return e.node.dir }
func (e dirEntry) String() string    { return fs.FormatDirEntry(e) }
func (e dirEntry) Type() fs.FileMode { return e.node.kind() }

func (e dirEntry) Info() (fs.FileInfo, error) {
	e.disk.mu.Lock()
	defer e.disk.mu.Unlock()
	return e.node.info(e.name), nil
}

// An info describes a node at one moment.
type info struct {
	name  string
	size  int64
	mode  fs.FileMode
	mtime time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mtime }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }
func (i info) String() string     { return fs.FormatFileInfo(i) }

func (n *node) kind() fs.FileMode {
	if n.dir {
		return fs.ModeDir
	}
	return 0
}

func (n *node) info(name string) info {
	return info{name: name, size: n.now.size, mode: n.mode | n.kind(), mtime: n.mtime.Round(0)} // real files' times have no monotonic reading either
}

// base is the last element of a path, as os calls it: "/" is the root's own name, and "." as given.
func base(name string) string { return path.Base(name) }
