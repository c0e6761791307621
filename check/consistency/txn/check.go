package txn

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A Result is what a history says about isolation.
type Result struct {
	Verdict   verdict.Verdict
	Reason    string    // one sentence
	Anomalies []Anomaly // those that rule out models, the worst first; of each name a few
	Count     map[string]int
	// The weakest models that are ruled out, the others that are, and the strongest that may hold. Models that ask for the order
	// of processes or of time are among them only if the model asked about does.
	Not, AlsoNot, May []Model
	// Order is a serial order of the transactions that took effect, which keeps all that was asked about and in which each read
	// returns what it returned. It is nil where none was found, and where the model needs none.
	Order []int32
	// Snapshots is, of a history without Order, an order of starts (2t for transaction t) and commits (2t+1): each transaction reads
	// what was committed at its start, and of two that write one key the first commits before the other starts. It is nil where none
	// was found, and where the model needs none.
	Snapshots []int32
}

// An Anomaly is something that an isolation model forbids, with what proves it.
type Anomaly struct {
	Name  string
	Text  string // one sentence
	Txns  []int  // that take part, from 0 in order of call
	Key   history.Value
	Value history.Value
	Cycle []Step // of a cycle; the last step leads to the first one's From
}

// A Step is an edge of a cycle: From comes before To.
type Step struct {
	From, To int
	Kind     string // "ww", "wr", "rw", "process" or "realtime"
	Key      history.Value
	Value    history.Value // ww, rw: written by To; wr: written by From
	Reason   string        // one sentence
}

// Check decides whether a history may be of a model. Checking StrictSerializable looks for everything.
//
// Pass is proven. Of the serializable models, of repeatable read and of snapshot isolation and consistent view it comes with an
// order of the transactions (Order, or Snapshots for the latter), except where lists alone show the order of all versions. So it is of
// cursor stability and read atomic, which are decided in part: without such an order, and with nothing else that they forbid, they
// are Unknown. The weaker models forbid only what the history shows. Unknown means that there is nothing to judge (no read, or values that are not unique),
// or that nothing rules the model out and no order was found within a number of steps, the same on each machine. A cancelled context
// stops it, and it is Unknown then.
func Check(ctx context.Context, h *History, model Model) Result {
	res, _ := checkWithin(ctx, h, model, orderSteps)
	return res
}

// checkWithin is Check with that many steps at most for each search that may end undecided. It says how many steps it took.
func checkWithin(ctx context.Context, h *History, model Model, most int) (Result, int) {
	if reason := unfit(h); reason != "" {
		return Result{Verdict: verdict.Unknown, Reason: reason}, len(h.op)
	}
	if !slices.Contains(Models(), model) {
		return Result{Verdict: verdict.Unknown, Reason: fmt.Sprintf("no isolation model is called %q", model)}, 1
	}
	c := &checking{ctx: ctx, h: h, model: model, want: model.need(), r: newReporter(h), most: most, steps: h.size()}
	c.infer()
	c.cycles()
	c.serial()
	c.judge()
	c.snapshots()
	if ctx.Err() != nil {
		return Result{Verdict: verdict.Unknown, Reason: fmt.Sprintf("stopped before %s was decided: %v", model, context.Cause(ctx))}, c.steps
	}
	c.res.Count, c.res.Anomalies = c.r.count, c.r.sorted()
	c.res.conclude(model, h)
	return c.res, c.steps
}

// A checking is one history held against one model.
type checking struct {
	ctx     context.Context
	h       *History
	model   Model
	want    level
	r       *reporter
	g       *graph
	comps   *sccs
	live    []bool   // which transactions took effect
	touches *touches // of those; nil until they are asked for
	most    int      // steps for each search that may end undecided
	steps   int      // taken
	res     Result
}

func (c *checking) stopped() bool { return c.ctx.Err() != nil }

