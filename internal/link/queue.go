package link

import "time"

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
	if p.waiting > holdBytes {
		return false
	}
	p.queue = append(p.queue, it)
	p.waiting += len(it.data) + itemBytes
	if !p.draining {
		p.draining = true
		p.conn.wg.Go(p.drain)
	}
	return true
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

// rest replaces the oldest item by what an interrupted write left of it, or removes it.
func (p *pump) rest(it *item, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting -= len(p.queue[0].data)
	if !done {
		p.queue[0] = *it
		p.waiting += len(it.data)
		return
	}
	p.waiting -= itemBytes
	p.queue[0] = item{}
	p.queue = p.queue[1:]
	if len(p.queue) == 0 {
		p.queue = nil
	}
	notify(p.space)
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

// step writes the oldest item if it is due, else it returns how long to wait.
func (p *pump) step() time.Duration {
	p.writing.Lock()
	defer p.writing.Unlock()
	it, ok := p.head()
	if !ok || p.dst == nil {
		return forever
	}
	e := p.lane.effect.Load()
	if e.cut {
		return forever
	}
	due := it.at + e.delay(p.conn.mesh.opts.Seed, p.lane.link, p.ordinal, it.n)
	if wait := due - p.conn.mesh.now(); wait > 0 {
		return wait
	}
	p.rest(it, p.deliver(it))
	return 0
}
