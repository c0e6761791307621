package sim

import (
	"runtime"
	"slices"
	"syscall"
	"unsafe"
)

// simCall is asked by the overlay's package syscall before a call that names a simulated file by its number, or unmaps.
// It reports whether it did it.
func simCall(trap, a1, a2, a3, a4, a5, a6 uintptr) (r, e uintptr, done bool) {
	switch {
	case trap == syscall.SYS_MUNMAP:
		return 0, 0, unmapped(a1)
	case trap == syscall.SYS_MMAP && a5-firstNumber < numbers:
		f := numberedFile(a5)
		if f == nil {
			return 0, uintptr(syscall.EBADF), true
		}
		r, e = f.mmap(a2, a3, a4, a6)
		return r, e, true
	case a1-firstNumber >= numbers:
		return 0, 0, false // another argument has such a value by chance
	}
	f := numberedFile(a1)
	if f == nil {
		return 0, uintptr(syscall.EBADF), true
	}
	switch trap {
	case syscall.SYS_FSYNC, syscall.SYS_FDATASYNC:
		return 0, errno(f.Sync()), true
	case syscall.SYS_FTRUNCATE:
		return 0, errno(f.Truncate(int64(a2))), true
	case syscall.SYS_FLOCK:
		return 0, errno(f.flock(a2)), true
	}
	return 0, uintptr(syscall.ENOTSUP), true
}

func (f *osFile) flock(how uintptr) error {
	alone, wait := how&syscall.LOCK_EX != 0, how&syscall.LOCK_NB == 0
	switch {
	case how&syscall.LOCK_UN != 0:
		return f.Unlock()
	case wait:
		return f.Lock(alone)
	}
	return f.TryLock(alone)
}

// A mirror is a real file in memory that holds what a simulated one does, for mappings.
type mirror struct{ fd int }

func (m *mirror) close() {
	if m != nil && m.fd >= 0 {
		syscall.Close(m.fd)
		m.fd = -1
	}
}

// A mapping is memory of the process that a host has mapped.
type mapping struct {
	host       *Host
	addr, size uintptr
}

// mmap maps the file to read, at an address that the kernel chooses.
func (f *osFile) mmap(size, prot, flags, off uintptr) (addr, e uintptr) {
	if prot&syscall.PROT_WRITE != 0 && flags&syscall.MAP_SHARED != 0 {
		return 0, uintptr(syscall.ENOTSUP) // what is written through memory, nobody sees
	}
	if err := f.reflect(); err != nil {
		return 0, errno(err)
	}
	addr, _, err := syscall.Syscall6(syscall.SYS_MMAP, 0, size, prot, flags&^syscall.MAP_FIXED, uintptr(f.mirror.fd), off)
	if err != 0 {
		return 0, uintptr(err)
	}
	h := f.all.host
	h.s.pinned(func() { h.s.world.mapped = append(h.s.world.mapped, mapping{h, addr, size}) })
	return addr, 0
}

// reflect gives the file its mirror, if it has none.
func (f *osFile) reflect() error {
	if f.mirror != nil {
		return nil
	}
	fd, err := memfd()
	if err != nil {
		return err
	}
	m := &mirror{fd}
	f.all.host.s.pinned(func() { f.mirror = m })
	return f.Watch(func(b []byte, off, size int64) {
		if m.fd < 0 {
			return
		}
		syscall.Ftruncate(m.fd, size) // memory has no errors that a test could wait for
		for len(b) > 0 {
			n, err := syscall.Pwrite(m.fd, b, off)
			if err != nil {
				return
			}
			b, off = b[n:], off+int64(n)
		}
	})
}

// memfd makes a file in memory. Package syscall has no name for the call.
func memfd() (int, error) {
	trap, ok := map[string]uintptr{"amd64": 319, "arm64": 279, "riscv64": 279, "loong64": 279, "ppc64le": 360, "s390x": 350}[runtime.GOARCH]
	if !ok {
		return -1, syscall.ENOTSUP
	}
	name, err := syscall.BytePtrFromString("assay-sim")
	if err != nil {
		return -1, err
	}
	fd, _, e := syscall.Syscall(trap, uintptr(unsafe.Pointer(name)), 1, 0) // 1: closed where the process starts another
	if e != 0 {
		return -1, e
	}
	return int(fd), nil
}

// unmapped takes a mapping off the list that its host unmaps by itself, and always leaves the work to the kernel.
func unmapped(addr uintptr) bool {
	s := current.Load()
	if s == nil {
		return false
	}
	s.pinned(func() {
		s.world.mapped = slices.DeleteFunc(s.world.mapped, func(m mapping) bool {
			return m.addr == addr
		})
	})
	return false
}

// unmap unmaps what a host that ended had mapped. The caller holds the lock.
func (s *Sim) unmap(h *Host) {
	all := s.world.mapped
	s.world.mapped = nil
	for _, m := range all {
		if m.host != h {
			s.world.mapped = append(s.world.mapped, m)
			continue
		}
		syscall.RawSyscall(syscall.SYS_MUNMAP, m.addr, m.size, 0)
	}
}

// holdMappings makes a mapping that stays. Package syscall keeps a map of them, and a map that becomes empty draws a random
// number: after hosts that crashed and left their mappings in it, a seed that unmaps all it mapped would be another one than alone.
func holdMappings() {
	_, _ = syscall.Mmap(-1, 0, 1, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE) // without it such a seed differs, and that is told
}
