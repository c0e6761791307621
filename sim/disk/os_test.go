package disk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/sim/disk"
)

// A handle is what both kinds of files can do.
type handle interface {
	io.ReadWriteSeeker
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
	ReadDir(int) ([]fs.DirEntry, error)
	Chmod(fs.FileMode) error
}

// A system is what both kinds of disks can do.
type system struct {
	open      func(string, int, fs.FileMode) (handle, error)
	mkdir     func(string, fs.FileMode) error
	mkdirAll  func(string, fs.FileMode) error
	remove    func(string) error
	removeAll func(string) error
	rename    func(a, b string) error
	link      func(a, b string) error
	chmod     func(string, fs.FileMode) error
	truncate  func(string, int64) error
	stat      func(string) (fs.FileInfo, error)
	readDir   func(string) ([]fs.DirEntry, error)
	readFile  func(string) ([]byte, error)
	writeFile func(string, []byte, fs.FileMode) error
}

func simulated(d *disk.Disk) system {
	return system{
		open:  func(name string, flag int, perm fs.FileMode) (handle, error) { return d.OpenFile(name, flag, perm) },
		mkdir: d.Mkdir, mkdirAll: d.MkdirAll, remove: d.Remove, removeAll: d.RemoveAll, rename: d.Rename, link: d.Link,
		chmod: d.Chmod, truncate: d.Truncate, stat: d.Stat, readDir: d.ReadDir, readFile: d.ReadFile, writeFile: d.WriteFile,
	}
}

// real is the file system of the machine below root.
func real(root string) system {
	at := func(name string) string { return filepath.Join(root, name) }
	return system{
		open: func(name string, flag int, perm fs.FileMode) (handle, error) {
			return os.OpenFile(at(name), flag, perm)
		},
		mkdir:     func(name string, perm fs.FileMode) error { return os.Mkdir(at(name), perm) },
		mkdirAll:  func(name string, perm fs.FileMode) error { return os.MkdirAll(at(name), perm) },
		remove:    func(name string) error { return os.Remove(at(name)) },
		removeAll: func(name string) error { return os.RemoveAll(at(name)) },
		rename:    func(a, b string) error { return os.Rename(at(a), at(b)) },
		link:      func(a, b string) error { return os.Link(at(a), at(b)) },
		chmod:     func(name string, mode fs.FileMode) error { return os.Chmod(at(name), mode) },
		truncate:  func(name string, size int64) error { return os.Truncate(at(name), size) },
		stat:      func(name string) (fs.FileInfo, error) { return os.Stat(at(name)) },
		readDir:   func(name string) ([]fs.DirEntry, error) { return os.ReadDir(at(name)) },
		readFile:  func(name string) ([]byte, error) { return os.ReadFile(at(name)) },
		writeFile: func(name string, b []byte, perm fs.FileMode) error { return os.WriteFile(at(name), b, perm) },
	}
}

// told is an error without the paths in it: the operation, and the number or the text below.
func told(err error) string {
	if err == nil || err == io.EOF {
		return fmt.Sprint(err)
	}
	op := ""
	var pe *fs.PathError
	var le *os.LinkError
	switch {
	case errors.As(err, &pe):
		op, err = pe.Op, pe.Err
	case errors.As(err, &le):
		op, err = le.Op, le.Err
	}
	if strings.Contains(err.Error(), "closed file") {
		err = fs.ErrClosed // said in two ways
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return fmt.Sprintf("%s: %d (%v)", op, int(errno), errno)
	}
	return op + ": " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "os: "), "disk: ")
}

func described(info fs.FileInfo, err error) string {
	if err != nil {
		return told(err)
	}
	size := info.Size()
	if info.IsDir() {
		size = 0 // up to the file system
	}
	return fmt.Sprintf("%s %d %v", info.Name(), size, info.Mode())
}

func listed(entries []fs.DirEntry, err error) string {
	var names []string
	for _, e := range entries {
		names = append(names, fs.FormatDirEntry(e))
	}
	slices.Sort(names)
	return fmt.Sprint(names, told(err))
}

// A model drives both with the same operations.
type model struct {
	sides   [2]system
	handles [2][]handle
}

