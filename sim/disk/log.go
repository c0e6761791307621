package disk

import (
	"io/fs"
	"slices"
)

// More than this that was not synced is written back by itself, oldest first, as a kernel does under pressure.
const (
	dirtyLimit  = 16 << 20 // bytes of a file, and what remembering its writes costs
	opCost      = 128
	changeLimit = 1 << 16 // changes of names
)

// An opKind says what an op does to its file.
type opKind uint8

const (
	write opKind = iota
	resize
	chmod
	flush // ext4 wrote what was appended so far; changes nothing
)

// An op is one thing done to a file that is not durable yet.
type op struct {
	kind  opKind
	entry uint64 // of the journal; 0: not in it
	after uint64 // the last entry of the journal when it was done, its own included
	off   int64  // write
	at, n int    // write: its bytes in dirty; none where they never reach the disk
	size  int64  // of the file, after it
	mode  fs.FileMode
}

// An entry is a name that comes to mean another node, or nothing (nil).
type entry struct {
	dir  *node
	name string
	to   *node
}

// A change is entries that are kept or lost together.
type change struct {
	what    string // for reports
	entries []entry
}

// A record is one step of the journal: a change of names, or an op of file.
type record struct {
	change
	seq uint64
}

// link makes the change visible, and remembers it until it is durable.
func (d *Disk) link(what string, entries ...entry) {
	for _, e := range entries {
		if old := e.dir.names[e.name]; old != nil {
			old.links--
			d.touch(old)
		}
		if e.to == nil {
			delete(e.dir.names, e.name)
		} else {
			e.dir.names[e.name] = e.to
			e.to.links++
		}
		e.dir.mtime = d.now()
	}
	switch d.profile {
	case Synced:
		keep(entries)
	case Posix:
		d.linkPosix(what, entries)
	case Ext4Ordered:
		seq := d.journalled(change{what, entries})
		for _, e := range entries {
			e.dir.last = seq
			if e.to != nil {
				e.to.last = seq
			}
		}
	}
}

// linkPosix gives each directory its own part of the change.
func (d *Disk) linkPosix(what string, entries []entry) {
	for len(entries) > 0 {
		dir := entries[0].dir
		var own, rest []entry
		for _, e := range entries {
			if e.dir == dir {
				own = append(own, e)
			} else {
				rest = append(rest, e)
			}
		}
		dir.changes = append(dir.changes, change{what, own})
		if len(dir.changes) > changeLimit {
			dir.keepChanges(changeLimit / 2)
		}
		entries = rest
	}
}

// touch says that the next entry of the journal is also about n, which loses a name.
func (d *Disk) touch(n *node) {
	if d.profile == Ext4Ordered {
		n.last = d.seq + 1
	}
}

// journalled appends to the journal.
func (d *Disk) journalled(c change) uint64 {
	d.seq++
	d.journal = append(d.journal, record{c, d.seq})
	if len(d.journal) > changeLimit {
		d.commit(d.journal[changeLimit/2].seq)
	}
	return d.seq
}

// commit makes the journal durable up to seq.
func (d *Disk) commit(seq uint64) {
	n := 0
	for n < len(d.journal) && d.journal[n].seq <= seq {
		keep(d.journal[n].entries)
		n++
	}
	d.journal = slices.Delete(d.journal, 0, n)
	d.committed = max(d.committed, seq)
}

// keep makes names durable.
func keep(entries []entry) {
	for _, e := range entries {
		if e.to == nil {
			delete(e.dir.durableNames, e.name)
		} else {
			e.dir.durableNames[e.name] = e.to
		}
	}
}

func (n *node) keepChanges(count int) {
	for _, c := range n.changes[:count] {
		keep(c.entries)
	}
	n.changes = slices.Delete(n.changes, 0, count)
}

// remember adds an op that processes see already.
func (d *Disk) remember(n *node, o op) {
	if d.profile == Ext4Ordered && o.kind != write {
		o.entry = d.journalled(change{})
		n.last = o.entry
	}
	o.after = d.seq
	n.pending = append(n.pending, o)
	if d.profile == Synced || len(n.dirty)+len(n.pending)*opCost > dirtyLimit {
		d.sync(n)
	}
}

