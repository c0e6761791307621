package disk

import "syscall"

// A held is how a handle holds the lock of its file.
type held uint8

const (
	free held = iota
	shared
	exclusive
)

// A flock is the lock of a file, as flock(2) has it: of handles, not of processes, and advisory.
type flock struct {
	shared    int
	exclusive bool
}

// Lock waits for the file's lock: alone, or shared with others that share it. A handle that holds it
// already gives it back first. Close gives it back, and so does a crash, which ends the wait with [syscall.EIO].
func (f *File) Lock(alone bool) error { return f.acquire(alone, true) }

// TryLock is Lock that does not wait: the error is [syscall.EWOULDBLOCK] when others hold the lock.
func (f *File) TryLock(alone bool) error { return f.acquire(alone, false) }

// Unlock gives the lock back. It is no error if the handle holds none.
func (f *File) Unlock() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.usable(); err != nil {
		return fail("flock", f.name, err)
	}
	f.unlock()
	return nil
}

func (f *File) acquire(alone, wait bool) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	for {
		if err := f.usable(); err != nil {
			return fail("flock", f.name, err)
		}
		f.unlock()
		if f.take(alone) {
			return nil
		}
		if !wait {
			return fail("flock", f.name, syscall.EWOULDBLOCK)
		}
		f.disk.unlocked.Wait()
	}
}

func (f *File) take(alone bool) bool {
	l := &f.node.lock
	if l.exclusive || alone && l.shared > 0 {
		return false
	}
	if alone {
		l.exclusive, f.held = true, exclusive
	} else {
		l.shared++
		f.held = shared
	}
	return true
}

func (f *File) unlock() {
	switch f.held {
	case free:
		return
	case shared:
		f.node.lock.shared--
	case exclusive:
		f.node.lock.exclusive = false
	}
	f.held = free
	f.disk.unlocked.Broadcast()
}
