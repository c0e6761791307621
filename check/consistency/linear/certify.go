package linear

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// ErrLarge says that a core has too many orders to try them all, so that it stays unverified.
var ErrLarge = errors.New("the core is too large to try every order")

// What is tried at most: operations in a core, and steps.
const (
	certifyCoreSize = 64
	certifySteps    = 1_000_000
)

// Certify verifies the certificate of a result without the code that found it: that the order of a pass holds all that returned,
// fits real time and fits the model; that no order of the core of a fail does, by trying each. It returns nil for an unknown
// result, and ErrLarge for a core that is too large.
//
// That the history fails because its core does is not verified: see Spec for what may be left out.
func Certify(m Model, ops []history.Op, r Result) error {
	switch r.Verdict {
	case verdict.Pass:
		return certifyOrder(m, ops, r.Order, realTime{-1 << 63})
	case verdict.Fail:
		return certifyCore(m, ops, r.Core, r.Until, false)
	}
	return nil
}

// CertifySequential is Certify for a result of Sequential: the order fits each client instead of real time.
func CertifySequential(m Model, ops []history.Op, r Result) error {
	switch r.Verdict {
	case verdict.Pass:
		return certifyOrder(m, ops, r.Order, clientOrder{})
	case verdict.Fail:
		return certifyCore(m, ops, r.Core, r.Until, true)
	}
	return nil
}

// An after says whether an operation may come after those that it was asked about before.
type after interface {
	mayCome(op *history.Op) (bool, after)
}

type realTime struct{ now time.Duration }

func (a realTime) mayCome(op *history.Op) (bool, after) {
	now := max(a.now, op.Call)
	return op.Outcome != history.OK || op.Return >= now, realTime{now}
}

// clientOrder is the last call of each client.
type clientOrder map[string]time.Duration

func (c clientOrder) mayCome(op *history.Op) (bool, after) {
	last, known := c[op.Client]
	c[op.Client] = max(last, op.Call)
	return op.Outcome != history.OK || !known || op.Call >= last, c
}

func certifyOrder(m Model, ops []history.Op, order []int32, before after) error {
	there := make([]bool, len(ops))
	states := map[string]walker{}
	for n, i := range order {
		op := &ops[i]
		var may bool
		may, before = before.mayCome(op)
		switch {
		case there[i]:
			return fmt.Errorf("operation %d is twice in the order", op.ID)
		case op.Outcome == history.Failed:
			return fmt.Errorf("operation %d failed, and is in the order", op.ID)
		case !may:
			return fmt.Errorf("operation %d is number %d in the order, after one that must come later", op.ID, n+1)
		}
		there[i] = true
		if err := advance(m, states, op); err != nil {
			return err
		}
	}
	for i := range ops {
		if ops[i].Outcome == history.OK && !there[i] {
			return fmt.Errorf("operation %d returned, and is not in the order", ops[i].ID)
		}
	}
	return nil
}

// advance takes the state of an operation's part on.
func advance(m Model, states map[string]walker, op *history.Op) error {
	name := partName(m, op)
	if states[name] == nil {
		states[name] = m.walk()
	}
	states[name] = states[name].step(op)
	if states[name] == nil {
		return fmt.Errorf("operation %d (%s %v -> %v) does not fit the state in the order", op.ID, op.Name, op.Input, op.Output)
	}
	return nil
}

func partName(m Model, op *history.Op) string {
	if m.partition == nil {
		return ""
	}
	return m.partition(op).String()
}

func certifyCore(m Model, ops []history.Op, core []int32, until time.Duration, sequential bool) error {
	if len(core) == 0 {
		return errors.New("the core is empty")
	}
	if len(core) > certifyCoreSize {
		return ErrLarge
	}
	var left []history.Op
	for _, i := range core {
		op := ops[i]
		if op.Outcome == history.Failed || op.Call > until || !sequential && partName(m, &op) != partName(m, &ops[core[0]]) {
			return fmt.Errorf("operation %d is no part of the core", op.ID)
		}
		if op.Return > until {
			op.Outcome = history.Maybe
		}
		left = append(left, op)
	}
	t := newTrial(m, left, sequential)
	t.steps = certifySteps
	switch found := t.order(); {
	case found:
		return errors.New("the core has an order")
	case t.steps <= 0:
		return ErrLarge
	}
	return nil
}

// A trial tries every order of at most 64 operations.
type trial struct {
	ops    []history.Op
	before []uint64 // of each operation: those that must come before it
	part   []int
	states []walker // of each part
	done   uint64   // those that came
	all    uint64   // those that must come
	steps  int
}

func newTrial(m Model, ops []history.Op, sequential bool) *trial {
	t := &trial{ops: ops, before: make([]uint64, len(ops)), part: make([]int, len(ops))}
	parts := map[string]int{}
	for i := range ops {
		name := partName(m, &ops[i])
		part, known := parts[name]
		if !known {
			part = len(t.states)
			parts[name], t.states = part, append(t.states, m.walk())
		}
		t.part[i] = part
		if ops[i].Outcome == history.OK {
			t.all |= 1 << i
		}
		for j := range ops {
			before := ops[j].Return < ops[i].Call
			if sequential {
				before = ops[j].Client == ops[i].Client && ops[j].Call < ops[i].Call
			}
			if before && ops[j].Outcome == history.OK {
				t.before[i] |= 1 << j
			}
		}
	}
	return t
}

func (t *trial) order() bool {
	if t.all&^t.done == 0 {
		return true
	}
	for i := range t.ops {
		bit := uint64(1) << i
		if t.done&bit != 0 || t.before[i]&^t.done != 0 || t.steps <= 0 {
			continue
		}
		t.steps--
		state := &t.states[t.part[i]]
		was := *state
		next := was.step(&t.ops[i])
		if next == nil {
			continue
		}
		*state, t.done = next, t.done|bit
		if t.order() {
			return true
		}
		*state, t.done = was, t.done&^bit
	}
	return false
}

// A walker is a state that operations lead on from. It stays as it is.
type walker interface {
	step(op *history.Op) walker // nil if op does not fit
}

// states are what an object may be in.
type states[S any] struct {
	spec Spec[S]
	all  []S
}

func newStates[S any](spec Spec[S]) walker { return &states[S]{spec, []S{spec.Init}} }

func (s *states[S]) step(op *history.Op) walker {
	if len(s.all) == 1 {
		next := s.spec.Step(s.all[0], op)
		if len(next) == 0 {
			return nil
		}
		return &states[S]{s.spec, next}
	}
	var next []S
	known := map[any]bool{}
	for _, state := range s.all {
		for _, to := range s.spec.Step(state, op) {
			var name any = to
			if s.spec.Hash != nil {
				name = s.spec.Hash(to)
			}
			if !known[name] {
				known[name], next = true, append(next, to)
			}
		}
	}
	if len(next) == 0 {
		return nil
	}
	return &states[S]{s.spec, next}
}
