package evidence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Folders of a store, beside runs, whose content is on its way in or out. One
// that is left behind was left by a process that died, and the next one removes it.
const passing = ".passing-"

// exclusively runs f while no other process merges into the store or removes
// from it. Runs are written and read meanwhile as ever.
func (s *Store) exclusively(ctx context.Context, f func() error) error {
	if err := os.MkdirAll(s.runs(), 0o777); err != nil {
		return fmt.Errorf("evidence: cannot create the store %s: %w", s.dir, err)
	}
	// The folder itself is locked: there is no file that could stay behind.
	lock, err := os.Open(s.runs())
	if err != nil {
		return fmt.Errorf("evidence: open store: %w", err)
	}
	defer lock.Close()
	switch err := lockWithin(ctx, lock); {
	case ctx.Err() != nil:
		return fmt.Errorf("evidence: another process merges into %s or removes from it: %w", s.dir, ctx.Err())
	case err != nil:
		return fmt.Errorf("evidence: lock %s: %w", s.runs(), err)
	}
	if err := s.sweep(); err != nil {
		return err
	}
	return f()
}

// lockWithin polls, as a lock that blocks would not end with ctx.
func lockWithin(ctx context.Context, file *os.File) error {
	const interval = 20 * time.Millisecond
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
}

// sweep removes what processes that died left on the way. The caller holds the lock.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("evidence: read store: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), passing) {
			dir := filepath.Join(s.dir, entry.Name())
			if err := s.putBack(dir); err != nil {
				return fmt.Errorf("evidence: put back what a process that died had moved: %w", err)
			}
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("evidence: remove what a process that died left: %w", err)
			}
		}
	}
	return nil
}

// passage makes a folder on the store's file system for runs on their way.
func (s *Store) passage() (string, error) {
	dir, err := os.MkdirTemp(s.dir, passing)
	if err != nil {
		return "", fmt.Errorf("evidence: make a folder in the store: %w", err)
	}
	return dir, nil
}

// enter gives a whole run in the folder staged its place among the runs. It
// reports false where the store has a run of that id.
func (s *Store) enter(staged, id string) (bool, error) {
	final := filepath.Join(s.runs(), id)
	if _, err := os.Lstat(final); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := os.Rename(staged, final); err != nil {
		return false, fmt.Errorf("evidence: run %s: %w", id, err)
	}
	return true, nil
}