func (m *model) both(t *rapid.T, what string, do func(side int, s system) string) {
	want, got := do(0, m.sides[0]), do(1, m.sides[1])
	if got != want {
		t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func (m *model) pair(t *rapid.T) int {
	if len(m.handles[0]) == 0 {
		t.Skip("no handle")
	}
	return rapid.IntRange(0, len(m.handles[0])-1).Draw(t, "handle")
}

func names() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "a/x", "no/x", "e", strings.Repeat("n", 256)})
}

func (m *model) open(t *rapid.T) {
	name := names().Draw(t, "name")
	flag := rapid.SampledFrom([]int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR}).Draw(t, "access")
	for _, f := range []int{os.O_CREATE, os.O_CREATE, os.O_EXCL, os.O_TRUNC, os.O_APPEND} {
		if rapid.Bool().Draw(t, "flag") {
			flag |= f
		}
	}
	if flag&os.O_CREATE == 0 {
		flag &^= os.O_EXCL
	}
	m.both(t, fmt.Sprintf("open %s %x", name, flag), func(side int, s system) string {
		h, err := s.open(name, flag, 0o644)
		if err == nil {
			m.handles[side] = append(m.handles[side], h)
		}
		return told(err)
	})
}

func (m *model) close(t *rapid.T) {
	i := m.pair(t)
	m.both(t, "close", func(side int, _ system) string { return told(m.handles[side][i].Close()) })
	if rapid.Bool().Draw(t, "forget") {
		for side := range m.handles {
			m.handles[side] = slices.Delete(m.handles[side], i, i+1)
		}
	}
}

func (m *model) write(t *rapid.T) {
	i, b := m.pair(t), bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, rapid.SampledFrom([]int{0, 1, 100, 512, 700, 4096, 9000}).Draw(t, "bytes"))
	off := rapid.SampledFrom([]int64{-1, 0, 1, 511, 4090, 4096, 12000}).Draw(t, "off")
	at := rapid.Bool().Draw(t, "at")
	m.both(t, fmt.Sprint("write ", at, off, len(b)), func(side int, _ system) string {
		if at {
			return fmt.Sprint(tell2(m.handles[side][i].WriteAt(b, off)))
		}
		return fmt.Sprint(tell2(m.handles[side][i].Write(b)))
	})
}

func tell2[N int | int64](n N, err error) string { return fmt.Sprint(n, " ", told(err)) }

func (m *model) read(t *rapid.T) {
	i, size := m.pair(t), rapid.SampledFrom([]int{0, 1, 600, 5000, 20000}).Draw(t, "bytes")
	off := rapid.SampledFrom([]int64{-1, 0, 1, 511, 4096, 12000}).Draw(t, "off")
	at := rapid.Bool().Draw(t, "at")
	m.both(t, fmt.Sprint("read ", at, off, size), func(side int, _ system) string {
		b := make([]byte, size)
		n, err := 0, error(nil)
		if at {
			n, err = m.handles[side][i].ReadAt(b, off)
		} else {
			n, err = m.handles[side][i].Read(b)
		}
		if info, bad := m.handles[side][i].Stat(); bad == nil && info.IsDir() && errors.Is(err, syscall.EINVAL) {
			err = &fs.PathError{Op: "read", Err: syscall.EISDIR} // ext4's offset is beyond all files when a folder was listed
		}
		return fmt.Sprintf("%x %s", b[:n], told(err))
	})
}

func (m *model) handle(t *rapid.T) {
	i := m.pair(t)
	what := rapid.SampledFrom([]string{"seek", "truncate", "sync", "stat", "list", "chmod"}).Draw(t, "what")
	n := rapid.SampledFrom([]int64{-1, 0, 1, 511, 512, 4096, 5000, 20000}).Draw(t, "n")
	whence := rapid.IntRange(0, 2).Draw(t, "whence")
	m.both(t, fmt.Sprint(what, n, whence), func(side int, _ system) string {
		h := m.handles[side][i]
		switch what {
		case "seek":
			if info, err := h.Stat(); err == nil && info.IsDir() {
				return tell2(h.Seek(0, 0)) // elsewhere a position means nothing
			}
			return tell2(h.Seek(n, whence))
		case "truncate":
			return told(h.Truncate(n))
		case "sync":
			if side == 0 {
				return "<nil>" // of the machine's disk, which is nobody's to wait for
			}
			if err := h.Sync(); !errors.Is(err, fs.ErrClosed) {
				return told(err)
			}
			return "<nil>"
		case "chmod":
			return told(h.Chmod(0o600 | fs.FileMode(whence)))
		case "list":
			return listed(h.ReadDir(-1))
		}
		info, err := h.Stat()
		if err != nil {
			return told(err)
		}
		return fmt.Sprint(info.IsDir() || info.Size() >= 0, info.Mode())
	})
}

