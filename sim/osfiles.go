package sim

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/assay-dev/assay/sim/disk"
)

// Mount lets package os use the disk: what goroutines of the host do with paths at and below dir happens on the disk, under
// the same names. The directory itself is there, and durable. What is not mounted, and what others do, is real.
//
// It carries what takes its files from package os, and the calls by number that databases make on them: flock, fdatasync,
// fsync, ftruncate and mmap to read. A mapping is gone with a crash, so that nobody else may look into it.
func (d *Disk) Mount(dir string) {
	dir = path.Clean(dir)
	if err := d.MkdirAll(dir, 0o755); err != nil {
		d.host.s.t.Fatalf("sim: mount %s on %s: %v", dir, d.host.name, err)
	}
	d.Settle()
	d.host.s.pinned(func() { d.mounts = append(d.mounts, dir) })
}

// findDisk is what the overlay's package os asks of each path: the disk it is on, nil for the real one.
func findDisk(name string) any {
	id, s := int(rtHost()), current.Load()
	if id == 0 || s == nil || name == "" {
		return nil
	}
	var found any
	s.pinned(func() {
		if id <= len(s.world.byID) {
			if d := s.world.byID[id-1].disk; d != nil && slices.ContainsFunc(d.mounts, within(path.Clean(name))) {
				found = &d.files
			}
		}
	})
	return found
}

// within reports of a directory whether a clean path is at or below it.
func within(name string) func(dir string) bool {
	return func(dir string) bool {
		rest, ok := strings.CutPrefix(name, dir)
		return ok && (rest == "" || rest[0] == '/' || dir == "/")
	}
}

// osFiles are a disk as the overlay's package os has it. Sim.pinned guards the numbers.
type osFiles struct {
	*disk.Disk
	host   *Host
	opened []*osFile // those that were asked for their number
}

// An osFile is a file of package os.
type osFile struct {
	*disk.File
	all    *osFiles
	number uintptr // 0: not asked for
	mirror *mirror // nil: not mapped
}

// OpenAny is OpenFile. The types of its results are those that package os knows.
func (o *osFiles) OpenAny(name string, flag int, perm fs.FileMode) (any, error) {
	f, err := o.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f, all: o}, nil
}

// Numbers of files, as the overlay's package syscall has them.
const (
	firstNumber = 0x7f5a0000
	numbers     = 1 << 16
)

// Fd gives the file a number that package syscall knows.
func (f *osFile) Fd() uintptr {
	s := f.all.host.s
	s.pinned(func() {
		if f.number == 0 {
			f.number = firstNumber + s.world.numbers%numbers
			s.world.numbers++
			f.all.opened = append(f.all.opened, f)
		}
	})
	return f.number
}

// Close forgets the number, too. Mappings stay, as ever, and change no more.
func (f *osFile) Close() error {
	err := f.File.Close()
	f.all.host.s.pinned(func() {
		f.all.opened = slices.DeleteFunc(f.all.opened, func(o *osFile) bool { return o == f })
		f.mirror.close()
	})
	return err
}

// numberedFile finds the file of a number, nil for none.
func numberedFile(number uintptr) *osFile {
	s := current.Load()
	if s == nil || number-firstNumber >= numbers {
		return nil
	}
	var found *osFile
	s.pinned(func() {
		for _, h := range s.world.hosts {
			if h.disk == nil {
				continue
			}
			for _, f := range h.disk.files.opened {
				if f.number == number {
					found = f
				}
			}
		}
	})
	return found
}

// forget gives back what the crashed host had of the process: mappings and numbers.
func (o *osFiles) forget() {
	o.host.s.pinned(func() {
		for _, f := range o.opened {
			f.mirror.close()
		}
		o.opened = nil
		o.host.s.unmap(o.host)
	})
}

// errno is what a system call returns of an error.
func errno(err error) uintptr {
	if err == nil {
		return 0
	}
	if e := syscall.Errno(0); errors.As(err, &e) {
		return uintptr(e)
	}
	return uintptr(syscall.EBADF)
}
