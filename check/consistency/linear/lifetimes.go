package linear

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// lifetimes is the monitor of sets of which each element is added and removed at most once, and which nobody reads as a whole.
//
// Each element is absent, then present, then absent again. It is present from as late as the operations that saw it allow, to as
// early: who did not see it must fit before or after.
func lifetimes() *monitor { return &monitor{"intervals of unique elements", decideElements} }

// A presence is one element's time in the set.
type presence struct {
	add, remove       int32 // -1 if there is none
	maybeAdd          bool
	addCall, addEnd   time.Duration
	remCall, remEnd   time.Duration
	seenEnd, seenCall time.Duration // of the operations that saw it: the first return and the last call
	seen              int32         // one of them, -1 if there is none
	from, to          time.Duration
}

func decideElements(ops []history.Op, part []int32, until time.Duration) (finding, bool) {
	var values numbers
	var all []presence
	of := make([]int32, len(part))
	for n, i := range part {
		op := &ops[i]
		call, end := interval(op, until)
		of[n] = -1
		if call > until {
			continue
		}
		if op.Name == "read" {
			if end == forever {
				continue
			}
			return cannot()
		}
		at, fresh := values.of(op.Input)
		if fresh {
			all = append(all, presence{add: -1, remove: -1, seen: -1, addEnd: forever, remEnd: forever, remCall: forever, seenEnd: forever, seenCall: -forever})
		}
		of[n] = at
		if !all[at].note(op, i, call, end) {
			return cannot()
		}
	}
	for at := range all {
		if !all[at].settle() {
			return finding{verdict: verdict.Fail, core: onElement(part, of, int32(at))}, true
		}
	}
	return placeElements(ops, part, of, all, until)
}

func onElement(part, of []int32, at int32) []int32 {
	var core []int32
	for n, i := range part {
		if of[n] == at {
			core = append(core, i)
		}
	}
	return core
}

// note adds an operation to what is known, and says whether the element is still unique.
func (p *presence) note(op *history.Op, i int32, call, end time.Duration) bool {
	yes, known := op.Output.AsBool()
	known = known && end != forever
	switch {
	case op.Name == "contains" && !known, op.Name == "contains" && !yes, op.Name == "remove" && known && !yes:
		// It says nothing, or that it did not see the element.
	case op.Name == "contains", op.Name == "add" && known && !yes:
		p.seen, p.seenEnd, p.seenCall = i, min(p.seenEnd, end), max(p.seenCall, call)
	case op.Name == "add":
		if p.add >= 0 {
			return false
		}
		p.add, p.addCall, p.addEnd, p.maybeAdd = i, call, end, end == forever
	case end != forever && !known:
		return false // it may have removed the element or not
	case p.remove >= 0:
		return false
	default:
		p.remove, p.remCall, p.remEnd = i, call, end
	}
	return true
}

// settle finds when the element is present, and says whether it can be.
func (p *presence) settle() bool {
	removed := p.remove >= 0 && p.remEnd != forever
	if p.add < 0 {
		p.from, p.to = forever, forever
		return p.seen < 0 && !removed
	}
	if p.maybeAdd && p.seen < 0 && !removed {
		p.add, p.remove, p.from, p.to = -1, -1, forever, forever // nobody saw it: it may never have been added
		return true
	}
	p.from, p.to = min(p.addEnd, p.seenEnd, p.remEnd), forever
	if p.remove >= 0 {
		p.to = max(p.addCall, p.remCall, p.seenCall)
		p.from = min(p.from, p.to)
	}
	return p.from >= p.addCall && (p.remove < 0 || p.to <= p.remEnd)
}

// A placed operation has a moment at which it took effect, and comes in order of phase among those of one moment.
type placed struct {
	at    time.Duration
	phase int8
	i     int32
}

// placeElements gives each operation a moment.
func placeElements(ops []history.Op, part, of []int32, all []presence, until time.Duration) (finding, bool) {
	places := make([]placed, 0, len(part))
	for n, i := range part {
		if of[n] < 0 {
			continue
		}
		p, op := &all[of[n]], &ops[i]
		call, end := interval(op, until)
		yes, known := op.Output.AsBool()
		switch {
		case i == p.add:
			places = append(places, placed{p.from, 1, i})
		case i == p.remove:
			if p.add >= 0 {
				places = append(places, placed{p.to, 3, i})
			}
		case end == forever:
		case op.Name == "contains" && yes, op.Name == "add" && known && !yes:
			places = append(places, placed{max(call, p.from), 2, i})
		case call <= p.from:
			places = append(places, placed{call, 0, i})
		case end >= p.to:
			places = append(places, placed{max(call, p.to), 4, i})
		default:
			return finding{verdict: verdict.Fail, core: onElement(part, of, of[n])}, true
		}
	}
	slices.SortFunc(places, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.phase, b.phase))
	})
	order := make([]int32, len(places))
	for n, p := range places {
		order[n] = p.i
	}
	return finding{verdict: verdict.Pass, order: order}, true
}
