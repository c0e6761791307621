package link

import (
	"sync"
	"time"

	"github.com/assay-dev/assay/system"
)

// An editing connects the pumps of a live connection with its editor. It begins when a rule of requests is set
// on the connection's link, and stays for the rest of the connection.
type editing struct {
	conn *conn
	wake chan struct{}

	mu     sync.Mutex
	editor editor
	desk   *desk
	failed bool
	made   int           // bytes of answers since the caller last had read all
	timed  bool          // somebody waits for what is due
	next   time.Duration // when the editor must be asked again
}

// edit begins the editing where a rule wants it. It is called by the reader of up, between two chunks.
func (c *conn) edit() {
	if c.uneditable || c.editing.Load() != nil || len(c.up.lane.effect.Load().requests) == 0 {
		return
	}
	c.up.writing.Lock()
	passed := c.up.passed
	c.up.writing.Unlock()
	// From here until the end nothing is written to the caller: the tap stands where the bytes do.
	c.down.interrupt()
	c.down.hand.Lock()
	defer c.down.hand.Unlock()
	defer c.down.quiesce()
	c.down.writing.Lock()
	defer c.down.writing.Unlock()
	e := &editing{conn: c, wake: make(chan struct{}, 1), desk: &desk{bench: c.bench()}}
	e.desk.unclear = func() { c.up.lane.unedited.Add(1) }
	var later bool
	if e.editor, later = c.tap.resume(e.desk, passed); e.editor == nil {
		if !later {
			c.uneditable = true
			c.up.lane.unedited.Add(1)
		}
		return
	}
	e.failed = !c.down.revise(e)
	c.editing.Store(e)
}

// bench judges the connection's requests by the rules on the link that they take.
func (c *conn) bench() *bench {
	l := c.up.lane
	return &bench{
		seed: c.mesh.opts.Seed, link: l.link, rules: func() []*ruling { return l.effect.Load().requests },
		count: func(requests, matched int64) { l.requests.Add(requests); l.matched.Add(matched) },
		note:  func(q *request, chosen choice, hit bool) { c.mesh.journal.Load().request(c, chosen, q, hit) },
		done: func(q *request, r *ruling) {
			r.tally.hit()
			if !q.hit {
				q.hit = true
				l.hit.Add(1)
			}
			if q.flight != nil {
				c.tap.hit(q.flight, r.Text, r.Kind == system.Abort)
			}
		},
	}
}

// revise edits what waits to be written to the caller. The caller of revise holds writing.
func (p *pump) revise(e *editing) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.queue {
		it := &p.queue[i]
		if it.end != notEnd {
			continue
		}
		before := it.size()
		p.conn.mesh.pipes.melt(it)
		if !e.editor.response(it.data, it.at) {
			return false
		}
		var data []byte
		for _, parcel := range e.desk.toClient.take() {
			data = append(data, parcel.data...)
		}
		it.data = data
		p.waiting += len(data) - before
	}
	return true
}

// take gives the item to the editor, or where nothing is edited sends it. It returns false when the connection is over.
func (p *pump) take(it item) bool {
	if p.up {
		p.conn.edit()
	}
	p.hand.Lock()
	e := p.conn.editing.Load()
	var lent []byte
	if e != nil {
		lent = e.edit(p, it)
	} else {
		if p.up {
			p.conn.tap.request(it.data, it.at)
		}
		if !p.sendNow(&it) {
			if p.enqueue(p.kept(it)) { // else the writer knows already, and waits for the item before
				p.drainSoon()
			}
		}
	}
	p.hand.Unlock()
	if e != nil {
		p.flush()
		e.reuse(p, lent)
	}
	return p.awaitRoom()
}

// edit lets the editor read the item, and queues what comes out. It returns a buffer that is free once all is written.
func (e *editing) edit(p *pump, it item) (lent []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.run(func() bool {
		if p.up {
			return e.editor.request(it.data, it.at)
		}
		return e.editor.response(it.data, it.at)
	})
	e.limit(p)
	if parcels := e.box(p).parcels; len(parcels) == 1 {
		lent = parcels[0].data
	}
	e.post(it)
	if p.other.queued() {
		p.other.drainSoon()
	}
	return lent
}

