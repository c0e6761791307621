// Package ledger is the write-ahead undo log of an environment: what was about
// to be done to this machine, written to disk before it was done, so that
// whoever comes after a kill -9 can undo it.
//
//	log, err := ledger.Open(dir)                                  // takes the lock, held until Close or death
//	seq, err := log.Intend("dir", map[string]string{"path": data}) // on disk before the effect
//	err = os.Mkdir(data, 0o700)
//	...
//	err = os.RemoveAll(data)
//	err = log.Done(seq)
//
// An entry is data, never code: the undo of a verb is looked up in a table by
// the process that recovers, which is another one than the process that wrote it.
// DIR/lock is locked with flock(2) for as long as the owner lives; the kernel frees it
// when the owner dies, whatever it died of. [Free] finds such folders.
package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// FileName is the log's name inside its folder.
const FileName = "ledger.jsonl"

// ErrHeld reports that another process owns the log, or this one through another Log.
var ErrHeld = errors.New("the ledger is held by a running process")

// An Entry is one effect that was about to happen.
type Entry struct {
	Seq    int             `json:"seq"` // from 1
	Verb   string          `json:"verb"`
	Args   json.RawMessage `json:"args,omitempty"`
	Before json.RawMessage `json:"before,omitempty"` // the state to go back to, where the verb has one
	Verify json.RawMessage `json:"verify,omitempty"` // how to see that it was undone, where the verb alone does not say
	At     time.Time       `json:"at"`
	Done   bool            `json:"-"` // it was undone
}

// line is what one line of the file holds: an entry, or the number of one that is done.
type line struct {
	Entry
	Undone int `json:"undone,omitempty"`
}

// A Log is the undo log of one environment. It is safe for concurrent use.
type Log struct {
	dir  string
	lock *os.File

	mu      sync.Mutex
	file    *os.File
	size    int64 // of the whole lines in the file
	entries []Entry
}

// Open opens the log in dir and takes its lock, creating what is missing.
// The error is [ErrHeld] when another process owns it.
func Open(dir string) (*Log, error) {
	for {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open ledger: %w", err)
		}
		log, err := open(dir)
		// A recovery that took the folder for a dead one removed it under our feet: make it again.
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return log, err
	}
}

// Adopt opens the log that a dead owner left in dir. The error is [ErrHeld] when
// the owner lives, and an [fs.ErrNotExist] when there is no such folder any more.
func Adopt(dir string) (*Log, error) { return open(dir) }

func open(dir string) (*Log, error) {
	lock, err := takeLock(dir)
	if err != nil {
		return nil, fmt.Errorf("open ledger in %s: %w", dir, err)
	}
	log := &Log{dir: dir, lock: lock}
	if err := log.load(); err != nil {
		return nil, fmt.Errorf("open ledger in %s: %w", dir, errors.Join(err, unlock(lock)))
	}
	return log, nil
}

// load reads the entries and leaves the file ready to append to.
func (l *Log) load() error {
	file, err := os.OpenFile(filepath.Join(l.dir, FileName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	l.entries, l.size, err = read(file)
	if err == nil {
		err = file.Truncate(l.size) // a cut last line would swallow the next entry
	}
	if err == nil {
		_, err = file.Seek(l.size, io.SeekStart)
	}
	if err == nil {
		err = syncDir(l.dir)
	}
	if err != nil {
		file.Close()
		return err
	}
	l.file = file
	return nil
}

// Dir returns the folder of the log.
func (l *Log) Dir() string { return l.dir }

// Intend writes that verb is about to be done with args, and returns when that is on disk.
// On an error nothing was written and the effect must not happen.
func (l *Log) Intend(verb string, args any) (seq int, err error) {
	raw, err := json.Marshal(args)
	if err != nil {
		return 0, fmt.Errorf("ledger: intend %s: %w", verb, err)
	}
	return l.Append(Entry{Verb: verb, Args: raw})
}

// Append is Intend for a verb that has a state to go back to or a way to verify.
// It sets Seq and At.
func (l *Log) Append(e Entry) (seq int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq, e.At, e.Done = len(l.entries)+1, time.Now().UTC(), false
	if err := l.write(line{Entry: e}, true); err != nil {
		return 0, fmt.Errorf("ledger: intend %s: %w", e.Verb, err)
	}
	l.entries = append(l.entries, e)
	return e.Seq, nil
}

// Done writes that the effect of seq was undone. It does not wait for the disk:
// an undo that is done twice does no harm, one that is forgotten does.
func (l *Log) Done(seq int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq < 1 || seq > len(l.entries) {
		return fmt.Errorf("ledger: done %d: no such entry", seq)
	}
	if err := l.write(line{Undone: seq}, false); err != nil {
		return fmt.Errorf("ledger: done %d: %w", seq, err)
	}
	l.entries[seq-1].Done = true
	return nil
}

// write appends one line, or leaves the file as it was.
func (l *Log) write(v line, durable bool) error {
	if l.file == nil {
		return os.ErrClosed
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(text, '\n'))
	if err == nil && durable {
		err = l.file.Sync()
	}
	if err != nil { // disk full, say: half a line must not swallow the next one
		return errors.Join(err, l.file.Truncate(l.size), seekTo(l.file, l.size))
	}
	l.size += int64(len(text)) + 1
	return nil
}

func seekTo(f *os.File, offset int64) error {
	_, err := f.Seek(offset, io.SeekStart)
	return err
}

// Pending returns the entries that were not undone, in the order they were
// written; undo them in reverse.
func (l *Log) Pending() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.entries), func(e Entry) bool { return e.Done })
}

// Close closes the files and frees the lock. A second call does nothing.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := errors.Join(l.file.Close(), unlock(l.lock))
	l.file = nil
	return err
}

// Remove deletes the folder with the log and everything else in it, the lock
// last, and closes the log. On an error the log stays, still locked.
func (l *Log) Remove() error {
	names, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("remove ledger: %w", err)
	}
	for _, entry := range names {
		if entry.Name() != FileName && entry.Name() != LockName {
			err = errors.Join(err, os.RemoveAll(filepath.Join(l.dir, entry.Name())))
		}
	}
	// The log goes after all that it might be needed for, the lock after the log.
	for _, name := range []string{FileName, LockName} {
		if err == nil {
			err = os.RemoveAll(filepath.Join(l.dir, name)) // no error when an earlier try removed it
		}
	}
	if err == nil {
		err = l.removeDir()
	}
	if err != nil {
		return fmt.Errorf("remove ledger: %w", err)
	}
	return l.Close()
}

// removeDir removes the folder, which is empty, unless a recovery elsewhere has
// just found it without a lock and put its own there: then it is that one's to remove.
func (l *Log) removeDir() error {
	var err error
	for range 3 { // the other may be done between our two looks
		err = os.Remove(l.dir)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if _, look := os.Lstat(filepath.Join(l.dir, LockName)); look == nil {
			return nil
		}
	}
	return err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
