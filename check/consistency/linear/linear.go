// Package linear decides whether operations on an object could have come one
// after the other: linearizability, sequential consistency and the session
// guarantees.
//
//	res := linear.Check(ctx, linear.Register(), ops, linear.Options{})
//	if res.Verdict == verdict.Fail {
//		fmt.Println(res.Reason, res.Core) // the few operations that have no order
//	}
//
// A model says what the object does ([Spec]); there are ready ones ([Named]).
// An operation whose outcome is Failed took no effect and says nothing. One
// whose outcome is Maybe took effect at any moment after its call, or never.
// Intervals are closed: operations that meet at one instant overlap.
//
// Where the values of a history are unique a monitor decides in a time that is
// all but linear; elsewhere a search does, which is exponential in the number of
// operations that overlap. The budget of a search counts steps, so that a verdict is the
// same on every machine. What cannot be decided within it is unknown.
//
// A pass carries an order and a fail the smallest core that was found, and
// [Certify] verifies both without the code that found them.
package linear

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// DefaultBudget is how many steps the search of a part may take where Options say nothing: some seconds.
const DefaultBudget = 50_000_000

// Options of a check. The zero value is ready to use.
type Options struct {
	// Budget is how many steps the search of each part may take; 0 is DefaultBudget. It decides the verdict, and a context only stops.
	Budget int64
	// Workers is how many parts are searched at a time; 0 is one for each processor. The result does not depend on it.
	Workers int
	// Search leaves out all that decides without a search of the whole part: monitors, reads of what nobody wrote, elements of sets
	// by themselves, and, for Sequential, forced orders and the orders of real time.
	Search bool
	// WholeCore leaves a core as it was found, and does not try to make it smaller.
	WholeCore bool
}

// A Result is a verdict with its certificate.
type Result struct {
	Verdict verdict.Verdict
	Model   string
	Engine  string // what decided, in words; empty where the operations are none of the model's
	Steps   int64  // of searches; deterministic
	Reason  string // one sentence

	// Order is, for a pass, an order of the operations that took effect, as places in the history.
	Order []int32
	// Core is, for a fail, operations that have no order, as places in the history in order of call. The whole history has none
	// because they have none.
	Core []int32
	// Until is when the last operation of the core returned: those of it that return later, or never, are pending in it.
	Until time.Duration
	// Part is the part of the object that fails or was not decided, nil where there is one only.
	Part history.Value
	// Good is, unless it passes, how many operations of that part, in order of return, are known to have an order.
	Good int
	// GoodUntil is when the last of them returned.
	GoodUntil time.Duration
}

// Check decides whether the operations on one object are linearizable: whether
// they have an order that fits the model, and real time. It does not look at Kind and Object. No operations at all are unknown.
func Check(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	if len(ops) == 0 {
		return nothing(m)
	}
	if o.Budget <= 0 {
		o.Budget = DefaultBudget
	}
	if err := valid(m, ops); err != nil {
		return Result{Model: m.name, Reason: err.Error()}
	}
	if o.Search {
		m.monitor, m.cell, m.split = nil, nil, nil
	}
	return checkParts(ctx, m, ops, o)
}

// nothing is what is said of no operations: to pass would be to prove by silence.
func nothing(m Model) Result {
	return Result{Model: m.name, Engine: "none", Reason: "there is no operation, so there is nothing to judge"}
}

// endOfTime is later than all that happens in a run, and far from the moments that stand for never.
const endOfTime = forever / 2

// valid returns what is wrong with the operations themselves.
func valid(m Model, ops []history.Op) error {
	for i := range ops {
		op := &ops[i]
		if op.Outcome == history.Failed {
			continue
		}
		if op.Call < -endOfTime || op.Call > endOfTime || op.Outcome == history.OK && op.Return > endOfTime {
			return fmt.Errorf("operation %d lasts from %v to %v, which is no time of a run (more than 146 years from its start)", op.ID, op.Call, op.Return)
		}
		if op.Outcome == history.OK && op.Return < op.Call {
			return fmt.Errorf("operation %d returned at %v, before its call at %v", op.ID, op.Return, op.Call)
		}
		if err := m.valid(op); err != nil {
			return fmt.Errorf("operation %d is a %s, and %w", op.ID, op.Name, err)
		}
	}
	return nil
}

// A part is the operations on a part of the object.
type part struct {
	key history.Value
	ops []int32
}

// parts splits operations, in order of key.
func parts(m Model, ops []history.Op) []part {
	places := map[string]int{}
	var all []part
	var text []byte
	for i := range ops {
		if ops[i].Outcome == history.Failed {
			continue
		}
		var key history.Value
		if m.partition != nil {
			key = m.partition(&ops[i])
		}
		text = appendValue(text[:0], key)
		at, ok := places[string(text)]
		if !ok {
			at = len(all)
			places[string(text)] = at
			all = append(all, part{key: key})
		}
		all[at].ops = append(all[at].ops, int32(i))
	}
	slices.SortFunc(all, func(a, b part) int { return a.key.Compare(b.key) })
	return all
}
