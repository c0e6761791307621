package linear

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
)

// A problem is the operations of one part with numbers: those that returned by rank, in order of return, and those that are
// pending by class.
type problem struct {
	machine machine
	index   []int32 // rank: place in the history
	class   []int32 // rank: class
	pure    []bool  // rank: the operation never changes the state
	blind   []bool  // rank: it overwrites every state
	slot    []int32 // rank: a number that no operation has that overlaps it, of those that are pure or of the others
	arrival []int32 // rank: place in arrivals

	words, readWords int // of 64 slots: of operations that change states, and of those that do not
	levels           *levels
	byCall           bool // states know the time, so that what was called first is tried first, and not what returns first

	// arrivals are ranks in order of call; those called up to the return of rank p are arrivals[:arrived[p]].
	arrivals []int32
	arrived  []int32
	waiting  []waiting
}

// waiting are pending operations of one class, in order of call. Of two that are alike the first called can be taken first.
type waiting struct {
	class int32
	blind bool
	index []int32
	from  []int32 // the first rank whose return is not before the call
}

// forever is a moment after all others.
const forever = time.Duration(1<<63 - 1)

// newProblem numbers the operations of a part as they stood at a moment: what returns later is pending then.
func newProblem(m Model, ops []history.Op, part []int32, until time.Duration) *problem {
	p := &problem{byCall: m.byTime}
	var open []int32
	for _, i := range part {
		switch op := &ops[i]; {
		case op.Outcome == history.Failed || op.Call > until:
		case op.Outcome == history.OK && op.Return <= until:
			p.index = append(p.index, i)
		case !m.reads(op):
			open = append(open, i)
		}
	}
	slices.SortStableFunc(p.index, func(a, b int32) int { return cmp.Compare(ops[a].Return, ops[b].Return) })
	if p.machine = m.start(); m.informed != nil {
		p.machine = m.informed(ops, p.index, open)
	}
	n := len(p.index)
	p.class, p.pure, p.blind = make([]int32, n), make([]bool, n), make([]bool, n)
	for rank, i := range p.index {
		p.class[rank], p.pure[rank], p.blind[rank] = p.machine.class(&ops[i]), m.reads(&ops[i]), m.blind(&ops[i]) && !m.reads(&ops[i])
	}
	p.arrive(ops)
	p.wait(m, ops, open)
	p.levels = newLevels(m, ops, p, open)
	return p
}

// arrive finds out when operations are called, and gives them slots.
func (p *problem) arrive(ops []history.Op) {
	n := len(p.index)
	p.slot, p.arrival, p.arrivals, p.arrived = make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for rank := range p.arrivals {
		p.arrivals[rank] = int32(rank)
	}
	call := func(rank int32) int64 { return int64(ops[p.index[rank]].Call) }
	slices.SortStableFunc(p.arrivals, func(a, b int32) int { return cmp.Compare(call(a), call(b)) })
	var change, read slots
	of := func(rank int32) *slots {
		if p.pure[rank] {
			return &read
		}
		return &change
	}
	next := 0
	for rank, i := range p.index {
		for ; next < n && call(p.arrivals[next]) <= int64(ops[i].Return); next++ {
			arrived := p.arrivals[next]
			p.slot[arrived], p.arrival[arrived] = of(arrived).take(), int32(next)
		}
		p.arrived[rank] = int32(next)
		of(int32(rank)).free = append(of(int32(rank)).free, p.slot[rank])
	}
	p.words, p.readWords = change.words(), read.words()
}

// slots are numbers that are taken, and given back.
type slots struct {
	free []int32
	all  int32
}

func (s *slots) take() int32 {
	if len(s.free) == 0 {
		s.all++
		return s.all - 1
	}
	last := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return last
}

func (s *slots) words() int { return max(1, (int(s.all)+63)/64) }

// wait sorts pending operations by class.
func (p *problem) wait(m Model, ops []history.Op, open []int32) {
	slices.SortStableFunc(open, func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) })
	places := map[int32]int{}
	for _, i := range open {
		class := p.machine.class(pending(&ops[i]))
		at, ok := places[class]
		if !ok {
			at = len(p.waiting)
			places[class] = at
			p.waiting = append(p.waiting, waiting{class: class, blind: m.blind(pending(&ops[i]))})
		}
		from, _ := slices.BinarySearchFunc(p.index, ops[i].Call, func(j int32, call time.Duration) int { return cmp.Compare(ops[j].Return, call) })
		w := &p.waiting[at]
		w.index, w.from = append(w.index, i), append(w.from, int32(from))
	}
}

// pending returns an operation as one that returned nothing.
func pending(op *history.Op) *history.Op {
	if op.Outcome == history.Maybe {
		return op
	}
	open := *op
	open.Outcome = history.Maybe
	return &open
}
