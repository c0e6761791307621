package link

import (
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/assay-dev/assay/system"
)

// maxKeys is how many keys a rule, or the count of attempts, tells apart. What comes after is hit by no rule that counts by key.
const maxKeys = 1 << 16

// A request is what rules of requests see of it: its head.
type request struct {
	method, target string
	fields         []hpack.HeaderField
	ordinal        uint64 // in its connection, from 1
	stream         uint64 // of its connection, as Exchange.Request
	before         int64  // bytes of the connection before it
	attempt        int    // see history.NumberAttempts; 0: not counted
	at             time.Duration
	flight         *flight // its exchange, nil: nobody reads along
	hit            bool    // a rule had its effect on it
}

// value returns a header's first value.
func (r *request) value(name string) (string, bool) {
	for _, f := range r.fields {
		if strings.EqualFold(f.Name, name) || f.Name == ":authority" && strings.EqualFold(name, "host") {
			return f.Value, true
		}
	}
	return "", false
}

// isGRPC says whether the caller speaks gRPC.
func (r *request) isGRPC() bool {
	kind, _ := r.value("content-type")
	return strings.HasPrefix(kind, "application/grpc")
}

// path is the target without its query.
func (r *request) path() string {
	path, _, _ := strings.Cut(r.target, "?")
	return path
}

// fits says whether the request is one that m means.
func (r *request) fits(m *system.Match) bool {
	if m == nil {
		return true
	}
	if m.Method != "" && !strings.EqualFold(m.Method, r.method) || m.Path != "" && !glob(m.Path, r.path()) {
		return false
	}
	if m.Header != "" {
		value, has := r.value(m.Header)
		if !has || m.Value != "" && !glob(m.Value, value) {
			return false
		}
	}
	return m.Attempt == 0 || r.attempt == m.Attempt
}

// glob says whether s is the pattern, in which a * stands for any text.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// key names the request for draws, wherever and whenever it arrives: by method, path and the header that the rule counts by, the
// idempotency key or the trace. All that have none of these, and the same method and path, have one key: of them, the n-th on the link is
// drawn for, whichever connection it comes by, as ordinals of connections depend on who dials first.
func (r *request) key(m *system.Match) uint64 {
	h := fnv.New64a()
	write := func(s string) {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	write(r.method)
	write(r.path())
	names := []string{"idempotency-key", "traceparent"}
	if m != nil && m.Key != "" {
		names = append([]string{m.Key}, names...)
	}
	for _, name := range names {
		if value, has := r.value(name); has {
			if name == "traceparent" && len(value) >= 35 {
				value = value[3:35] // the trace: spans get new numbers in each run
			}
			write(strings.ToLower(name))
			write(value)
			return h.Sum64()
		}
	}
	return h.Sum64()
}

// A tally counts what one rule has seen on one link since it was set.
type tally struct {
	id      string       // the rule's
	hits    atomic.Int64 // see system.RuleStats
	cleared atomic.Bool  // the rule was

	mu      sync.Mutex
	matched uint64            // requests
	keys    map[string]uint64 // matched, by what Match.Key says
	draws   map[uint64]uint64 // draws so far, by the request's key: a retry is drawn for itself
}

// hit counts that the rule did something. Nil counts nothing.
func (t *tally) hit() {
	if t != nil {
		t.hits.Add(1)
	}
}

func hitAll(tallies []*tally) {
	for _, t := range tallies {
		t.hit()
	}
}

func (t *tally) stats() system.RuleStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return system.RuleStats{ID: t.id, Matched: int64(t.matched), Hit: t.hits.Load()}
}

// count adds a request that matches, and returns the how manieth it is of those that are counted together. 0: of none.
func (t *tally) count(r *request, m *system.Match) uint64 {
	t.matched++
	if m == nil || m.Key == "" {
		return t.matched
	}
	value, has := r.value(m.Key)
	if !has {
		return 0
	}
	if t.keys == nil {
		t.keys = map[string]uint64{}
	}
	if _, known := t.keys[value]; !known && len(t.keys) >= maxKeys {
		return 0
	}
	t.keys[value]++
	return t.keys[value]
}

