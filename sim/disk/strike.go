package disk

import (
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"
)

// An Injected is a fault at work.
type Injected struct {
	Fault
	disk         *Disk
	seen, struck int
}

// Inject lets a fault strike from now on, until it is healed. Faults survive crashes.
func (d *Disk) Inject(f Fault) (*Injected, error) {
	if err := f.check(d); err != nil {
		return nil, fmt.Errorf("disk: inject %v: %w", f, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	in := &Injected{Fault: f, disk: d}
	d.faults = append(d.faults, in)
	return in, nil
}

// Heal ends the fault. What it did stays done.
func (in *Injected) Heal() {
	in.disk.mu.Lock()
	defer in.disk.mu.Unlock()
	in.disk.faults = slices.DeleteFunc(in.disk.faults, func(other *Injected) bool { return other == in })
}

// Struck returns how often the fault struck: the proof that it had an effect.
func (in *Injected) Struck() int {
	in.disk.mu.Lock()
	defer in.disk.mu.Unlock()
	return in.struck
}

// Seen returns how many operations the fault might have struck.
func (in *Injected) Seen() int {
	in.disk.mu.Lock()
	defer in.disk.mu.Unlock()
	return in.seen
}

// A hit is what faults do to one operation. The zero value is nothing.
type hit struct {
	disk  *Disk
	err   error
	delay time.Duration
	full  []*Injected
	// The last of these kinds; nil: none. They count where they have an effect.
	short, flips, loses, misdirects *Injected
}

// enter begins an operation: it locks the disk, waits where that is slow, and says what else goes wrong.
func (d *Disk) enter(op Op, name string) hit {
	d.mu.Lock()
	hit := d.strike(op, name)
	if d.takes != nil && !d.halted {
		hit.delay += d.takes(op)
	}
	if hit.delay > 0 {
		d.mu.Unlock()
		d.sleep(hit.delay)
		d.mu.Lock()
	}
	if d.halted {
		hit.err = syscall.EIO
	}
	return hit
}

// strike asks all faults, in the order they were injected.
func (d *Disk) strike(op Op, name string) hit {
	if len(d.faults) == 0 || d.halted {
		return hit{}
	}
	at, err := clean(name)
	if err != nil {
		return hit{}
	}
	hit := hit{disk: d}
	for _, in := range d.faults {
		if in.matches(op, at) && in.strikes() {
			hit.add(in)
		}
	}
	return hit
}

// strikes decides whether the fault strikes an operation that matches.
func (in *Injected) strikes() bool {
	in.seen++
	switch {
	case in.Times > 0 && in.struck >= in.Times,
		in.Nth > 0 && in.seen != in.Nth,
		in.OneIn > 1 && in.disk.choose(in.OneIn) != in.OneIn-1: // 0 is the least harm
		return false
	}
	return true
}

func (h *hit) add(in *Injected) {
	switch in.Kind {
	case Fail:
		h.err = in.errno()
		in.struck++
	case Full:
		h.full = append(h.full, in)
	case Short:
		h.short = in
	case Flip:
		h.flips = in
	case Lose:
		h.loses = in
	case Misdirect:
		h.misdirects = in
	case Slow:
		h.delay += in.Delay
		in.struck++
	}
}

// flip changes one bit of what was read.
func (h *hit) flip(b []byte) {
	if h.flips != nil && len(b) > 0 {
		h.flips.struck++
		bit := h.disk.choose(8 * len(b))
		b[bit/8] ^= 1 << (bit % 8)
	}
}

// cut returns how much of b a write writes, and why not all.
func (h *hit) cut(b []byte, n *node, off int64) ([]byte, error) {
	var err error
	for _, in := range h.full {
		if room := in.room(n, off, len(b)); room < len(b) {
			in.struck++
			b, err = b[:room], syscall.ENOSPC
		}
	}
	if h.short != nil && len(b) > 0 {
		h.short.struck++
		k := h.disk.choose(len(b))
		if err == nil {
			err = io.ErrShortWrite
		}
		b = b[:len(b)-1-k] // 0 is the least harm
	}
	return b, err
}

// room returns how many of size bytes at off the disk has room for.
func (in *Injected) room(n *node, off int64, size int) int {
	left := in.Bytes/pageSize - in.disk.used
	for want := size; ; {
		if n.now.grows(off, int64(want)) <= max(left, 0) {
			return want
		}
		// The last page is one too many: end before it.
		want = int(max((off+int64(want)-1)/pageSize*pageSize-off, 0))
	}
}

// astray lets a write that processes see miss the disk, or reach it elsewhere. It says whether it did.
func (h *hit) astray(n *node, b []byte, off int64) bool {
	if h.loses == nil && h.misdirects == nil {
		return false
	}
	if h.loses != nil {
		h.loses.struck++
	}
	n.strayed(off, int64(len(b)))
	h.disk.remember(n, op{kind: write, off: off, size: n.now.size}) // the size alone
	if h.misdirects != nil {
		h.misdirects.struck++
		h.elsewhere(n, b, off)
	}
	return true
}

// elsewhere lets the bytes reach another sector of the file, if it has one.
func (h *hit) elsewhere(n *node, b []byte, off int64) {
	sector := h.disk.sector
	others := int((n.now.size+sector-1)/sector) - 1
	if others <= 0 {
		return
	}
	i := int64(h.disk.choose(others))
	if i >= off/sector {
		i++
	}
	to := i*sector + off%sector
	b = b[:max(min(int64(len(b)), n.now.size-to), 0)]
	n.strayed(to, int64(len(b)))
	n.dirty = append(n.dirty, b...)
	h.disk.remember(n, op{kind: write, off: to, at: len(n.dirty) - len(b), n: len(b), size: n.now.size})
}
