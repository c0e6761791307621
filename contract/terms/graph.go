package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A graph is who calls whom. An event is a call of each receiver by each sender of its channel.
type graph struct {
	nodes []*node // by name
	named map[string]*node
}

type node struct {
	Operation
	name    string // with its service
	service string
	calls   []*edge
	callers []*edge
	feeds   []*edge // receivers of its events
	looped  bool    // on a cycle, or reached from one

	// Computed once, when asked for.
	spreaded *spread
	slowed   *slowed
	busy     *busy
	demanded *float64
}

// An edge is a call; of an event, call is nil.
type edge struct {
	call     *Call
	from, to *node // to nil: nothing is declared of it
	stage    int
}

func newGraph(systems []Terms) *graph {
	g := &graph{named: map[string]*node{}}
	for _, t := range systems {
		for _, o := range t.Operations {
			n := &node{Operation: o, name: t.Service + " " + o.Name, service: t.Service}
			g.nodes = append(g.nodes, n)
			g.named[n.name] = n
		}
	}
	slices.SortStableFunc(g.nodes, func(a, b *node) int { return strings.Compare(a.name, b.name) })
	for _, n := range g.nodes {
		for i, stage := range n.Stages {
			for k := range stage {
				g.link(&edge{call: &stage[k], from: n, to: g.named[stage[k].Target()], stage: i})
			}
		}
	}
	return g.subscribed()
}

func (g *graph) link(e *edge) {
	e.from.calls = append(e.from.calls, e)
	if e.to != nil {
		e.to.callers = append(e.to.callers, e)
	}
}

// subscribed links senders of events to their receivers. It is no call that anyone waits for, so it stands apart from those.
func (g *graph) subscribed() *graph {
	senders := map[string][]*node{}
	for _, n := range g.nodes {
		if action, channel := n.channel(); action == "send" {
			senders[channel] = append(senders[channel], n)
		}
	}
	for _, n := range g.nodes {
		if action, channel := n.channel(); action == "receive" {
			for _, s := range senders[channel] {
				e := &edge{from: s, to: n}
				n.callers, s.feeds = append(n.callers, e), append(s.feeds, e)
			}
		}
	}
	return g
}

func (n *node) channelAction() string { action, _ := n.channel(); return action }

// attempts returns how often an edge calls at most; 0 is without limit, and false not declared.
func (e *edge) attempts() (int, bool) {
	if e.call != nil {
		return e.call.Attempts(), true
	}
	d := e.delivery()
	switch {
	case d == nil:
		return 0, false
	case d.Redeliveries != nil:
		return 1 + *d.Redeliveries, true
	}
	return 1, d.Guarantee != "at-least-once"
}

// delivery returns how an event is delivered: as the receiver's subscription has it, or else as the sender promises.
func (e *edge) delivery() *Delivery {
	from, to := e.from.Delivery, e.to.Delivery
	if from == nil || to == nil {
		if to == nil {
			return from
		}
		return to
	}
	d := *from
	if to.Redeliveries != nil {
		d.Redeliveries = to.Redeliveries
	}
	if to.RedeliverAfter > 0 {
		d.RedeliverAfter = to.RedeliverAfter
	}
	return &d
}

// cycles returns the cycles that are met from nodes in the order of their names, and marks what they reach: that is called without limit.
// Of very many cycles it returns some.
func (g *graph) cycles() (found [][]*node) {
	const most = 100
	var heads []*node
	state := map[*node]int{} // 1: on the way, 2: done
	var way []*node
	var visit func(n *node)
	visit = func(n *node) {
		state[n] = 1
		way = append(way, n)
		for _, next := range n.next() {
			if state[next] == 1 {
				if heads = append(heads, next); len(found) < most {
					found = append(found, slices.Clone(way[slices.Index(way, next):]))
				}
			} else if state[next] == 0 {
				visit(next)
			}
		}
		way = way[:len(way)-1]
		state[n] = 2
	}
	for _, n := range g.nodes {
		if state[n] == 0 {
			visit(n)
		}
	}
	for _, head := range heads {
		head.loop()
	}
	return found
}

func (n *node) loop() {
	if !n.looped {
		n.looped = true
		for _, next := range n.next() {
			next.loop()
		}
	}
}

// next returns the callees and receivers that are declared.
func (n *node) next() (all []*node) {
	for _, e := range slices.Concat(n.calls, n.feeds) {
		if e.to != nil {
			all = append(all, e.to)
		}
	}
	return all
}

// worst returns how long the operation takes at most, how that comes about, and whether a call has no bound.
func (n *node) worst() (total time.Duration, sum string, unbounded bool) {
	if n.slowed == nil {
		total, sum, unbounded := n.added()
		n.slowed = &slowed{total, sum, unbounded}
	}
	return n.slowed.total, n.slowed.sum, n.slowed.unbounded
}

