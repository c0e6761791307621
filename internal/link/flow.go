package link

import (
	"cmp"
	"time"

	"github.com/assay-dev/assay/system"
)

// A flow is where one direction of a connection stands with the rules that take data apart. It is guarded by pump.writing.
type flow struct {
	own     map[*meter]*meter        // of throttles that each connection has for itself, by the rule's
	dooms   map[*meter]time.Duration // when a rule ends the connection, by the rule's meter, of which each arming has one
	piece   int64                    // bytes left of the slice that is being sent
	slicer  *tally                   // of the rule that drew it
	pieces  uint64                   // slices so far
	nextCut time.Duration            // when the next slice may begin
	wrote   time.Duration            // when an item was sent that had waited
	idle    time.Duration            // since when a throttle lets nothing through, 0: it does
}

// doom ends the connection where a rule has that in mind, and else says how long until then. came says that there is something to pass on.
func (p *pump) doom(b *bend, came bool, now time.Duration) (wait time.Duration, over bool) {
	wait = forever
	for i := range b.rules {
		r := &b.rules[i]
		timed := r.Kind == system.Reset || r.Kind == system.Blackhole && r.Delay > 0
		if !timed || p.passed < r.When.After {
			continue
		}
		if p.flow.dooms == nil {
			p.flow.dooms = map[*meter]time.Duration{}
		}
		at, known := p.flow.dooms[r.meter]
		if !known {
			if r.When.Data && !came {
				continue
			}
			at = now + r.Delay
			p.flow.dooms[r.meter] = at
		}
		switch {
		case at > now:
			wait = min(wait, at-now)
		case r.Kind == system.Reset:
			p.conn.resetByRule(p.lane, r.tally)
			return 0, true
		default:
			p.conn.closeByRule(p.lane, nil)
			return 0, true
		}
	}
	return wait, false
}

// doomed says whether a rule that waited for data has it, and holds it until the end.
func (p *pump) doomed(b *bend) bool {
	for i := range b.rules {
		if r := &b.rules[i]; r.When.Data {
			if _, known := p.flow.dooms[r.meter]; known {
				return true
			}
		}
	}
	return false
}

// allowed says how many of n bytes may go now, and where none may, how long until some do. What it allows is taken from
// throttles: takeBack returns what did not go.
func (p *pump) allowed(b *bend, n int, now time.Duration) (int, time.Duration) {
	for i := range b.rules {
		r := &b.rules[i]
		if left := r.When.After - p.passed; left > 0 {
			n = int(min(int64(n), left))
			continue
		}
		switch r.Kind {
		case system.Limit:
			if p.passed >= r.Bytes {
				p.conn.closeByRule(p.lane, r.tally)
				return 0, forever
			}
			n = int(min(int64(n), r.Bytes-p.passed))
		case system.Slice:
			if wait := p.flow.nextCut - now; wait > 0 {
				return 0, wait
			}
			n = int(min(int64(n), p.nextPiece(r)))
		}
	}
	for i := range b.rules {
		r := &b.rules[i]
		if r.Kind != system.Throttle || p.passed < r.When.After {
			continue
		}
		allowed, wait := p.meterOf(r).take(n, now)
		if wait > 0 {
			r.tally.hit()
			p.takeBackUpTo(b, i, n)
			p.flow.idle = cmp.Or(p.flow.idle, now)
			return 0, wait
		}
		p.takeBackUpTo(b, i, n-allowed)
		n = allowed
	}
	if p.flow.idle != 0 {
		p.lane.throttled.Add(int64(now - p.flow.idle))
		p.flow.idle = 0
	}
	return n, 0
}

// nextPiece returns what is left of the slice, or draws the size of the next.
func (p *pump) nextPiece(r *ruling) int64 {
	if p.flow.piece <= 0 {
		p.flow.pieces++
		draw := unit(mix(mix(mix(mix(p.conn.mesh.opts.Seed, r.Seed), hash(p.lane.link.From, p.lane.link.To)), p.ordinal), p.flow.pieces))
		p.flow.piece = max(r.Bytes-r.Spread+int64(draw*float64(2*r.Spread+1)), 1)
		p.flow.slicer = r.tally
	}
	return p.flow.piece
}

// meterOf returns the throttle's meter: the link's, or the connection's own.
func (p *pump) meterOf(r *ruling) *meter {
	if !r.Each {
		return r.meter
	}
	if p.flow.own == nil {
		p.flow.own = map[*meter]*meter{}
	}
	own := p.flow.own[r.meter]
	if own == nil {
		own = newMeter(r.Rate)
		p.flow.own[r.meter] = own
	}
	return own
}

// takeBackUpTo returns n bytes to the throttles before the i-th rule.
func (p *pump) takeBackUpTo(b *bend, i, n int) {
	for j := range b.rules[:i] {
		if r := &b.rules[j]; n > 0 && r.Kind == system.Throttle && p.passed >= r.When.After {
			p.meterOf(r).back(n)
		}
	}
}

func (p *pump) takeBack(b *bend, n int) { p.takeBackUpTo(b, len(b.rules), n) }

// wentThrough notes that n bytes went and left some of their chunk, and ends a connection that has reached its limit.
func (p *pump) wentThrough(b *bend, n, left int, now time.Duration) {
	p.flow.piece -= int64(n)
	if p.flow.piece == 0 && n > 0 && left > 0 && b.has(system.Slice) {
		p.lane.slices.Add(1)
		p.flow.slicer.hit()
	}
	for i := range b.rules {
		r := &b.rules[i]
		switch {
		case p.passed < r.When.After:
		case r.Kind == system.Slice && p.flow.piece <= 0:
			p.flow.nextCut = now + r.Delay
		case r.Kind == system.Limit && p.passed >= r.Bytes:
			p.conn.closeByRule(p.lane, r.tally)
		}
	}
}

// blackholes says whether bytes are thrown away once so many have passed.
func (b *bend) blackholes(passed int64) bool {
	for i := range b.rules {
		if b.rules[i].Kind == system.Blackhole && passed >= b.rules[i].When.After {
			return true
		}
	}
	return false
}

// room returns how many bytes may wait in one direction of a connection. Behind a throttle they are few, so that its sender soon notices.
func (b *bend) room() int {
	room := int64(holdBytes)
	for i := range b.rules {
		if r := &b.rules[i]; r.Kind == system.Throttle {
			room = min(room, max(2*chunkBytes, r.Rate/4))
		}
	}
	return int(room)
}
