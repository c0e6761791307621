package link

import (
	"hash/fnv"
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/system"
)

// An effect is what all rules in force on one link amount to. It is never changed, only replaced.
type effect struct {
	cut, refuse bool     // all connections, so that dials need not be accepted
	cuts        []*tally // those of cut
	rules       []ruling
	requests    []*ruling // of requests
}

// A ruling is a rule as it is in force on one link.
type ruling struct {
	system.Rule
	id     string
	key    uint64 // the digest of id: rules beside it must not change what is drawn
	before uint64 // connections of the link before the rule was set
	meter  *meter
	tally  *tally
}

// ofAll says that the rule does not choose among connections.
func (r *ruling) ofAll() bool {
	return r.When.Nth == 0 && r.When.First == 0 && (r.When.P == 0 || r.When.P == 1)
}

// touches says whether the rule is for a connection, by its ordinal on the link. The choice is keyed by link and
// ordinal, so that traffic elsewhere changes nothing.
func (r *ruling) touches(seed uint64, link system.Link, conn uint64) bool {
	since := conn - r.before // of a connection that was there before it is 0 or, having wrapped, huge
	switch {
	case r.When.Nth > 0 && since != r.When.Nth:
		return false
	case r.When.First > 0 && (since == 0 || since > r.When.First):
		return false
	case r.When.P > 0 && r.When.P < 1:
		return r.drawConn(seed, link, conn) < r.When.P
	}
	return true
}

// drawConn returns what is drawn for a connection.
func (r *ruling) drawConn(seed uint64, link system.Link, conn uint64) float64 {
	return unit(mix(mix(mix(seed, r.Seed), hash(link.From, link.To)), conn))
}

// A bend is what the rules of a link do to one direction of one connection. It is never changed, only replaced.
type bend struct {
	cut, refuse bool
	cuts        []*tally
	refuses     []*tally
	rules       []ruling // of bytes, without those two
	texts       []string // the rules, for Exchange.Faults
}

// bend returns what the effect does to a connection.
func (e *effect) bend(seed uint64, link system.Link, conn uint64) *bend {
	b := &bend{}
	for i := range e.rules {
		r := &e.rules[i]
		if r.OfRequests() || !r.touches(seed, link, conn) {
			continue
		}
		b.texts = append(b.texts, r.Text)
		switch r.Kind {
		case system.Cut:
			b.cut, b.cuts = true, append(b.cuts, r.tally)
		case system.Refuse:
			b.refuse, b.refuses = true, append(b.refuses, r.tally)
		default:
			b.rules = append(b.rules, *r)
		}
	}
	return b
}

// free says that bytes need not wait.
func (b *bend) free() bool { return !b.cut && len(b.rules) == 0 }

// byChunk says that a rule draws for each chunk.
func (b *bend) byChunk() bool {
	return slices.ContainsFunc(b.rules, func(r ruling) bool { return r.Jitter != 0 || r.Kind == system.Drop })
}

func (b *bend) has(kind system.RuleKind) bool {
	return slices.ContainsFunc(b.rules, func(r ruling) bool { return r.Kind == kind })
}

// stay returns how long a chunk, or the end of the stream, stays: the sum of all delays, each with its own draw, and of what losses cost. The
// draws are keyed by link, connection and chunk, so that traffic elsewhere changes nothing. passed is how many bytes came before it.
func (b *bend) stay(seed uint64, link system.Link, conn uint64, it *item, passed int64) (sum time.Duration, lost int) {
	for i := range b.rules {
		r := &b.rules[i]
		if passed < r.When.After {
			continue
		}
		draw := b.draws(i, seed, link, conn, it)
		switch {
		case r.Kind == system.Delay:
			sum += r.drawDelay(draw)
		case r.Kind == system.SlowClose && it.end == endOfData:
			sum += r.drawDelay(draw)
		case r.Kind == system.Drop && it.end == notEnd:
			late, n := r.drawLosses(draw)
			sum += late
			lost += n
		}
	}
	return max(sum, 0), lost
}

// draws returns what is drawn for an item by the i-th rule.
func (b *bend) draws(i int, seed uint64, link system.Link, conn uint64, it *item) func(n uint64) uint64 {
	return func(n uint64) uint64 {
		return mix(mix(mix(mix(seed, b.rules[i].Seed), hash(link.From, link.To)), conn), it.n+b.rules[i].key<<52+n<<48)
	}
}

// drawLosses returns how often in a row an item is lost, and how late it is for that: TCP sends again after its shortest
// timeout, which doubles (RFC 6298, with Linux's minimum).
func (r *ruling) drawLosses(draw func(n uint64) uint64) (late time.Duration, lost int) {
	for timeout := 200 * time.Millisecond; lost < maxLosses && unit(draw(uint64(lost))) < r.Loss; timeout *= 2 {
		late += timeout
		lost++
	}
	return late, lost
}

// maxLosses is how often in a row a chunk is lost at most: a connection that loses more would be given up.
const maxLosses = 6

func (r *ruling) drawDelay(draw func(n uint64) uint64) time.Duration {
	if r.Jitter == 0 {
		return r.Delay
	}
	spread := float64(r.Jitter)
	switch r.Dist {
	case system.Normal: // Box and Muller
		spread *= math.Sqrt(-2*math.Log(1-unit(draw(0)))) * math.Cos(2*math.Pi*unit(draw(1)))
	case system.Pareto: // shifted to begin at 0 (Lomax): with shape 3 and scale 2 its mean is 1
		spread *= 2 * (math.Pow(1-unit(draw(0)), -1.0/3) - 1)
	default:
		spread *= 2*unit(draw(0)) - 1
	}
	return max(r.Delay+time.Duration(spread), 0)
}

// unit makes of a draw a number in [0, 1).
func unit(draw uint64) float64 { return float64(draw>>11) / (1 << 53) }

// mix is the finalizer of splitmix64 over a combination of both.
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func hash(from, to string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(from))
	h.Write([]byte{0})
	h.Write([]byte(to))
	return h.Sum64()
}
