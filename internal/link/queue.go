package link

import (
	"time"

	"github.com/assay-dev/assay/system"
)

// together is how long delayed items may gather behind one that was just sent: to wake the writer for each would cost more than to
// send it.
const together = 100 * time.Microsecond

// forever is the wait of an item that only a change of rules lets go.
const forever = time.Duration(1<<63 - 1)

func (p *pump) queued() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue) > 0
}

// push appends the item, when there is room. It returns false when the connection is over.
func (p *pump) push(it item) bool {
	for !p.tryPush(it) {
		select {
		case <-p.space:
		case <-p.conn.done:
			return false
		}
	}
	notify(p.wake)
	return true
}

func (p *pump) tryPush(it item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting > p.bend.Load().room() {
		return false
	}
	p.queue = append(p.queue, it)
	p.waiting += it.size() + itemBytes
	p.startDraining()
	return true
}

// startDraining starts the writer, once. The caller holds mu.
func (p *pump) startDraining() {
	if !p.draining {
		p.draining = true
		p.conn.wg.Go(p.drain)
	}
}

// attend sees to it that somebody looks after rules that act without data.
func (p *pump) attend(b *bend) {
	if !p.connected.Load() || !b.has(system.Reset) && !b.has(system.Blackhole) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startDraining()
}

// head returns the oldest item. Only the writer changes or removes it.
func (p *pump) head() (*item, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 {
		return nil, false
	}
	it := p.queue[0]
	return &it, true
}

// held counts, once, that a cut holds back the oldest item.
func (p *pump) held() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue[0].held = true
	p.lane.bent.Add(1)
	hitAll(p.bend.Load().cuts)
}

// rest replaces the oldest item by what an interrupted write left of it, or removes it.
func (p *pump) rest(it *item, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting -= p.queue[0].size()
	if !done {
		p.queue[0] = *it
		p.waiting += it.size()
		return
	}
	p.conn.mesh.pipes.unload(it.cargo)
	p.waiting -= itemBytes
	if buf := p.queue[0].buf; buf != nil {
		p.conn.mesh.pool.Put(buf)
	}
	p.queue[0] = item{}
	p.queue = p.queue[1:]
	if len(p.queue) == 0 {
		p.queue = nil
	}
	if room := p.bend.Load().room(); p.waiting <= room-room/8 { // not for each item: to wake a reader costs more than to read
		notify(p.space)
	}
}

// unload gives back what is queued when the connection is over.
func (p *pump) unload() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, it := range p.queue {
		p.conn.mesh.pipes.unload(it.cargo)
	}
	p.queue = nil
}

// drain writes queued items as they fall due, until the connection is over.
func (p *pump) drain() {
	var alarmed time.Duration
	for {
		wait := p.step()
		if wait == 0 {
			continue
		}
		if wait != forever {
			if due := p.conn.mesh.now() + wait; due < alarmed || p.conn.mesh.now() >= alarmed {
				alarmed = due
				p.conn.mesh.alarm.after(wait, p.wake)
			}
		}
		select {
		case <-p.wake:
		case <-p.conn.done:
			return
		}
	}
}

// step writes of the oldest item what may go now, else it returns how long to wait.
func (p *pump) step() time.Duration {
	p.writing.Lock()
	defer p.writing.Unlock()
	if p.dst == nil {
		return forever
	}
	b, now := p.bend.Load(), p.conn.mesh.now()
	it, ok := p.head()
	patience, over := p.doom(b, ok, now)
	if over {
		return forever
	}
	if ok && b.cut && !it.held {
		p.held()
	}
	if !ok || b.cut || p.doomed(b) {
		return patience
	}
	stay, lost := b.stay(p.conn.mesh.opts.Seed, p.lane.link, p.ordinal, it, p.passed)
	if it.due > 0 && it.plan.waits() {
		stay += it.due - it.at
	}
	if wait := it.at + stay - now; wait > 0 {
		return min(max(wait, p.flow.wrote+together-now), patience)
	}
	p.flow.wrote = now
	if it.end != notEnd {
		if b.blackholes(p.passed) {
			return patience
		}
		p.bentOne(b, it, p.passed)
		p.rest(it, p.deliver(it))
		return 0
	}
	n, wait := p.allowed(b, it.size(), now)
	if wait > 0 {
		return min(wait, patience)
	}
	p.pass(b, it, n, lost, now)
	return 0
}

// pass writes, or throws away, the first n bytes of the item.
func (p *pump) pass(b *bend, it *item, n, lost int, now time.Duration) {
	if lost > 0 && n == it.size() {
		p.lose(b, it)
	}
	before := p.passed
	part := it.first(n)
	done := true
	if b.blackholes(p.passed) {
		part.cargo.discard()
		p.passed += int64(n)
		p.starved.Store(true)
		p.lane.discarded.Add(int64(n))
	} else if done = p.deliver(&part); !done {
		p.takeBack(b, part.size())
		n -= part.size()
	}
	it.skip(n)
	p.wentThrough(b, n, it.size(), now)
	if it.size() == 0 {
		p.bentOne(b, it, before)
		p.lane.lost.Add(int64(min(lost, 1)))
	}
	p.rest(it, it.size() == 0)
}

// lose lets the exchanges under way know, before the item ends the last of them, which rules lost it.
func (p *pump) lose(b *bend, it *item) {
	for i := range b.rules {
		if r := &b.rules[i]; r.Kind == system.Drop && p.passed >= r.When.After && p.bentBy(b, i, it) {
			p.conn.tap.lose(r.Text)
		}
	}
}

// bentOne counts an item that rules had a say in, the last part of which came after so many bytes.
func (p *pump) bentOne(b *bend, it *item, passed int64) {
	if len(b.rules) > 0 && !it.held {
		p.lane.bent.Add(1)
	}
	for i := range b.rules {
		if passed >= b.rules[i].When.After && p.bentBy(b, i, it) {
			b.rules[i].tally.hit()
		}
	}
}

// bentBy says whether the i-th rule did something to the item. Of throttle, slice, reset and limit it is known where they do it.
func (p *pump) bentBy(b *bend, i int, it *item) bool {
	switch r := &b.rules[i]; r.Kind {
	case system.Delay, system.Blackhole:
		return true
	case system.SlowClose:
		return it.end == endOfData
	case system.Drop:
		if it.end != notEnd {
			return false
		}
		_, lost := r.drawLosses(b.draws(i, p.conn.mesh.opts.Seed, p.lane.link, p.ordinal, it))
		return lost > 0
	}
	return false
}