func (m *model) name(t *rapid.T) {
	a, b := names().Draw(t, "a"), names().Draw(t, "b")
	what := rapid.SampledFrom([]string{"mkdir", "mkdirAll", "remove", "removeAll", "rename", "rename", "link", "chmod", "truncate", "stat", "list", "read", "write"}).Draw(t, "what")
	n := rapid.SampledFrom([]int64{-1, 0, 1, 511, 512, 5000}).Draw(t, "n")
	if len(a)+len(b) > 255 && what == "rename" {
		a, b = "a", "b" // of two errors, which comes first is the kernel's own
	}
	m.both(t, fmt.Sprint(what, " ", a, " ", b, " ", n), func(_ int, s system) string {
		switch what {
		case "mkdir":
			return told(s.mkdir(a, 0o755))
		case "mkdirAll":
			return told(s.mkdirAll(a, 0o755))
		case "remove":
			return told(s.remove(a))
		case "removeAll":
			_, why, _ := strings.Cut(told(s.removeAll(a)), ": ") // os names its system calls
			return why
		case "rename":
			return told(s.rename(a, b))
		case "link":
			return told(s.link(a, b))
		case "chmod":
			return told(s.chmod(a, 0o700))
		case "truncate":
			return told(s.truncate(a, n))
		case "stat":
			return described(s.stat(a))
		case "list":
			return listed(s.readDir(a))
		case "read":
			b, err := s.readFile(a)
			return fmt.Sprintf("%x %s", b, told(err))
		}
		return told(s.writeFile(a, bytes.Repeat([]byte("w"), int(max(n, 0))), 0o644))
	})
}

// check compares the two trees.
func (m *model) check(t *rapid.T) {
	m.both(t, "the tree", func(_ int, s system) string {
		var text strings.Builder
		var walk func(string)
		walk = func(dir string) {
			entries, err := s.readDir(dir)
			fmt.Fprintln(&text, dir, listed(entries, err))
			for _, e := range entries {
				at := dir + "/" + e.Name()
				fmt.Fprintln(&text, at, described(s.stat(at)))
				if e.IsDir() {
					walk(at)
				} else {
					b, err := s.readFile(at)
					fmt.Fprintf(&text, "%x %s\n", b, told(err))
				}
			}
		}
		walk("/")
		return text.String()
	})
}

// The same operations on the machine's own file system and on a disk give the same results and the same errors,
// whatever the profile: what is durable shows in a crash alone.
func TestOperationsAreThoseOfOS(t *testing.T) {
	t.Parallel()
	if os.PathSeparator != '/' {
		t.Skip("the errors are those of Unix")
	}
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		root, err := os.MkdirTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(root)
		profile := rapid.SampledFrom([]disk.Profile{disk.Posix, disk.Ext4Ordered, disk.Synced}).Draw(t, "profile")
		m := &model{sides: [2]system{real(root), simulated(disk.New(disk.Options{Profile: profile}))}}
		defer func() {
			for _, h := range m.handles[0] {
				h.Close()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "open": m.open, "write": m.write, "read": m.read, "close": m.close, "handle": m.handle, "name": m.name, "name2": m.name,
		})
	})
}

func TestFS(t *testing.T) {
	t.Parallel()
	d := disk.New(disk.Options{})
	if err := fstest.TestFS(d.FS()); err != nil {
		t.Error("empty:", err)
	}
	for _, name := range []string{"a", "b/c", "b/d/e", "b/d/f"} {
		if err := d.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := d.WriteFile(name, []byte("what is in "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := fstest.TestFS(d.FS(), "a", "b/c", "b/d/e", "b/d/f"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"/a", "b/../a", ""} {
		if _, err := fs.ReadFile(d.FS(), name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("read %q: got %v, want an invalid name", name, err)
		}
	}
}
