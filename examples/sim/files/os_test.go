package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// What package os does with a mounted directory happens on the host's disk, as it would on another.
func TestOS(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		a, b := s.Host("a"), s.Host("b")
		a.Disk().Mount("/srv/x")
		b.Disk().Mount("/srv/x")
		if !a.Do(func() { useFiles(t) }) {
			t.Error("the host is down")
		}
		b.Do(func() {
			if _, err := os.Stat("/srv/x/dir"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the files of another host: %v", err)
			}
			if _, err := os.Stat("/srv/xy"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("beside the mounted directory: %v", err)
			}
		})
		if _, err := os.Stat("/srv/x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the real directory: %v", err)
		}
		if got, err := a.Disk().ReadFile("/srv/x/dir/new"); err != nil || string(got) != "hello, world" {
			t.Errorf("the disk has %q, %v", got, err)
		}
	})
}

func useFiles(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	must(os.MkdirAll("/srv/x/dir/sub", 0o755))
	f, err := os.Create("/srv/x/dir/old")
	must(err)
	_, err = io.Copy(f, bytes.NewReader([]byte("hello")))
	must(err)
	_, err = f.WriteAt([]byte(", world"), 5)
	must(err)
	must(f.Sync())
	buf := make([]byte, 20)
	if n, err := f.ReadAt(buf, 7); n != 5 || err != io.EOF {
		t.Errorf("ReadAt: %d, %v", n, err)
	}
	if _, err := f.Seek(-5, io.SeekEnd); err != nil {
		t.Error(err)
	}
	if got, err := io.ReadAll(f); err != nil || string(got) != "world" {
		t.Errorf("read %q, %v", got, err)
	}
	must(f.Close())
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	must(os.Rename("/srv/x/dir/old", "/srv/x/dir/new"))
	if err := os.Rename("/srv/x/dir/new", "/tmp/new"); !errors.Is(err, syscall.EXDEV) {
		t.Errorf("to a real directory: %v", err)
	}
	if _, err := os.Open("/srv/x/none"); !errors.Is(err, fs.ErrNotExist) || err.Error() != "open /srv/x/none: no such file or directory" {
		t.Errorf("no such file: %v", err)
	}
	var seen []string
	must(filepath.WalkDir("/srv/x", func(path string, _ fs.DirEntry, err error) error {
		seen = append(seen, path)
		return err
	}))
	if want := []string{"/srv/x", "/srv/x/dir", "/srv/x/dir/new", "/srv/x/dir/sub"}; !slices.Equal(seen, want) {
		t.Errorf("walked %v, want %v", seen, want)
	}
	must(os.WriteFile("/srv/x/gone", nil, 0o600))
	must(os.RemoveAll("/srv/x/gone"))
	temp, err := os.CreateTemp("/srv/x", "t*")
	must(err)
	if info, err := temp.Stat(); err != nil || info.Size() != 0 || info.Name() != filepath.Base(temp.Name()) {
		t.Errorf("stat: %v, %v", info, err)
	}
	if err := syscall.Flock(int(temp.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Errorf("flock: %v", err)
	}
	if _, err := syscall.Pwrite(int(temp.Fd()), []byte("x"), 0); err == nil {
		t.Error("a write by number was not refused")
	}
	mapFile(t, temp)
	must(temp.Close())
	must(os.Remove(temp.Name()))
}

// mapFile maps a file, which shows what is written later.
func mapFile(t *testing.T, f *os.File) {
	if err := f.Truncate(8192); err != nil {
		t.Error(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 8192, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("later"), 5000); err != nil {
		t.Error(err)
	}
	if got := string(b[5000:5005]); got != "later" {
		t.Errorf("the mapping has %q", got)
	}
	if err := syscall.Munmap(b); err != nil {
		t.Error(err)
	}
	if _, err := syscall.Mmap(int(f.Fd()), 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); !errors.Is(err, syscall.ENOTSUP) {
		t.Errorf("mapped to write: %v", err)
	}
}

// A file that is replaced as it should be, its directory synced, is after a crash the old one or the new one; and with
// FILES_DEFECT=no-sync it is not always.
func TestReplace(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		h.Disk().Mount("/etc/app")
		old, done := "", ""
		h.Boot(func() {
			got, err := os.ReadFile("/etc/app/config")
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			sim.Always(string(got) == done || string(got) == old, "the file is the old one or the new one", len(got), " bytes")
			done = string(got)
			for i := byte(0); ; i++ {
				text := string(bytes.Repeat([]byte{'a' + i%26}, 2000))
				old = text
				if err := replace("/etc/app/config", text); err != nil {
					t.Error(err)
				}
				done = text
			}
		})
		for range 5 {
			time.Sleep(time.Duration(1+s.Choose(40)) * time.Millisecond)
			h.Restart()
		}
		time.Sleep(time.Millisecond)
	})
}

func replace(name, text string) error {
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if os.Getenv("FILES_DEFECT") != "no-sync" {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Close(), os.Rename(name+".tmp", name)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
