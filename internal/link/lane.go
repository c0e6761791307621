package link

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/system"
)

// A lane is the state of one link: the effect of its rules, its counters and the
// pumps that move its bytes.
type lane struct {
	link   system.Link
	effect atomic.Pointer[effect]   // never nil
	set    atomic.Pointer[[]*tally] // of the rules that are set, in force or not; nil: none was yet
	proven atomic.Bool              // the refuse that is set had an effect
	conns  atomic.Uint64            // connections ever, either dialled

	used                                    atomic.Bool
	bytesIn, bytesOut                       atomic.Int64
	dials, stalled, refused, resets, living atomic.Int64
	ends, endWait                           atomic.Int64 // ns
	bent, lost, discarded, slices, closed   atomic.Int64
	throttled                               atomic.Int64 // ns
	sealed, unopened                        atomic.Int64
	requests, matched, hit, unedited        atomic.Int64
	residence                               [system.ResidenceBuckets]atomic.Int64

	mu    sync.Mutex
	pumps map[*pump]struct{}
}

func newLane(link system.Link) *lane {
	l := &lane{link: link, pumps: map[*pump]struct{}{}}
	l.effect.Store(&effect{})
	return l
}

// join adds a pump, gives it the ordinal, from 1, of its connection on the lane, and the effect that there is.
func (l *lane) join(p *pump) {
	l.used.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pumps[p] = struct{}{}
	p.ordinal = l.conns.Add(1)
	p.bend.Store(l.effect.Load().bend(p.conn.mesh.opts.Seed, l.link, p.ordinal))
	l.note(p)
}

// idle says that no connection uses the lane.
func (l *lane) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pumps) == 0
}

// bendAll brings the effect to all pumps, and returns them.
func (l *lane) bendAll(seed uint64) []*pump {
	l.mu.Lock()
	defer l.mu.Unlock()
	pumps := make([]*pump, 0, len(l.pumps))
	for p := range l.pumps {
		p.bend.Store(l.effect.Load().bend(seed, l.link, p.ordinal))
		l.note(p)
		pumps = append(pumps, p)
	}
	return pumps
}

func (l *lane) leave(p *pump) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pumps, p)
}

// stallDial counts a dial that cuts left unanswered: for the dialler's direction, and where
// it is the answer that is cut, for that direction as well.
func stallDial(there, back *lane, cutsThere, cutsBack []*tally) {
	there.stalled.Add(1)
	if len(cutsBack) > 0 {
		back.used.Store(true)
		back.stalled.Add(1)
	}
	hitAll(cutsThere)
	hitAll(cutsBack)
}

// dialled, refuse and reset count what happened to dials and connections.
func (l *lane) dialled(n int64) { l.used.Store(true); l.dials.Add(n) }
func (l *lane) refuse()         { l.proven.Store(true); l.refused.Add(1) }
func (l *lane) reset()          { l.proven.Store(true); l.resets.Add(1) }

func (l *lane) wrote(n int, stayed time.Duration) {
	l.bytesOut.Add(int64(n))
	l.residence[bucket(stayed)].Add(1)
}

// bucket i holds [2^i, 2^(i+1)) microseconds, bucket 0 also all below.
func bucket(d time.Duration) int {
	us := max(d.Microseconds(), 1)
	return min(bits.Len64(uint64(us))-1, system.ResidenceBuckets-1)
}

func (l *lane) stats() system.LinkStats {
	s := system.LinkStats{
		Link: l.link, BytesIn: l.bytesIn.Load(), BytesOut: l.bytesOut.Load(),
		Dials: l.dials.Load(), Stalled: l.stalled.Load(), Refused: l.refused.Load(),
		Reset: l.resets.Load(), Live: l.living.Load(),
		Ends: l.ends.Load(), EndWait: time.Duration(l.endWait.Load()),
		Bent: l.bent.Load(), Lost: l.lost.Load(), Discarded: l.discarded.Load(), Slices: l.slices.Load(), Closed: l.closed.Load(),
		Throttled: time.Duration(l.throttled.Load()),
		Requests:  l.requests.Load(), Matched: l.matched.Load(), Hit: l.hit.Load(), Unedited: l.unedited.Load(),
		Sealed: l.sealed.Load(), Unopened: l.unopened.Load(),
	}
	if set := l.set.Load(); set != nil {
		for _, t := range *set {
			s.Rules = append(s.Rules, t.stats())
		}
	}
	for i := range l.residence {
		s.Residence[i] = l.residence[i].Load()
	}
	return s
}

// Stats returns the counters of every link that was ever used, sorted by link.
// Dials, Stalled, Refused, Reset and Live are counted on the dialler's direction,
// Reset only where a rule did it, and Stalled also on the direction of the answer
// where that is cut. Behind a filled backlog Stalled and Dials
// count SYNs, of which one dial sends several.
func (m *Mesh) Stats() []system.LinkStats {
	for _, f := range m.openFronts() {
		f.harvest()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []system.LinkStats
	for _, l := range m.lanes {
		if l.used.Load() {
			all = append(all, l.stats())
		}
	}
	slices.SortFunc(all, func(a, b system.LinkStats) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}