// infer makes the graph of the transactions. Of registers more is inferred where a serial order is not found at once.
func (c *checking) infer() {
	if c.h.typ == ListAppend {
		l := newLists(c.h)
		l.direct(c.r)
		c.g, c.live = l.graph(c.want), l.live
		c.comps = c.g.components(c.want.upTo(onSerial))
		if c.clean() {
			if order := serialOrder(c.h, c.comps, c.live); c.h.proves(order) {
				c.res.Order = order
			}
		}
		return
	}
	g := newRegisters(c.h, c.want)
	g.direct(c.r)
	c.g, c.live, c.touches, c.comps = g.graph(c.want), g.live, g.touches, &sccs{}
	if s := c.scheduler(c.g, false); c.clean() {
		if s.reset(); s.greedy(false) {
			c.res.Order = s.order
			return
		}
	}
	c.comps = c.g.components(c.want.upTo(onSerial))
	if c.clean() {
		if order := serialOrder(c.h, c.comps, c.live); c.h.proves(order) {
			c.res.Order = order
			return
		}
	}
	if len(c.comps.big) > 0 {
		g.cyclicVersions(c.r)
	}
	defer func() { c.r.later = g.later }()
	more, took := g.saturate(c.want, min(saturateSteps, 5*c.most), c.stopped)
	c.steps += took
	if more {
		c.g = g.graph(c.want)
		c.comps = c.g.components(c.want.upTo(onSerial))
	}
}

// clean says whether nothing was found so far that speaks against a serial order.
func (c *checking) clean() bool { return len(c.comps.big)+len(c.r.found) == 0 }

// scheduler returns one that looks for an order of the transactions that keeps the edges of a graph.
func (c *checking) scheduler(g *graph, split bool) *scheduler {
	if c.touches == nil {
		c.touches = c.h.touches(c.live)
	}
	return newScheduler(c.ctx, c.h, g, c.live, c.touches, split, c.most)
}

func (c *checking) cycles() {
	if len(c.comps.big) > 0 {
		sub, ids := c.g.within(c.comps)
		cycles, took := searchCycles(sub, c.want, min(shortenSteps, 2*c.most), c.stopped)
		c.steps += took
		c.r.addCycles(cycles, ids)
	}
}

// search looks for an order that keeps the edges of a graph.
func (c *checking) search(g *graph, split bool) ([]int32, ending) {
	s := c.scheduler(g, split)
	end := s.search()
	c.steps += c.h.size() + c.most - s.steps
	return s.order, end
}

// graph returns the graph of dependencies that needs no further inference.
func (h *History) graph(l level) *graph {
	if h.typ == Register {
		return newRegisters(h, l).graph(l)
	}
	return newLists(h).graph(l)
}

// serial looks for a serial order where nothing speaks against one.
func (c *checking) serial() {
	if c.res.Order != nil || !c.clean() {
		return
	}
	switch order, end := c.search(c.g, false); end {
	case found:
		if c.h.proves(order) {
			c.res.Order = order
		}
	case none:
		l := c.lowest(false)
		c.r.addNone("no-serial-order"+levelNames[l], c.core(l, false))
	}
}

// lowest returns the least level at which there is no order.
func (c *checking) lowest(split bool) level {
	for l := byData; l < c.want; l++ {
		if _, end := c.search(c.h.graph(l), split); end == none {
			return l
		}
	}
	return c.want
}

func (c *checking) judge() {
	c.res.Not, c.res.AlsoNot = judge(slices.Sorted(maps.Keys(c.r.found)))
	tooStrong := func(m Model) bool { return m.need() > c.want }
	c.res.Not, c.res.AlsoNot = slices.DeleteFunc(c.res.Not, tooStrong), slices.DeleteFunc(c.res.AlsoNot, tooStrong)
	c.res.May = strongest(slices.Concat(c.res.Not, c.res.AlsoNot), c.want)
}

// snapshots looks for an order of starts and commits, for the models that one proves and that nothing rules out.
func (c *checking) snapshots() {
	if c.res.Order != nil || c.res.rulesOut(c.model) || c.model.proof() != bySnapshots {
		return
	}
	switch order, end := c.search(c.g.without(serialWW|serialRW), true); end {
	case found:
		c.res.Snapshots = order
	case none:
		if c.model.inPart() {
			return // it is no snapshot isolation, which is more
		}
		l := c.lowest(true)
		c.r.addNone("no-snapshot-order"+levelNames[l], c.core(l, true))
		c.judge()
	}
}

// unfit says why a history cannot be judged.
func unfit(h *History) string {
	if len(h.again) > 0 {
		i := h.again[0]
		return fmt.Sprintf("value %v is written to key %v more than once, so who wrote what was read is not known: write unique values",
			h.elem(h.arg[i]), h.names.value(h.keyName[h.key[i]]))
	}
	if e := h.writtenNull(); e >= 0 {
		return fmt.Sprintf("null is written to key %v, and a read of it looks like one of a key that was never written: write unique values",
			h.names.value(h.keyName[h.elemKey[e]]))
	}
	for t, outcome := range h.outcome {
		for i := h.first[t]; outcome == history.OK && i < h.first[t+1]; i++ {
			if h.op[i] == opRead {
				return ""
			}
		}
	}
	return "no transaction that is ok reads anything, so there is nothing to judge"
}

