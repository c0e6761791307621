package disk

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
)

// A piece is what one op does to one sector, or to the size. Time within a file is counted in pieces:
// at step i the first i of them were done.
type piece struct {
	op
	sector       int64 // -1: none
	lo           int64 // offset of data
	data         []byte
	before, size int64 // of the file
}

// grows says that the file was longer after the piece.
func (p *piece) grows() bool { return p.kind == write && p.size > p.before }

// inode says that the piece changed the size.
func (p *piece) inode() bool { return p.kind == resize || p.size != p.before }

// A torn decides what a crash leaves of one file.
type torn struct {
	*image
	n      *node
	pieces []piece
	cuts   []int // pieces that made the file shorter
	sector int64
	step   int // of the size

	resized, flushed int // the last pieces of these kinds before the step, or -1
}

// touch is a piece that wrote in a sector.
type touch struct {
	sector int64
	piece  int
}

// file decides what is left of a file.
func (im *image) file(n *node, at string) *node {
	made := im.disk.newFile(n.durableMode)
	if len(n.stray) > 0 {
		im.loses(at, fmt.Sprintf("%d pages had never reached the disk", len(n.stray)))
	}
	if len(n.pending) == 0 {
		made.durable = n.durable.clone()
		made.now = made.durable.clone()
		return made
	}
	t := torn{image: im, n: n, sector: im.disk.sector}
	t.split()
	made.durable, made.mode = t.decide(at)
	made.durableMode = made.mode
	made.now = made.durable.clone()
	return made
}

// split makes pieces of what is pending.
func (t *torn) split() {
	size := t.n.durable.size
	for _, o := range t.n.pending {
		if o.kind != write || o.n == 0 {
			if o.kind == resize && o.size < size {
				t.cuts = append(t.cuts, len(t.pieces))
			}
			t.pieces = append(t.pieces, piece{op: o, sector: -1, before: size, size: o.size})
			size = o.size
			continue
		}
		data := t.n.dirty[o.at : o.at+o.n]
		for off := o.off; len(data) > 0; {
			part := data[:min(int64(len(data)), t.sector-off%t.sector)]
			after := max(size, off+int64(len(part)))
			t.pieces = append(t.pieces, piece{op: o, sector: off / t.sector, lo: off, data: part, before: size, size: after})
			size, data, off = after, data[len(part):], off+int64(len(part))
		}
	}
}

// The ways in which a file is decided at random. Sectors alone would hardly ever all be lost.
const (
	newest = iota
	oldest
	upTo // all before some step, nothing after it: as a disk that writes in order
	each
)

// decide returns the file as the crash leaves it.
func (t *torn) decide(at string) (content, fs.FileMode) {
	first, last := t.bounds()
	mode, until := each, len(t.pieces)
	if !t.each && len(t.pieces) > 1 {
		mode = t.pick(4)
	}
	if mode == upTo {
		until = last - t.pick(last-first+1)
	}
	t.step = t.inode(mode, first, last, until)
	t.resized, t.flushed = t.last(resize), t.last(flush)
	c := t.base()
	made := t.mode(mode, until)
	older, sectors := 0, t.touches()
	for len(sectors) > 0 {
		n := 1
		for n < len(sectors) && sectors[n].sector == sectors[0].sector {
			n++
		}
		if !t.place(&c, sectors[:n], mode, until) {
			older++
		}
		sectors = sectors[n:]
	}
	t.report(at, c.size, older, mode)
	return c, made
}

func (t *torn) report(at string, size int64, older, mode int) {
	was := t.pieces[len(t.pieces)-1].size
	if mode == oldest && t.disk.profile == Posix && (size != was || older > 0) {
		t.loses(at, fmt.Sprintf("nothing is left of %d writes that were not synced", t.writes()))
		return
	}
	if size != was {
		t.loses(at, fmt.Sprintf("%d bytes long, was %d", size, was))
	}
	if older > 0 {
		t.loses(at, fmt.Sprintf("%d sectors hold older bytes", older))
	}
}

// writes is how many calls of write are not durable.
func (t *torn) writes() (n int) {
	for _, o := range t.n.pending {
		if o.kind == write {
			n++
		}
	}
	return n
}

// bounds returns the first and last step that the size may be of.
func (t *torn) bounds() (first, last int) {
	for i := range t.pieces {
		p := &t.pieces[i]
		if p.after > t.cut && t.disk.profile == Ext4Ordered {
			return first, i // a size enters the journal later than all that was there before it
		}
		if p.kind == resize && p.entry > 0 || p.kind == flush {
			first = i + 1
		}
	}
	return first, len(t.pieces)
}

// inode decides the step of the size.
func (t *torn) inode(mode, first, last, until int) int {
	switch mode {
	case newest:
		return last
	case oldest:
		return first
	case upTo:
		return until
	}
	var steps []int // newest first
	for i := last; i > first; i-- {
		if t.pieces[i-1].inode() {
			steps = append(steps, i)
		}
	}
	steps = append(steps, first)
	return steps[t.pick(len(steps))]
}