// limit ends a connection whose caller lets answers pile up that are made here. To read no more from it would not do: it may read
// nothing before it has sent all.
func (e *editing) limit(p *pump) {
	if !p.up {
		return
	}
	if !p.other.queued() {
		e.made = 0
	}
	for _, parcel := range e.desk.toClient.parcels {
		e.made += len(parcel.data) + itemBytes
	}
	if e.made > holdBytes {
		e.failed = true
		e.desk.unclear()
		e.conn.abort() // an end in the queue would wait like the answers
	}
}

// run runs a part of the editor. When it fails, or is wrong about what can happen, the connection cannot go on.
func (e *editing) run(part func() bool) {
	if e.failed {
		return
	}
	e.failed = true
	defer func() {
		if recover() != nil || e.failed {
			e.desk.unclear()
			e.desk.toClient.end(resetByEnd)
		}
	}()
	e.failed = !part()
}

// post queues what the editor has made of the item, and what is due.
func (e *editing) post(cause item) {
	e.run(func() bool {
		e.schedule(e.editor.release(cause.at))
		return true
	})
	for _, p := range []*pump{e.conn.up, e.conn.down} {
		for _, parcel := range e.box(p).take() {
			if len(parcel.data) > 0 || parcel.end != notEnd {
				p.enqueue(item{data: parcel.data, end: parcel.end, at: cause.at, due: parcel.due, plan: parcel.plan, n: cause.n})
			}
		}
	}
}

// reuse gives a buffer back that was written.
func (e *editing) reuse(p *pump, data []byte) {
	if data == nil || p.queued() {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.box(p).spare = data[:0]
}

// box returns what the editor sends by way of p.
func (e *editing) box(p *pump) *outbox {
	if p.up {
		return &e.desk.toServer
	}
	return &e.desk.toClient
}

// schedule sees to it that the editor is asked again.
func (e *editing) schedule(next time.Duration) {
	if next == 0 || e.next != 0 && e.next <= next {
		return
	}
	e.next = next
	if !e.timed {
		e.timed = true
		e.conn.wg.Go(e.wait)
	}
	e.conn.mesh.alarm.after(max(next-e.conn.mesh.now(), 1), e.wake)
}

// wait asks the editor for what is due until the connection is over.
func (e *editing) wait() {
	for {
		select {
		case <-e.wake:
			e.due()
		case <-e.conn.done:
			return
		}
	}
}

// healed lets go what waits for a rule that was cleared.
func (e *editing) healed() {
	notify(e.wake)
	notify(e.conn.up.wake)
	notify(e.conn.down.wake)
}

func (e *editing) due() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next = 0
	e.post(item{at: e.conn.mesh.now()})
	e.conn.up.drainSoon()
	e.conn.down.drainSoon()
}

// ended tells the editor that a direction has ended.
func (e *editing) ended(p *pump, it *item) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.run(func() bool {
		if p.up {
			e.editor.requestEnded()
		} else {
			e.editor.responseEnded()
		}
		return true
	})
	e.post(*it)
	e.conn.up.drainSoon()
	e.conn.down.drainSoon()
}

// enqueue appends the item, whether or not there is room, and says whether it is the only one.
func (p *pump) enqueue(it item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, it)
	p.waiting += it.size() + itemBytes
	return len(p.queue) == 1
}

// drainSoon lets the writer look.
func (p *pump) drainSoon() {
	p.mu.Lock()
	p.startDraining()
	p.mu.Unlock()
	notify(p.wake)
}

// flush writes what may be written now.
func (p *pump) flush() {
	for p.queued() && p.step() == 0 {
	}
	if p.queued() {
		p.drainSoon()
	}
}

// awaitRoom waits until few enough bytes wait. It returns false when the connection is over.
func (p *pump) awaitRoom() bool {
	for !p.hasRoom() {
		select {
		case <-p.space:
		case <-p.conn.done:
			return false
		}
	}
	return true
}

func (p *pump) hasRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting <= p.bend.Load().room()
}

// endHere ends the connection at the editor's word.
func (p *pump) endHere(how ending) {
	p.conn.tap.responseEnded(p.conn.mesh.now())
	if how == closedByRule {
		p.conn.closeByRule(p.other.lane, nil)
		return
	}
	p.conn.hangUp()
}
