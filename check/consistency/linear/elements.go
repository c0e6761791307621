package linear

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A set is as many sets of one element, which are apart unless somebody reads it as a whole. Then each element by itself must still
// have an order, where a read of the whole says whether the element was there; that all have one does not mean that the set has.

const elementsEngine = "search of each element (Wing and Gong, with Lowe's memory)"

// maxLookups bounds how many elements of how many reads of the whole are looked at.
const maxLookups = 10_000_000

// splitElements decides a part of a set element by element, as it stood at a moment, or says that it cannot.
func splitElements(ctx context.Context, ops []history.Op, part []int32, until time.Duration, budget int64) (outcome, bool) {
	s, ok := newElements(ops, part, until)
	if !ok {
		return outcome{}, false
	}
	all := outcome{verdict: verdict.Pass, engine: elementsEngine}
	found := make([]outcome, len(s.members))
	first := forever // the first return that could not be ordered
	for e := range s.members {
		p := newProblem(s.model(int32(e)), ops, s.members[e], until)
		f := p.search(ctx, budget)
		found[e] = f
		if all.steps += f.steps; f.verdict == verdict.Pass {
			continue
		}
		at := ops[p.index[f.farthest]].Return
		if f.verdict == verdict.Fail && (all.verdict != verdict.Fail || at < first) {
			all.core = s.members[e]
		}
		if f.verdict == verdict.Fail || all.verdict == verdict.Pass {
			all.verdict, all.stopped = f.verdict, f.stopped
		}
		first = min(first, at)
	}
	switch {
	case len(s.reads) > 0 && all.verdict != verdict.Fail:
		return outcome{steps: all.steps}, false
	case len(s.reads) > 0:
		all.core = part
	case all.verdict == verdict.Pass:
		all.order = merge(ops, found)
	}
	for _, i := range part {
		if op := &ops[i]; op.Outcome == history.OK && op.Return < min(first, until) {
			all.farthest++
		}
	}
	return all, true
}

// elementsOf are the operations of a set by element; reads of the whole are those of each.
type elementsOf struct {
	members [][]int32
	reads   []int32
	in      map[*history.Op][]int32 // the elements that a read of the whole saw, sorted
}

func newElements(ops []history.Op, part []int32, until time.Duration) (*elementsOf, bool) {
	s := &elementsOf{in: map[*history.Op][]int32{}}
	var values numbers
	at := func(v history.Value) int32 {
		n, fresh := values.of(v)
		if fresh {
			s.members = append(s.members, nil)
		}
		return n
	}
	lookups := 0
	for _, i := range part {
		op := &ops[i]
		_, end := interval(op, until)
		if op.Name == "read" {
			if end != forever {
				s.reads, lookups = append(s.reads, i), lookups+len(op.Output.Items())
			}
			continue
		}
		e := at(op.Input)
		s.members[e] = append(s.members[e], i)
	}
	if lookups > maxLookups {
		return nil, false
	}
	for _, i := range s.reads {
		for _, v := range ops[i].Output.Items() {
			s.in[&ops[i]] = append(s.in[&ops[i]], at(v))
		}
		slices.Sort(s.in[&ops[i]])
	}
	if len(s.reads)*len(s.members) > maxLookups {
		return nil, false
	}
	for e := range s.members {
		s.members[e] = append(s.members[e], s.reads...)
	}
	return s, true
}

// model is the set of one element.
func (s *elementsOf) model(e int32) Model {
	return Model{
		name:  "set",
		reads: func(op *history.Op) bool { return op.Name == "contains" || op.Name == "read" || refused(op) },
		blind: func(op *history.Op) bool {
			_, known := said(op)
			return !known && op.Name != "contains" && op.Name != "read"
		},
		start: func() machine { return elementMachine{s, e} },
	}
}

// An elementMachine has two states: 0 without the element, and 1 with it. A class says what state it needs, -1 for any, and
// what it leads to, -1 for the same.
type elementMachine struct {
	of *elementsOf
	e  int32
}

// twice is the state that a read needs which saw the element more than once, and there is none.
const twice = 2

func (m elementMachine) class(op *history.Op) int32 {
	yes, known := said(op)
	needs, to := int32(-1), int32(-1)
	switch op.Name {
	case "read":
		seen := m.of.in[op]
		var at int
		at, yes = slices.BinarySearch(seen, m.e)
		known = op.Outcome == history.OK
		if known && yes && at+1 < len(seen) && seen[at+1] == m.e {
			return 3 * (twice + 1) // with to at -1, none of the states
		}
	case "add":
		yes, to = !yes, 1
	case "remove":
		to = 0
	}
	if known {
		needs = 0
		if yes {
			needs = 1
		}
	}
	return 3*(needs+1) + to + 1
}

func (m elementMachine) step(state, class int32) int32 {
	needs, to := class/3-1, class%3-1
	switch {
	case needs >= 0 && needs != state:
		return illegal
	case to < 0:
		return state
	}
	return to
}

// merge makes one order of the parts' orders: each operation takes effect as early as its part allows, within its interval.
func merge(ops []history.Op, found []outcome) []int32 {
	if len(found) == 1 {
		return found[0].order
	}
	total := 0
	for _, f := range found {
		total += len(f.order)
	}
	type moment struct {
		at time.Duration
		n  int
		i  int32
	}
	all := make([]moment, 0, total)
	for _, f := range found {
		now := -forever
		for _, i := range f.order {
			now = max(now, ops[i].Call)
			all = append(all, moment{now, len(all), i})
		}
	}
	slices.SortFunc(all, func(a, b moment) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	order := make([]int32, len(all))
	for n, m := range all {
		order[n] = m.i
	}
	return order
}
