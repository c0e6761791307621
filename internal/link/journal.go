package link

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
)

// How many decisions a journal takes: those that hit, and those that do not. Each has room of its own, so that a rule that seldom hits
// leaves room for what it hit.
const (
	maxHits   = 1 << 16
	maxMisses = 1 << 15
)

// A journal hands on what rules chose. Its methods do nothing on nil.
type journal struct {
	*recorder[history.Decision]
	hits, misses, leftOut atomic.Uint64
}

// SetJournal hands every decision that is made from now on to on, which is called from one goroutine at a time: of each rule of bytes
// for each connection that it meets, and of each rule of requests for each request that its Match fits. Of more than 65,536 that hit
// and 32,768 that do not, the rest is left out, and the last says how many. Times are read from now; nil: Options.Now. A nil on switches it
// off; on is not called any more once SetJournal has returned.
func (m *Mesh) SetJournal(now func() time.Duration, on func(history.Decision)) {
	m.arming.Lock()
	defer m.arming.Unlock()
	if on == nil {
		m.swapJournal(nil)
		return
	}
	m.swapJournal(&journal{recorder: newRecorder(m.offset(now), on)})
}

// swapJournal ends the journal before. The caller holds arming.
func (m *Mesh) swapJournal(next *journal) {
	before := m.journal.Swap(next)
	if before == nil {
		return
	}
	before.close()
	if n := before.leftOut.Load() + before.lost; n > 0 {
		before.on(history.Decision{LeftOut: n})
	}
}

// add writes a decision down, where there is room.
func (j *journal) add(d history.Decision, at time.Duration) {
	used, room := &j.hits, uint64(maxHits)
	if !d.Hit {
		used, room = &j.misses, maxMisses
	}
	if used.Add(1) > room {
		j.leftOut.Add(1)
		return
	}
	d.At = at + j.offset
	j.put(d)
}

// note writes down what the rules of bytes chose for a connection, once for each. The caller holds mu.
func (l *lane) note(p *pump) {
	rules, m := l.effect.Load().rules, p.conn.mesh
	j := m.journal.Load()
	if j == nil || len(rules) == 0 {
		p.noted = nil
		return
	}
	var noted []*tally
	for i := range rules {
		r := &rules[i]
		noted = append(noted, r.tally)
		if slices.Contains(p.noted, r.tally) {
			continue
		}
		d := history.Decision{Rule: r.id, Fault: r.Text, From: l.link.From, To: l.link.To, Conn: p.conn.id, Hit: r.touches(m.opts.Seed, l.link, p.ordinal)}
		if p.ordinal > r.before {
			d.Nth = p.ordinal - r.before
		}
		if r.When.P > 0 && r.When.P < 1 {
			draw := r.drawConn(m.opts.Seed, l.link, p.ordinal)
			d.Draw = &draw
		}
		j.add(d, m.now())
	}
	p.noted = noted
}

// request writes down what a rule of requests chose for one.
func (j *journal) request(c *conn, chosen choice, q *request, hit bool) {
	if j == nil {
		return
	}
	key := chosen.key
	if key == 0 { // nothing was drawn
		key = q.key(chosen.Match)
	}
	l := c.up.lane.link
	d := history.Decision{Rule: chosen.id, Fault: chosen.Text, From: l.From, To: l.To, Conn: c.id, Nth: chosen.nth, Hit: hit,
		Request: q.stream, Method: q.method, Path: q.path(), Key: fmt.Sprintf("%016x", key), Again: chosen.again}
	d.Path = d.Path[:min(len(d.Path), 200)]
	if chosen.drawn {
		d.Draw = &chosen.draw
	}
	j.add(d, q.at)
}
