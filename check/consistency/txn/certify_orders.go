package txn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
)

// How many starts of transactions are tried to certify that there is no order.
const certifySteps = 50_000

// noOrder tries every order of the transactions of an anomaly. What they read of others is left out: an order of all would explain
// the rest as well.
func (c *certifier) noOrder(a Anomaly) error {
	in := certifier{h: c.h, mops: make([][]Mop, c.h.Len())}
	for _, t := range a.Txns {
		if !c.ok(t) && !c.seen(t) {
			return fmt.Errorf("transaction T%d may not have taken effect", t)
		}
		for _, m := range c.mops[t] {
			if m, ok := c.among(m, a.Txns); ok {
				in.mops[t] = append(in.mops[t], m)
			}
		}
	}
	try := trial{c: &in, left: a.Txns, level: byData, steps: certifySteps, started: map[int]map[string][]history.Value{}}
	if strings.HasSuffix(a.Name, "-process") {
		try.level = byProcess
	} else if strings.HasSuffix(a.Name, "-realtime") {
		try.level = byTime
	}
	found := false
	if strings.HasPrefix(a.Name, "no-snapshot-order") {
		found = try.snapshots(map[string][]history.Value{})
	} else {
		found = try.serial(map[string][]history.Value{})
	}
	switch {
	case found:
		return fmt.Errorf("there is an order of T%v that explains what they read of one another", a.Txns)
	case try.steps < 0:
		return fmt.Errorf("%w: %d transactions have too many orders to try them again", ErrNotChecked, len(a.Txns))
	}
	return nil
}

// seen says whether a transaction that is ok read what another one wrote, and so whether that one took effect.
func (c *certifier) seen(t int) bool {
	seen := false
	for _, w := range c.mops[t] {
		c.reads(w.Key, func(_ int, m Mop) {
			seen = seen || w.Write && (m.Value.Equal(w.Value) && !w.Value.IsNil() || indexOf(m.List, w.Value) >= 0)
		})
	}
	return seen && c.h.Outcome(t) == history.Maybe
}

// among returns an operation as far as it is about what some transactions wrote, or nobody.
func (c *certifier) among(m Mop, txns []int) (Mop, bool) {
	theirs := func(v history.Value) bool {
		nobody := true
		for t := range c.mops {
			if c.wrote(t, m.Key, v) {
				if slices.Contains(txns, t) {
					return true
				}
				nobody = false
			}
		}
		return nobody
	}
	switch {
	case m.Write:
		return m, true
	case c.h.Type() == Register:
		return m, m.Value.IsNil() || theirs(m.Value)
	}
	m.List = slices.DeleteFunc(slices.Clone(m.List), func(v history.Value) bool { return !theirs(v) })
	return m, true
}

// A trial tries the orders of some transactions one after another.
type trial struct {
	c       *certifier
	left    []int
	level   level
	steps   int
	started map[int]map[string][]history.Value // of those that run: the state at their start
}

// first says whether nobody left must come ahead of a transaction.
func (x *trial) first(t int) bool {
	for _, u := range x.left {
		if x.level == byTime && x.c.returnsBefore(u, t) || x.level >= byProcess && x.c.processBefore(u, t) {
			return false
		}
	}
	return true
}

// serial says whether those that are left run one after another on a state.
func (x *trial) serial(state map[string][]history.Value) bool {
	if len(x.left) == 0 {
		return true
	}
	for i, t := range x.left {
		if x.steps--; x.steps < 0 {
			return false
		}
		after := copied(state)
		if !x.first(t) || x.c.run(t, after) != nil {
			continue
		}
		rest := trial{c: x.c, left: slices.Delete(slices.Clone(x.left), i, i+1), level: x.level, steps: x.steps}
		if rest.serial(after) {
			return true
		}
		x.steps = rest.steps
	}
	return false
}

// snapshots says whether those that are left, of which some have started, can start on a state and commit to it.
func (x *trial) snapshots(state map[string][]history.Value) bool {
	if len(x.left) == 0 {
		return true
	}
	for i, t := range x.left {
		if x.steps--; x.steps < 0 {
			return false
		}
		rest := trial{c: x.c, left: x.left, level: x.level, steps: x.steps, started: maps.Clone(x.started)}
		after := copied(state)
		if at, ok := x.started[t]; ok {
			if !x.commit(t, at, after) {
				continue
			}
			delete(rest.started, t)
			rest.left = slices.Delete(slices.Clone(x.left), i, i+1)
		} else {
			if !x.first(t) || x.c.run(t, copied(state)) != nil {
				continue
			}
			rest.started[t] = copied(state)
		}
		if rest.snapshots(after) {
			return true
		}
		x.steps = rest.steps
	}
	return false
}

// commit writes what a transaction wrote to a state, unless another wrote one of its keys since its start.
func (x *trial) commit(t int, start, state map[string][]history.Value) bool {
	for _, m := range x.c.mops[t] {
		if key := m.Key.String(); m.Write && !slices.EqualFunc(start[key], state[key], history.Value.Equal) {
			return false
		}
	}
	for _, m := range x.c.mops[t] {
		switch key := m.Key.String(); {
		case !m.Write:
		case x.c.h.Type() == Register:
			state[key] = []history.Value{m.Value}
		default:
			state[key] = append(state[key], m.Value)
		}
	}
	return true
}

func copied(state map[string][]history.Value) map[string][]history.Value {
	out := make(map[string][]history.Value, len(state))
	for k, v := range state {
		out[k] = slices.Clone(v)
	}
	return out
}

// returnsBefore says whether a transaction that is ok returned before another was called.
func (c *certifier) returnsBefore(t, u int) bool {
	_, ret := c.h.Interval(t)
	call, _ := c.h.Interval(u)
	return c.ok(t) && ret < call
}

// processBefore says whether a transaction that is ok is ahead of another of its process.
func (c *certifier) processBefore(t, u int) bool {
	_, ret := c.h.Interval(t)
	call, _ := c.h.Interval(u)
	return c.ok(t) && t < u && ret <= call && c.h.Process(t).Equal(c.h.Process(u))
}
