package contracts

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// A recorder is a file system that notes what was read of it: that is what a version is, and what its digest is of.
type recorder struct {
	fs.FS
	mu    sync.Mutex
	texts map[string][]byte
}

func record(files fs.FS) *recorder { return &recorder{FS: files, texts: map[string][]byte{}} }

// ReadFile implements fs.ReadFileFS.
func (r *recorder) ReadFile(name string) ([]byte, error) {
	text, err := fs.ReadFile(r.FS, name)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.texts[name] = text
	}
	return text, err
}

// Open implements fs.FS. What is read of the file is noted, too.
func (r *recorder) Open(name string) (fs.File, error) {
	file, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return file, nil
	}
	return &recorded{File: file, name: name, by: r}, nil
}

// ReadDir implements fs.ReadDirFS.
func (r *recorder) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(r.FS, name) }

type recorded struct {
	fs.File
	name string
	by   *recorder
	text []byte
}

func (f *recorded) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	if f.text = append(f.text, p[:n]...); err == io.EOF {
		f.by.mu.Lock()
		defer f.by.mu.Unlock()
		f.by.texts[f.name] = f.text
	}
	return n, err
}

// version returns what was read.
func (r *recorder) version(name string) Version {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := Version{Name: name, Files: map[string]string{}, texts: maps.Clone(r.texts)}
	all := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(r.texts)) {
		v.Files[file] = fmt.Sprintf("sha256:%x", sha256.Sum256(r.texts[file]))
		fmt.Fprintf(all, "%s\x00%s\x00", file, v.Files[file])
	}
	if len(v.Files) > 0 {
		v.Digest = fmt.Sprintf("sha256:%x", all.Sum(nil))
	}
	return v
}
