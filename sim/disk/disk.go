// Package disk is a disk in memory that crashes.
//
// Programs write files and lose what they did not sync, and no test of theirs
// ever shows it: the kernel keeps what a killed process wrote. A [Disk] has two
// views of its files: what processes see, and what is durable. [Disk.Crash] takes the first away and leaves
// what the second and a [Profile] allow, by decisions that come from outside,
// so that a crash can be replayed and made smaller; [Disk.States] lists all
// that a crash could leave here and now.
//
// The methods are those of package os, with its errors:
//
//	d := disk.New(disk.Options{Profile: disk.Ext4Ordered})
//	f, err := d.Create("wal")
//	f.Write(record)           // errors left out
//	d.Crash(decide)           // the record is there, gone, or torn
//	states, _ := d.States(100)
//
// What breaks without a crash is a [Fault]: errors, a full disk, writes that are lost though they succeeded.
// [Disk.FS] is the same files as an [io/fs.FS].
//
// Paths have slashes and begin at the root, with or without a leading slash; ".." is resolved
// before anything is looked up. There are no symbolic links, no owners and no mmap, and permissions are
// kept and shown but do not forbid. Times of files are never lost.
// Nothing becomes durable by itself, but for a file with more than 16 MiB that was not
// synced and for 65,536 changes of names, of which the oldest do.
//
// All methods may be called from many goroutines.
package disk

import (
	"io/fs"
	"sync"
	"time"
)

const (
	sector512 = 512
	sector4K  = 4096
)

// Options say what a disk is like and what it may use. The zero value is a disk of the profile Posix.
type Options struct {
	Profile  Profile
	Sector4K bool                // sectors of 4096 bytes; else of 512. No sector is ever torn.
	Now      func() time.Time    // for times of files; nil: time.Now
	Sleep    func(time.Duration) // for Slow; nil: there can be no such fault
	// Choose returns a number below n, and decides what faults leave open: whether one strikes that strikes one in so many,
	// and where. It is called with the disk locked, so it must not use it. nil: there can be no such fault.
	Choose func(n int) int
	Lock   sync.Locker            // guards the disk; nil: a mutex. For a simulation in which nothing may come in between.
	Takes  func(Op) time.Duration // how long an operation takes before it does anything; nil: none. It asks for Sleep.
}

// A Disk holds a tree of files.
type Disk struct {
	profile Profile
	sector  int64
	now     func() time.Time
	sleep   func(time.Duration)
	choose  func(n int) int

	takes    func(Op) time.Duration
	mu       sync.Locker
	unlocked *sync.Cond // a lock of a file was given back, or a crash
	root     *node
	used     int64 // pages of files
	epoch    int   // crashes so far
	halted   bool
	temps    int // names made by CreateTemp and MkdirTemp

	journal        []record // Ext4Ordered: what is not durable yet
	seq, committed uint64

	faults []*Injected
}

// New returns an empty disk. Its root is durable.
func New(opts Options) *Disk {
	d := &Disk{profile: opts.Profile, sector: sector512, now: opts.Now, sleep: opts.Sleep, choose: opts.Choose, takes: opts.Takes, mu: opts.Lock}
	if opts.Sector4K {
		d.sector = sector4K
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.mu == nil {
		d.mu = &sync.Mutex{}
	}
	d.unlocked = sync.NewCond(d.mu)
	d.root = d.newDir(0o755)
	return d
}

// Profile returns what a crash may take.
func (d *Disk) Profile() Profile { return d.profile }

// Halt makes each operation fail with [syscall.EIO] until [Disk.Crash], as a machine does that lost its power: what runs
// on after it, such as deferred calls of goroutines that end, changes nothing.
func (d *Disk) Halt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.halted = true
	d.unlocked.Broadcast()
}

// Evict drops what is cached of clean pages, as memory pressure does. After a failed sync, or
// where writes were lost or misdirected, processes read from now on what the disk holds.
func (d *Disk) Evict() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.evict(d.root, map[*node]bool{})
}

func (d *Disk) evict(n *node, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	for _, child := range n.names {
		d.evict(child, seen)
	}
	dirty := map[int64]bool{}
	for _, o := range n.pending {
		for i := range pagesOf(o.off, int64(o.n)) {
			dirty[i] = true
		}
	}
	for i := range n.stray {
		if dirty[i] {
			continue
		}
		before := n.now.used
		n.now.share(&n.durable, int(i))
		d.used += n.now.used - before
		delete(n.stray, i)
		n.reread(i)
	}
}

// Settle makes everything durable at once and in no time, as an orderly unmount does.
func (d *Disk) Settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle(d.root, map[*node]bool{})
}

func (d *Disk) settle(n *node, seen map[*node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	d.sync(n)
	for _, child := range n.names {
		d.settle(child, seen)
	}
}

// fail returns an error as package os makes it, or nil.
func fail(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