type slowed struct {
	total     time.Duration
	sum       string
	unbounded bool
}

func (n *node) added() (total time.Duration, sum string, unbounded bool) {
	total, unbounded = n.until(len(n.Stages))
	var parts []string
	if n.Work > 0 {
		parts = append(parts, "work "+short(n.Work))
	}
	stages := make([][]string, len(n.Stages))
	for _, e := range n.calls {
		stages[e.stage] = append(stages[e.stage], e.sum())
	}
	for _, texts := range stages {
		if len(texts) > 1 {
			texts = []string{"the longest of (" + strings.Join(texts, ", ") + ")"}
		}
		parts = append(parts, texts...)
	}
	return total, strings.Join(parts, " + "), unbounded
}

// until returns how long it takes at most until a stage begins, and whether a call before it has no bound.
func (n *node) until(stage int) (total time.Duration, unbounded bool) {
	slowest := make([]time.Duration, len(n.Stages))
	for _, e := range n.calls {
		if e.stage < stage {
			d, ok := e.worst()
			unbounded = unbounded || !ok
			slowest[e.stage] = max(slowest[e.stage], d)
		}
	}
	total = n.Work
	for _, d := range slowest {
		total = plus(total, d)
	}
	return total, unbounded
}

// wait returns the longest wait before the retry n.
func (e *edge) wait(n int) time.Duration {
	wait := e.call.Retry.Backoff.Most(n)
	if e.to != nil && isTrue(e.call.Retry.RetryAfter) {
		wait = max(wait, e.to.RetryAfter)
	}
	return wait
}

// worst returns how long the call takes at most with all its attempts, and whether that has a bound.
func (e *edge) worst() (time.Duration, bool) {
	a, timeout := e.call.Attempts(), e.call.Timeout
	if a == 0 || timeout == 0 {
		return timeout, false
	}
	return plus(e.lastAttempt(), timeout), true
}

// lastAttempt returns the longest from the first attempt's begin to the last one's.
func (e *edge) lastAttempt() time.Duration {
	a := e.call.Attempts()
	total := times(max(a-1, 0), e.call.Timeout)
	for n := 1; n < a; n++ {
		total = plus(total, e.wait(n))
	}
	return total
}

// sum says how long the call takes, such as "orders 3 × (800ms) + waits 100ms, 200ms".
func (e *edge) sum() string {
	a := e.call.Attempts()
	switch {
	case a == 1:
		return e.call.Service + " " + short(e.call.Timeout)
	case a == 0:
		return e.call.Service + " without limit × " + short(e.call.Timeout)
	}
	var waits []string
	for n := 1; n < a; n++ {
		if n == 6 && a > 7 {
			waits = append(waits, "…", short(e.wait(a-1)))
			break
		}
		waits = append(waits, short(e.wait(n)))
	}
	return fmt.Sprintf("%s %d × (%s + backoff %s)", e.call.Service, a, short(e.call.Timeout), strings.Join(waits, ", "))
}

// spread returns the longest between the first and the last time that the callee gets a call with the same key, and whether terms say it.
func (e *edge) spread() (time.Duration, bool) {
	if e.call.Key != "forward" {
		return e.lastAttempt(), true
	}
	before, ok := e.from.spread()
	into, unbounded := e.from.until(e.stage)
	if before == 0 {
		into = 0 // it runs once, and whatever it does before the first attempt it does before the last, too
	}
	return plus(plus(before, into), e.lastAttempt()), ok && !unbounded
}

// spread returns the longest between the first and the last call of the operation with the same key.
func (n *node) spread() (longest time.Duration, ok bool) {
	if n.looped {
		return 0, false
	}
	if n.spreaded != nil {
		return n.spreaded.longest, n.spreaded.ok
	}
	ok = true
	for _, e := range n.callers {
		var d time.Duration
		known := false
		if e.call != nil {
			d, known = e.spread()
			known = known && e.call.Timeout > 0 && e.call.Attempts() > 0
		} else if span, declared := e.span(); declared {
			d, known = span, true
		}
		longest, ok = max(longest, d), ok && known
	}
	if len(n.callers) == 0 {
		ok = n.Retry != nil && n.Retry.Attempts > 0 && n.Deadline > 0
		if ok {
			longest = retryTime(*n.Retry, n.Deadline, n.RetryAfter) - n.Deadline
		}
	}
	n.spreaded = &spread{longest, ok}
	return longest, ok
}

type spread struct {
	longest time.Duration
	ok      bool
}

// span returns the longest from the first delivery of an event to the last.
func (e *edge) span() (time.Duration, bool) {
	if d := e.delivery(); d != nil {
		return d.span()
	}
	return 0, false
}
