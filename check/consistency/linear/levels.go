package linear

import (
	"math"

	"github.com/assay-dev/assay/history"
)

// rising says of a specification that its states have levels, which operations never lower, and that an operation fits no state above
// some level: a counter that is only added to, and a read of it.
type rising[S any] struct {
	level func(s S) int64
	rises func(op *history.Op) bool  // it does not lower the level, from any state
	limit func(op *history.Op) int64 // the highest level of a state that it can come in, if it returned what it did
}

// A leveled machine knows levels and limits.
type leveled interface {
	level(state int32) int64
	limit(class int32) int64
}

// levels are the limits of a problem's operations.
type levels struct {
	leveled
	limits []int64 // rank
	later  []int64 // the least limit of arrivals from here on
}

// newLevels returns nil if a part's states need not rise.
func newLevels(m Model, ops []history.Op, p *problem, open []int32) *levels {
	machine, ok := p.machine.(leveled)
	if !ok || m.rises == nil {
		return nil
	}
	for _, some := range [][]int32{p.index, open} {
		for _, i := range some {
			if !m.rises(&ops[i]) {
				return nil
			}
		}
	}
	l := &levels{leveled: machine, limits: make([]int64, len(p.index)), later: make([]int64, len(p.index)+1)}
	for rank, class := range p.class {
		l.limits[rank] = machine.limit(class)
	}
	l.later[len(p.arrivals)] = math.MaxInt64
	for at := len(p.arrivals) - 1; at >= 0; at-- {
		l.later[at] = min(l.later[at+1], l.limits[p.arrivals[at]])
	}
	return l
}

// dead says whether an operation that is not ordered needs a lower level than the state's.
func (s *search) dead() bool {
	if s.levels == nil {
		return false
	}
	level := s.levels.level(s.state)
	if s.levels.later[s.entered] < level {
		return true
	}
	n := int32(len(s.index))
	for rank := s.next[n]; rank != n; rank = s.next[rank] {
		if s.steps++; s.levels.limits[rank] < level {
			return true
		}
	}
	return false
}

// level returns the least level of what a state may be.
func (t *tables[S]) level(state int32) int64 {
	least := int64(math.MaxInt64)
	for _, member := range t.sets[state] {
		least = min(least, t.spec.rising.level(t.states[member]))
	}
	return least
}

func (t *tables[S]) limit(class int32) int64 { return t.spec.rising.limit(t.ops[class]) }
