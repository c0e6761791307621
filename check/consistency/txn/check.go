package txn

import (
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
// Pass means that the history shows nothing which the model forbids, and for the serializable models that Order proves it. Unknown
// means that nothing could be concluded: no read to judge, or values that are not unique.
func Check(h *History, model Model) Result {
	if reason := unfit(h); reason != "" {
		return Result{Verdict: verdict.Unknown, Reason: reason}
	}
	if !slices.Contains(Models(), model) {
		return Result{Verdict: verdict.Unknown, Reason: fmt.Sprintf("no isolation model is called %q", model)}
	}
	r := newReporter(h)
	want := model.need()
	g, live := infer(h, r, want)
	comps := g.components(want.upTo(true))
	res := Result{Count: r.count}
	if len(comps.big) > 0 {
		sub, ids := g.within(comps)
		r.addCycles(searchCycles(sub, want), ids)
	} else {
		res.Order = serialOrder(h, comps, live)
		if h.typ == Register && !h.proves(res.Order) {
			res.Order = nil
		}
	}
	names := slices.Sorted(maps.Keys(r.found))
	res.Not, res.AlsoNot = judge(names)
	tooStrong := func(m Model) bool { return m.need() > want }
	res.Not, res.AlsoNot = slices.DeleteFunc(res.Not, tooStrong), slices.DeleteFunc(res.AlsoNot, tooStrong)
	res.May = strongest(slices.Concat(res.Not, res.AlsoNot), want)
	res.Anomalies = r.sorted()
	res.conclude(model)
	return res
}

// infer returns the graph of a history's transactions, and which of them took effect.
func infer(h *History, r *reporter, want level) (*graph, []bool) {
	if h.typ == Register {
		g := newRegisters(h, want)
		g.direct(r)
		return g.graph(want), g.live
	}
	l := newLists(h)
	l.direct(r)
	return l.graph(want), l.live
}

// unfit says why a history cannot be judged.
func unfit(h *History) string {
	if len(h.again) > 0 {
		i := h.again[0]
		return fmt.Sprintf("value %v is written to key %v more than once, so who wrote what was read is not known: write unique values",
			h.elem(h.arg[i]), h.names.value(h.keyName[h.key[i]]))
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

func (res *Result) conclude(model Model) {
	ruledOut := slices.Contains(res.Not, model) || slices.Contains(res.AlsoNot, model)
	if !ruledOut {
		res.Verdict, res.Reason = verdict.Pass, fmt.Sprintf("nothing rules out %s", model)
		if res.Order != nil {
			res.Reason = fmt.Sprintf("a serial order of %d transactions explains every read, as %s asks", len(res.Order), model)
		}
		return
	}
	res.Verdict = verdict.Fail
	a := res.worst(model)
	res.Reason = fmt.Sprintf("not %s: %s: %s", model, a.Name, a.Text)
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
			a.Cycle = append(a.Cycle, r.h.explain(ids[st.from], ids[st.to], st.kind))
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