// wrote remembers a write of b at off, which processes see already.
func (d *Disk) wrote(n *node, b []byte, off int64) {
	o := op{kind: write, off: off, at: len(n.dirty), n: len(b), size: n.now.size}
	if end := off + int64(len(b)); len(n.stray) > 0 {
		b, o.off = n.whole(off, end)
		o.n = len(b)
	}
	n.dirty = append(n.dirty, b...)
	d.remember(n, o)
}

// whole widens a write by the stray pages it touches: a page is written back whole, so what
// the disk had lost of it goes along now.
func (n *node) whole(off, end int64) ([]byte, int64) {
	first, last := off/pageSize, (end-1)/pageSize
	if _, ok := n.stray[first]; ok {
		off = first * pageSize
	}
	if _, ok := n.stray[last]; ok {
		end = min((last+1)*pageSize, n.now.size)
	}
	for i := first; i <= last; i++ {
		delete(n.stray, i)
	}
	b := make([]byte, end-off)
	n.now.readAt(b, off)
	return b, off
}

// resized remembers that the file has another size, which processes see already.
func (d *Disk) resized(n *node) {
	for i := range n.stray {
		if i*pageSize >= n.now.size {
			delete(n.stray, i)
		}
	}
	d.remember(n, op{kind: resize, size: n.now.size})
}

// flushed says that ext4 writes what was appended before the next entry of the journal.
func (d *Disk) flushed(n *node) {
	if d.profile == Ext4Ordered && len(n.pending) > 0 {
		d.remember(n, op{kind: flush, size: n.now.size})
	}
}

// sync makes a node durable, as fsync does when the disk is well.
func (d *Disk) sync(n *node) {
	last := n.last
	if n.dir {
		n.keepChanges(len(n.changes))
	} else {
		if n.now.size > n.durable.size {
			last = d.seq // the new size is the newest entry, and takes all before it along
		}
		n.keepData()
	}
	if d.profile == Ext4Ordered {
		d.commit(last)
	}
}

// keepData makes all that was done to the file durable, in time that depends on what is pending alone.
func (n *node) keepData() {
	for _, o := range n.pending {
		if o.kind == resize {
			n.durable.resize(o.size)
		} else if o.kind == write && len(n.stray) > 0 {
			n.durable.writeAt(n.dirty[o.at:o.at+o.n], o.off)
		}
	}
	for _, o := range n.pending {
		if o.kind == write && o.n > 0 {
			n.sharePages(o.off, int64(o.n))
		}
	}
	n.durable.resize(n.now.size)
	n.durableMode = n.mode
	n.forget()
}

func (n *node) sharePages(off, size int64) {
	for i := range pagesOf(off, size) {
		if _, ok := n.stray[i]; !ok {
			n.durable.share(&n.now, int(i))
		}
	}
}

func (n *node) forget() {
	n.pending = n.pending[:0]
	n.dirty = n.dirty[:0]
	if cap(n.dirty) > 1<<16 {
		n.dirty = nil
	}
	if cap(n.pending) > 1<<10 {
		n.pending = nil
	}
}

// lose is a sync that fails. The pages are clean from now on and never written again, though processes read
// them; only sizes and modes may still become durable.
func (n *node) lose() {
	var left []op
	size := n.durable.size
	for _, o := range n.pending {
		if o.kind == write {
			n.strayed(o.off, int64(o.n))
			o.n = 0
		}
		if o.kind != write || o.size != size {
			left = append(left, o)
		}
		size = o.size
	}
	n.forget()
	n.pending = left
	n.failed++
}

// strayed marks pages whose bytes on the disk are not those that processes read.
func (n *node) strayed(off, size int64) {
	if size > 0 && n.stray == nil {
		n.stray = map[int64]struct{}{}
	}
	for i := range pagesOf(off, size) {
		n.stray[i] = struct{}{}
	}
}
