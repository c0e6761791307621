package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// LockName is the name of the file whose flock says that the owner lives.
const LockName = "lock"

// Lock takes the lock of a folder that holds no log, creating the folder where it is missing. It is held
// until free is called or this process dies. The error is [ErrHeld] when another process has it.
func Lock(dir string) (free func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := takeLock(dir)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() error { return unlock(file) }, nil
}

// takeLock returns the locked file, which is closed on exec so that no service
// keeps a dead holder's lock.
func takeLock(dir string) (*os.File, error) {
	path := filepath.Join(dir, LockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(file); err != nil {
		file.Close()
		return nil, err
	}
	// Between open and flock a recovery may have removed the file: then what we locked is nobody's.
	if !sameFile(file, path) {
		unlock(file)
		return nil, fmt.Errorf("lock %s was removed: %w", path, fs.ErrNotExist)
	}
	return file, nil
}

func flock(file *os.File) error {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrHeld
		case !errors.Is(err, syscall.EINTR):
			return fmt.Errorf("flock: %w", err)
		}
	}
}

// unlock frees the lock and closes the file. Closing alone would not free it while a
// child that is being started elsewhere in this process has a copy, until its exec.
func unlock(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

func sameFile(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	theirs, err := os.Stat(path)
	return err == nil && os.SameFile(mine, theirs)
}

// Held reports whether a process owns the log in dir. A folder without a lock has no owner.
func Held(dir string) (bool, error) {
	file, err := os.OpenFile(filepath.Join(dir, LockName), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at ledger lock: %w", err)
	}
	err = flock(file)
	if errors.Is(err, ErrHeld) {
		return true, file.Close()
	}
	return false, errors.Join(err, unlock(file))
}