// again returns how many draws there were for the key before.
func (t *tally) again(key uint64) uint64 {
	if t.draws == nil {
		t.draws = map[uint64]uint64{}
	}
	n, known := t.draws[key]
	if known || len(t.draws) < maxKeys {
		t.draws[key] = n + 1
	}
	return n
}

// A choice is one rule for a request that it hits, with what was drawn for it.
type choice struct {
	*ruling
	delay time.Duration
	nth   uint64
	drawn bool
	draw  float64
	key   uint64
	again uint64
}

// choose says whether the rule hits the request.
func (r *ruling) choose(seed uint64, link system.Link, q *request) (choice, bool) {
	t := r.tally
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.count(q, r.Match)
	c := choice{ruling: r, nth: n}
	if r.When.Nth > 0 && n != r.When.Nth || r.When.First > 0 && (n == 0 || n > r.When.First) {
		return c, false
	}
	if r.Match != nil && r.Match.Key != "" && n == 0 {
		return c, false
	}
	drawn := r.When.P > 0 && r.When.P < 1
	if !drawn && r.Jitter == 0 {
		c.delay = r.Delay
		return c, true
	}
	c.drawn, c.key = drawn, q.key(r.Match)
	c.again = t.again(c.key)
	base := mix(mix(mix(mix(seed, r.Seed), hash(link.From, link.To)), c.key), c.again)
	c.draw = unit(base)
	if drawn && c.draw >= r.When.P {
		return c, false
	}
	c.delay = r.drawDelay(func(n uint64) uint64 { return mix(base, n+1) })
	return c, true
}

// A plan is what happens to one request.
type plan struct {
	request
	delay    time.Duration
	delays   []*ruling
	abort    *ruling
	body     *ruling
	truncate *ruling
	headers  []*ruling
}

// touchesResponse says that the response passes through the editor's hands.
func (p *plan) touchesResponse() bool {
	return p != nil && (p.body != nil || p.truncate != nil || len(p.headers) > 0)
}

// waits says whether a rule that delays the request is still set.
func (p *plan) waits() bool {
	return slices.ContainsFunc(p.delays, func(r *ruling) bool { return !r.tally.cleared.Load() })
}

func (p *plan) add(c choice) {
	switch c.Kind {
	case system.Delay:
		p.delay += c.delay
		p.delays = append(p.delays, c.ruling)
	case system.Abort:
		p.abort = first(p.abort, c.ruling)
	case system.Body:
		p.body = first(p.body, c.ruling)
	case system.Truncate:
		if p.truncate == nil || c.Bytes < p.truncate.Bytes {
			p.truncate = c.ruling
		}
	case system.Header:
		p.headers = append(p.headers, c.ruling)
	}
}

func first(a, b *ruling) *ruling {
	if a != nil {
		return a
	}
	return b
}

// A bench judges the requests of one connection.
type bench struct {
	seed  uint64
	link  system.Link
	rules func() []*ruling // of requests, in force now
	done  func(*request, *ruling)
	count func(requests, matched int64)
	note  func(q *request, c choice, hit bool) // nil: nobody wants to know
}

// judge asks all rules. It returns nil where none hits.
func (b *bench) judge(q request) *plan {
	rules := b.rules()
	if len(rules) == 0 {
		return nil
	}
	var p *plan
	matched := int64(0)
	for _, r := range rules {
		if q.before < r.When.After || !q.fits(r.Match) {
			continue
		}
		matched++
		c, hit := r.choose(b.seed, b.link, &q)
		if b.note != nil {
			b.note(&q, c, hit)
		}
		if !hit {
			continue
		}
		if p == nil {
			p = &plan{request: q}
		}
		p.add(c)
	}
	b.count(1, matched)
	return p
}

// did notes that rules had their effect on a request.
func (b *bench) did(q *request, rules ...*ruling) {
	for _, r := range rules {
		b.done(q, r)
	}
}
