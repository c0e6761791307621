package sim

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A History is what clients were told by the operations that they called on one object, on simulated time, for the checkers of
// package check and its families:
//
//	h := s.History("register")
//	h.Check(consistency.Linearizable)
//	…
//	op := h.Begin("c1", "write", 7)
//	switch err := client.Write(7); {
//	case err == nil:
//		op.OK(nil)
//	case errors.Is(err, ErrRefused):
//		op.Failed(err) // it certainly had no effect
//	default:
//		op.Maybe(err)
//	}
//
// An operation that is never ended, because the host of its client crashed or the simulation was over, may have taken effect: it is maybe.
// Names of operations are those that checkers know: read, write, cas, append, enqueue, dequeue, add, remove, get, put, delete, acquire, release.
//
// Code takes no simulated time, so what was called one after the other within an instant is a nanosecond apart in a history: its
// order is known, and checkers may use it.
type History struct {
	s      *Sim
	object string
	ops    []history.Op                        // guarded by Sim.pinned, like all below
	open   map[string]int                      // by client: which name it goes on under
	busy   map[string]bool                     // by client: its last operation did not end for sure
	checks []func(object string) check.Checker // what must hold
}

// An Operation is one of a history that was begun. It is ended once: what it is told later does not count.
type Operation struct {
	h     *History
	at    int // in h.ops
	name  string
	ended bool // guarded by Sim.pinned
}

// History returns the history of an object, which is made when it is first asked for.
func (s *Sim) History(object string) (h *History) {
	s.pinned(func() {
		if i := slices.IndexFunc(s.histories, func(h *History) bool { return h.object == object }); i >= 0 {
			h = s.histories[i]
			return
		}
		h = &History{s: s, object: object, open: map[string]int{}, busy: map[string]bool{}}
		s.histories = append(s.histories, h)
	})
	return h
}

// Begin notes that a client calls an operation now. The client is one that does one thing after the other. After an operation that did
// not end for sure it goes on under a new name (c1.2), since what it called may still be on its way. Input is what
// history.Of takes: nil, a bool, a number, a string, a list or a map.
func (h *History) Begin(client, name string, input any) *Operation {
	return h.begin(history.Op{Client: client, Name: name, Input: valueOf(input)})
}

// BeginKey is Begin of an operation on one key of an object that has several.
func (h *History) BeginKey(client, name string, key, input any) *Operation {
	return h.begin(history.Op{Client: client, Name: name, Key: valueOf(key), Input: valueOf(input)})
}

func (h *History) begin(op history.Op) *Operation {
	o := &Operation{h: h, name: op.Client}
	op.Kind, op.Object, op.Outcome = history.Model, h.object, history.Maybe
	h.s.pinned(func() {
		if h.busy[op.Client] {
			h.open[op.Client]++
		}
		h.busy[op.Client] = true
		if n := h.open[op.Client]; n > 0 {
			op.Client = fmt.Sprintf("%s.%d", op.Client, n+1)
		}
		op.Call, op.Error = h.s.moment(), "it did not end"
		o.at = len(h.ops)
		op.ID = uint64(o.at + 1)
		h.ops = append(h.ops, op)
	})
	return o
}

// OK ends an operation that was done, with what it returned.
func (o *Operation) OK(output any) {
	o.end(history.OK, valueOf(output), nil)
}

// Failed ends an operation that certainly had no effect, and has none later.
func (o *Operation) Failed(why error) { o.end(history.Failed, history.Value{}, why) }

// Maybe ends an operation of which nobody knows whether it took effect, or will: one without an answer.
func (o *Operation) Maybe(why error) { o.end(history.Maybe, history.Value{}, why) }

func (o *Operation) end(outcome history.Outcome, output history.Value, why error) {
	h := o.h
	h.s.pinned(func() {
		if o.ended {
			return
		}
		o.ended = true
		op := &h.ops[o.at]
		op.Outcome, op.Output, op.Return, op.Error = outcome, output, h.s.moment(), ""
		if why != nil {
			op.Error = why.Error()
		}
		if outcome != history.Maybe {
			h.busy[o.name] = false
		}
	})
}

// Check says what must hold of the history when the simulation is over, such as consistency.Linearizable. What does not hold fails
// the simulation, with the operations that show it; what cannot be decided is no pass: the verdict of the test is unknown then.
func (h *History) Check(must ...func(object string) check.Checker) {
	h.s.pinned(func() { h.checks = append(h.checks, must...) })
}

// Ops returns the operations so far, in order of call. Those that did not end are maybe.
func (h *History) Ops() (all []history.Op) {
	h.s.pinned(func() { all = h.closed(h.s.moment()) })
	return all
}

// closed returns the operations as they are at a moment.
func (h *History) closed(at time.Duration) []history.Op {
	all := slices.Clone(h.ops)
	for i := range all {
		if op := &all[i]; op.Return == 0 {
			op.Return = max(at, op.Call)
		}
	}
	return all
}

// moment is now, and later than any moment before. The caller is pinned.
func (s *Sim) moment() time.Duration {
	s.last = max(s.Now(), s.last+1)
	return s.last
}

func valueOf(x any) history.Value {
	v, err := history.Of(x)
	if err != nil {
		panic(fmt.Sprintf("sim: a history takes nil, bools, numbers, strings, lists and maps, not %T: %v", x, err))
	}
	return v
}

// judge checks all histories. It is called when the simulation has ended, outside of it: what checkers do is no part of it.
func (s *Sim) judge(t *testing.T) {
	for _, h := range s.histories {
		in := check.Input{Ops: h.closed(s.last + 1)}
		if len(h.checks) == 0 && len(in.Ops) > 0 {
			s.conclude(t, in, check.Result{Check: fmt.Sprintf("the history %q", h.object), Reason: "it has operations, and no Check judges them"})
		}
		for _, must := range h.checks {
			s.conclude(t, in, must(h.object).Check(context.Background(), in))
		}
	}
}

// conclude makes a check's result an assertion of the simulation.
func (s *Sim) conclude(t *testing.T, in check.Input, res check.Result) {
	p := &Point{Kind: "always", Name: res.Check, Hits: 1}
	switch res.Verdict {
	case verdict.Pass:
		p.True = 1
	case verdict.Fail:
		for i := range res.Witness {
			p.AtNS = max(p.AtNS, int64(res.Witness[i].Return))
		}
		p.Broken, p.Witness = res.Reason, res.Witness
		s.broken = append(s.broken, in.Ops...)
		t.Errorf("%s does not hold: %s", res.Check, res.Reason)
	default:
		p.Kind = undecided
		p.Broken = res.Reason
		if !s.controlled && !t.Failed() {
			s.skip = fmt.Sprintf("sim: %s was not decided: %s", res.Check, res.Reason)
		}
	}
	s.points[point{p.Kind, fmt.Sprintf("%s of history %d", res.Check, len(s.points))}] = p
}

// undecided is the kind of a point that says neither yes nor no.
const undecided = "undecided"
