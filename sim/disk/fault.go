package disk

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"syscall"
	"time"
)

// An Op is a kind of operation, or several.
type Op uint16

// The operations that a fault may strike.
const (
	Open Op = 1 << iota // and create
	Read
	Write
	Sync // of a file or a directory, and within each write of a file opened with O_SYNC
	Truncate
	List
	Stat
	Mkdir
	Remove
	Rename
	Link
	Chmod    // and Chtimes
	every Op = 1<<iota - 1
)

func opNames() []string {
	return []string{"open", "read", "write", "sync", "truncate", "list", "stat", "mkdir", "remove", "rename", "link", "chmod"}
}

// String returns the names of the operations, as "read|write".
func (o Op) String() string {
	if o == every {
		return "any"
	}
	var names []string
	for i, name := range opNames() {
		if o&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// A Kind is what a fault does.
type Kind uint8

// The kinds of faults.
const (
	Fail      Kind = iota + 1 // the operation fails with Errno and does nothing; of a failed sync see [File.Sync]
	Full                      // writes fail with ENOSPC once files take more than Bytes, in pages of 4096
	Short                     // a write writes only the first of its bytes and returns io.ErrShortWrite
	Flip                      // a read returns one bit wrong; the next read is another
	Lose                      // a write succeeds and can be read, and never reaches the disk
	Misdirect                 // as Lose, and its bytes reach another sector of the file
	Slow                      // the operation takes Delay longer
)

// A kind says what a fault of it may strike and what it asks for.
type kind struct {
	name    string
	on      Op
	chooses bool
}

func kinds() map[Kind]kind {
	return map[Kind]kind{
		Fail:      {"fail", every, false},
		Full:      {"full", Write, false},
		Short:     {"short", Write, true},
		Flip:      {"flip", Read, true},
		Lose:      {"lose", Write, false},
		Misdirect: {"misdirect", Write, true},
		Slow:      {"slow", every, false},
	}
}

// String returns the kind's name.
func (k Kind) String() string { return kinds()[k].name }

// A Fault is something that goes wrong with operations. It strikes each that matches, unless Nth, OneIn or Times say less.
type Fault struct {
	Kind Kind
	On   Op // zero: all that the kind may strike
	// Path is a pattern of path.Match on the path from the root; without a slash it is of the last element, and
	// "dir/**" is all below dir. A handle has the path it was opened by. "" is all.
	Path  string
	Nth   int // strike the nth that matches (1 is the first) and no other
	OneIn int // strike one of so many, as Options.Choose decides
	Times int // strike so often at most

	Errno syscall.Errno // Fail; zero: EIO
	Bytes int64         // Full
	Delay time.Duration // Slow
}

// String returns the fault as text, such as "fail(sync wal/**, EIO, nth=3)".
func (f Fault) String() string {
	on, at := f.on(), f.Path
	if at == "" {
		at = "*"
	}
	text := fmt.Sprintf("%v(%v %s", f.Kind, on, at)
	switch f.Kind {
	case Fail:
		text += ", " + errnoName(f.errno())
	case Full:
		text += fmt.Sprintf(", %d bytes", f.Bytes)
	case Slow:
		text += ", " + f.Delay.String()
	}
	for _, limit := range []struct {
		name string
		n    int
	}{{"nth", f.Nth}, {"one_in", f.OneIn}, {"times", f.Times}} {
		if limit.n > 0 {
			text += fmt.Sprintf(", %s=%d", limit.name, limit.n)
		}
	}
	return text + ")"
}

func errnoName(e syscall.Errno) string {
	switch e {
	case syscall.EIO:
		return "EIO"
	case syscall.ENOSPC:
		return "ENOSPC"
	case syscall.EDQUOT:
		return "EDQUOT"
	case syscall.EROFS:
		return "EROFS"
	}
	return e.Error()
}

func (f Fault) on() Op {
	if f.On == 0 {
		return kinds()[f.Kind].on
	}
	return f.On
}

func (f Fault) errno() syscall.Errno {
	if f.Errno == 0 {
		return syscall.EIO
	}
	return f.Errno
}

// check says what is wrong with a fault on a disk.
func (f Fault) check(d *Disk) error {
	k, ok := kinds()[f.Kind]
	switch {
	case !ok:
		return errors.New("it has no kind: set Kind to Fail, Full, Short, Flip, Lose, Misdirect or Slow")
	case f.On&^k.on != 0:
		return fmt.Errorf("it cannot strike %v: want %v", f.On&^k.on, k.on)
	case f.Nth < 0 || f.OneIn < 0 || f.Times < 0 || f.Bytes < 0:
		return errors.New("a number is negative")
	case f.Nth > 0 && f.OneIn > 1:
		return errors.New("nth and one_in exclude each other")
	case d.choose == nil && (k.chooses || f.OneIn > 1):
		return errors.New("it is decided by chance: give the disk Options.Choose")
	case f.Kind == Slow && d.sleep == nil:
		return errors.New("nothing can wait: give the disk Options.Sleep")
	case f.Kind == Slow && f.Delay <= 0:
		return errors.New("it has no Delay")
	}
	if _, err := path.Match(f.Path, ""); err != nil {
		return fmt.Errorf("path %q: %w", f.Path, err)
	}
	return nil
}

// matches says whether the fault is about an operation on a path.
func (f Fault) matches(op Op, at string) bool {
	if f.on()&op == 0 {
		return false
	}
	if f.Path == "" || f.Path == "**" {
		return true
	}
	if dir, ok := strings.CutSuffix(f.Path, "/**"); ok {
		return strings.HasPrefix(at, strings.TrimPrefix(dir, "/")+"/")
	}
	if !strings.Contains(f.Path, "/") {
		at = path.Base(at)
	}
	ok, _ := path.Match(strings.TrimPrefix(f.Path, "/"), at)
	return ok
}