// base returns the durable file with the size of the step.
func (t *torn) base() content {
	c := t.n.durable.clone()
	size := c.size
	for _, p := range t.pieces[:t.step] {
		if p.kind == resize {
			c.resize(p.size)
		}
		size = p.size
	}
	c.resize(size)
	return c
}

// mode decides the permission bits. In ext4's journal they have an entry of their own.
func (t *torn) mode(how, until int) fs.FileMode {
	all := []fs.FileMode{t.n.durableMode} // newest first
	for i, p := range t.pieces {
		if p.kind == chmod && p.entry <= t.cut && (how != upTo || i < until || p.entry > 0) {
			all = slices.Insert(all, 0, p.mode)
		}
	}
	switch {
	case how == oldest && t.disk.profile == Posix:
		return all[len(all)-1]
	case how != each || t.disk.profile == Ext4Ordered:
		return all[0]
	}
	return all[t.pick(len(all))]
}

// touches returns which pieces wrote in which sectors, by sector, and by time within one. The sector in which
// a file was cut counts as written: its tail became zero.
func (t *torn) touches() []touch {
	var all []touch
	for i, p := range t.pieces {
		if p.sector >= 0 {
			all = append(all, touch{p.sector, i})
		} else if p.kind == resize && p.size < p.before && p.size%t.sector > 0 {
			all = append(all, touch{p.size / t.sector, i})
		}
	}
	slices.SortStableFunc(all, func(a, b touch) int { return cmp.Compare(a.sector, b.sector) })
	return all
}

// place decides one sector and writes it. It says whether the sector is the newest there was.
func (t *torn) place(c *content, touched []touch, mode, until int) bool {
	start := touched[0].sector * t.sector
	if start >= c.size {
		return true
	}
	low, high := t.allowed(touched, start)
	steps := make([]int, 0, 8) // newest first
	for _, x := range slices.Backward(touched) {
		if step := x.piece + 1; step > low && step <= high {
			steps = append(steps, step)
		}
	}
	steps = append(steps, low)
	b := t.version(touched, start, t.sectorStep(steps, touched, start, mode, until))
	c.writeAt(b[:min(t.sector, c.size-start)], start)
	return slices.Equal(b, t.version(touched, start, len(t.pieces)))
}

// allowed returns the first and last step that a sector may be of.
func (t *torn) allowed(touched []touch, start int64) (low, high int) {
	high = len(t.pieces)
	for _, i := range t.cuts {
		to := t.pieces[i].size
		if i < t.step && start+t.sector > to {
			low = i + 1 // what was cut off never comes back
		}
		if i >= t.step && start >= to {
			high = min(high, i) // the cut was lost, so later bytes lie in blocks the file does not have
		}
	}
	if t.disk.profile != Ext4Ordered {
		return low, high
	}
	for _, x := range touched {
		// Ordered: the bytes go before the size. A truncation sets the size whatever was written.
		if x.piece < t.step && t.pieces[x.piece].grows() && (x.piece > t.resized || x.piece < t.flushed) {
			low = max(low, x.piece+1)
		}
	}
	return low, high
}

// last returns the last piece of a kind that was kept, or -1.
func (t *torn) last(kind opKind) int {
	for i := t.step - 1; i >= 0; i-- {
		if t.pieces[i].kind == kind {
			return i
		}
	}
	return -1
}

func (t *torn) sectorStep(steps []int, touched []touch, start int64, mode, until int) int {
	switch mode {
	case newest:
		return steps[0]
	case oldest:
		return steps[len(steps)-1]
	case upTo:
		for _, step := range steps {
			if step <= until {
				return step
			}
		}
		return steps[len(steps)-1]
	}
	if t.each {
		steps = t.distinct(steps, touched, start)
	}
	return steps[t.pick(len(steps))]
}

// distinct drops steps at which the sector held the same bytes as at another.
func (t *torn) distinct(steps []int, touched []touch, start int64) []int {
	var kept []int
	seen := map[string]bool{}
	for _, step := range steps {
		if b := string(t.version(touched, start, step)); !seen[b] {
			seen[b] = true
			kept = append(kept, step)
		}
	}
	return kept
}

// version returns the sector as it was at a step.
func (t *torn) version(touched []touch, start int64, step int) []byte {
	b := make([]byte, t.sector)
	t.n.durable.readAt(b, start)
	cuts := t.cuts
	zero := func(before int) {
		for len(cuts) > 0 && cuts[0] < before {
			if from := t.pieces[cuts[0]].size - start; from < t.sector {
				clear(b[max(0, from):])
			}
			cuts = cuts[1:]
		}
	}
	for _, x := range touched {
		if x.piece >= step {
			break
		}
		zero(x.piece)
		if p := &t.pieces[x.piece]; p.data != nil {
			copy(b[p.lo-start:], p.data)
		}
	}
	zero(step)
	return b
}