// strongest returns the models up to an order that are not ruled out and that no other such model implies.
func strongest(out []Model, want level) (may []Model) {
	implied := weaker()
	open := func(m Model) bool { return m.need() <= want && !slices.Contains(out, m) }
	for _, m := range Models() {
		stronger := func(s Model) bool { return s != m && open(s) && slices.Contains(implied[s], m) }
		if open(m) && !slices.ContainsFunc(Models(), stronger) {
			may = append(may, m)
		}
	}
	return may
}

func (res *Result) rulesOut(model Model) bool {
	return slices.Contains(res.Not, model) || slices.Contains(res.AlsoNot, model)
}

func (res *Result) conclude(model Model, h *History) {
	if res.rulesOut(model) {
		res.Verdict = verdict.Fail
		a := res.worst(model)
		res.Reason = fmt.Sprintf("not %s: %s: %s", model, a.Name, a.Text)
		return
	}
	res.Verdict = verdict.Pass
	switch {
	case res.Order != nil:
		res.Reason = fmt.Sprintf("a serial order of %d transactions explains every read, as %s asks", len(res.Order), model)
	case res.Snapshots != nil:
		res.Reason = fmt.Sprintf("an order of the starts and commits of %d transactions explains every read, as %s asks", len(res.Snapshots)/2, model)
	case model.proof() == byNothing, model.proof() == byOrder && h.typ == ListAppend && len(res.Anomalies) > 0:
		res.Reason = fmt.Sprintf("nothing of what %s forbids is there", model)
	case model.inPart():
		res.Verdict = verdict.Unknown
		res.Reason = fmt.Sprintf("nothing was found that rules out %s, but it forbids some cycles with anti-dependencies and allows others, "+
			"and no order of the %d transactions was found that has none: undecided", model, h.Len())
	default:
		res.Verdict = verdict.Unknown
		res.Reason = fmt.Sprintf("nothing was found that rules out %s, and no order of the %d transactions that proves it, within %d steps: undecided",
			model, h.Len(), orderSteps)
	}
}

// forbidden returns the anomalies that a model forbids, itself or by what it implies.
func forbidden(model Model) map[string]bool {
	all := map[string]bool{}
	implied := weaker()[model]
	for _, row := range modelTable() {
		if slices.Contains(implied, row.model) {
			for _, name := range strings.Fields(row.forbids) {
				all[name] = true
			}
		}
	}
	return all
}

// serialOrder returns the transactions that took effect in topological order.
func serialOrder(h *History, comps *sccs, live []bool) []int32 {
	order := make([]int32, 0, h.Len())
	for i := len(comps.order) - 1; i >= 0; i-- {
		if v := comps.order[i]; int(v) < h.Len() && live[v] {
			order = append(order, v)
		}
	}
	return order
}

// addCycles reports cycles, with their transactions by their numbers in the history.
func (r *reporter) addCycles(found map[string]cycle, ids []int32) {
	for name, c := range found {
		a := Anomaly{Name: name}
		least := 0
		for i, st := range c.steps {
			if st.from < c.steps[least].from {
				least = i
			}
		}
		for i := range c.steps {
			st := c.steps[(least+i)%len(c.steps)]
			a.Cycle = append(a.Cycle, r.h.explain(ids[st.from], ids[st.to], st.kind, r.later))
			a.Txns = append(a.Txns, int(ids[st.from]))
		}
		a.Text = tellCycle(a.Cycle)
		r.found[name] = append(r.found[name], a)
		r.count[name]++
	}
}

// sorted returns what was found, the anomalies first that rule out the weakest models.
func (r *reporter) sorted() []Anomaly {
	rank := map[string]int{}
	for i, row := range modelTable() {
		for _, name := range strings.Fields(row.forbids) {
			if _, ok := rank[name]; !ok {
				rank[name] = i
			}
		}
	}
	names := slices.Sorted(maps.Keys(r.found))
	slices.SortStableFunc(names, func(a, b string) int { return rank[a] - rank[b] })
	var all []Anomaly
	for _, name := range names {
		all = append(all, r.found[name]...)
	}
	return all
}
