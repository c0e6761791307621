package sim

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim/disk"
)

// DiskOptions say what the disks of hosts are like. The zero value is a disk that promises what POSIX does and no
// more, in sectors of 512 bytes, on which a sync takes 1 to 4 ms and everything else no time.
type DiskOptions struct {
	Profile  disk.Profile
	Sector4K bool
	// Sync is how long a sync takes at least; it takes up to three times as much more. 0 is a millisecond, below 0 no time.
	Sync time.Duration
	// Each is how long any other operation takes. 0 is no time: the page cache.
	Each time.Duration
}

// Disks says what disks of hosts are like that are first asked for from now on.
func (s *Sim) Disks(o DiskOptions) {
	s.needs("Sim.Disks")
	s.pinned(func() { s.world.disks = o })
}

// A Disk is the disk of a host, with the operations of package os: what is not synced when the host crashes is
// kept, lost or torn, as the seed decides and the profile allows.
// [Disk.Mount] puts package os on it.
//
// While the host is down each operation fails with EIO, and so does each operation ever after on a handle from before.
type Disk struct {
	*disk.Disk
	host   *Host
	mounts []string // guarded by Sim.pinned
	files  osFiles
	// crashes that it came back from; whoever restarts the host counts
	crashes int
}

// Disk is the host's disk, empty at first.
func (h *Host) Disk() *Disk {
	h.s.pinned(func() {
		if h.disk == nil {
			h.disk = h.s.newDisk(h)
		}
	})
	return h.disk
}

func (s *Sim) newDisk(h *Host) *Disk {
	o := s.world.disks
	if o.Sync == 0 {
		o.Sync = time.Millisecond
	}
	choose := func(n int) int { c, _ := rtDisk(uint32(n), 0); return int(c) }
	d := &Disk{host: h, Disk: disk.New(disk.Options{
		Profile: o.Profile, Sector4K: o.Sector4K, Sleep: time.Sleep, Choose: choose, Lock: &pinnedLock{},
		Takes: func(op disk.Op) time.Duration {
			if op != disk.Sync {
				return max(o.Each, 0)
			}
			return max(o.Sync, 0) + max(o.Sync, 0)*time.Duration(choose(4))
		},
	})}
	d.files = osFiles{Disk: d.Disk, host: h}
	return d
}

// A pinnedLock is held by one goroutine that nothing interrupts, so that no crash leaves it locked.
type pinnedLock struct{ mu sync.Mutex }

func (l *pinnedLock) Lock()   { rtPin(1); l.mu.Lock() }
func (l *pinnedLock) Unlock() { l.mu.Unlock(); rtPin(-1) }

// Fault lets something go wrong with the disk until heal is called. Faults stay over crashes. One that the disk
// cannot have ends the test.
func (d *Disk) Fault(f disk.Fault) (heal func()) {
	d.host.s.t.Helper()
	in, err := d.Inject(f)
	if err != nil {
		d.host.s.t.Fatalf("sim: disk of %s: %v", d.host.name, err)
	}
	d.host.s.Event("disk of %s: %v", d.host.name, f)
	return func() {
		in.Heal()
		d.host.s.Event("disk of %s: heal %v", d.host.name, f)
	}
}

// Fail lets operations on paths that match fail with EIO: see [disk.Fault] for patterns. After a failed sync what was to be written is given up.
func (d *Disk) Fail(on disk.Op, path string) (heal func()) {
	d.host.s.t.Helper()
	return d.Fault(disk.Fault{Kind: disk.Fail, On: on, Path: path})
}

// Slow lets each operation take so much longer.
func (d *Disk) Slow(by time.Duration) (heal func()) {
	d.host.s.t.Helper()
	return d.Fault(disk.Fault{Kind: disk.Slow, Delay: by})
}

// Quota lets writes fail with ENOSPC once files take more than so many bytes.
func (d *Disk) Quota(bytes int64) (heal func()) {
	d.host.s.t.Helper()
	return d.Fault(disk.Fault{Kind: disk.Full, Bytes: bytes})
}

// halt stops the disk of a host that ends. Nothing of the simulation comes in between.
func (h *Host) halt() {
	var d *Disk
	h.s.pinned(func() { d = h.disk })
	if d != nil {
		d.Halt()
		d.files.forget()
	}
}

// recover decides what the disk kept when its host went down.
func (h *Host) recover() {
	var d *Disk
	if h.s.pinned(func() { d = h.disk }); d == nil {
		return
	}
	var made []uint64 // numbers of the decisions
	d.crashes++
	losses := d.Crash(func(n int) int {
		c, index := rtDisk(uint32(n), h.loss(d.crashes, len(made)))
		made = append(made, index)
		return int(c)
	})
	h.s.pinned(func() { h.s.noteLosses(h.name, made, losses) })
	if len(losses) > 0 {
		h.s.Event("disk of %s: %s", h.name, told(losses))
	}
}

// loss names a decision of a crash by what it is about: a test that comes to the crash another way loses the same.
func (h *Host) loss(crash, n int) uint64 {
	name := fnv.New64a()
	fmt.Fprintf(name, "%s %d %d", h.name, crash, n)
	return name.Sum64() | 1 // 0 is none
}

// noteLosses says of each decision of a crash what it took: the losses that came next.
func (s *Sim) noteLosses(host string, made []uint64, losses []disk.Loss) {
	if s.notes == nil {
		s.notes = map[uint64]string{}
	}
	for i, index := range made {
		next := slices.IndexFunc(losses, func(l disk.Loss) bool { return l.Decisions > i })
		if next < 0 {
			return
		}
		own := losses[next:]
		if end := slices.IndexFunc(own, func(l disk.Loss) bool { return l.Decisions > losses[next].Decisions }); end >= 0 {
			own = own[:end]
		}
		s.notes[index] = fmt.Sprintf("the crash of %s took from its disk: %s", host, told(own))
	}
}

// told is what a crash took, in one line.
func told(losses []disk.Loss) string {
	const most = 4
	var all []string
	for i, l := range losses {
		if i == most {
			all = append(all, fmt.Sprintf("and %d more", len(losses)-most))
			break
		}
		all = append(all, l.String())
	}
	return strings.Join(all, "; ")
}
