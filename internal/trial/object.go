package trial

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// object asks whether there is an order that fits real time, or each client where that is enough.
func (r *Report) object(ctx context.Context, c *Case, m linear.Model, isSequential bool, budget int64) error {
	check := linear.Check
	if isSequential {
		check = linear.Sequential
	}
	res := check(ctx, m, c.Ops, linear.Options{Budget: budget})
	if res.Engine == "" && res.Verdict != verdict.Pass { // an operation that the model does not have
		return input("%s: %s: is the history of another model?", c.placeOf(res.Reason), res.Reason)
	}
	r.Verdict, r.Reason, r.Engine, r.Steps = res.Verdict, res.Reason, res.Engine, res.Steps
	if r.Verdict == verdict.Pass && r.Counts.OK == 0 {
		r.Engine = cmp.Or(r.Engine, "none: each operation failed")
		r.Facts = append(r.Facts, "no operation is ok, so this says nothing: each such history passes")
	}
	if r.Verdict != verdict.Pass {
		r.Good = res.Good
	}
	for _, i := range res.Order {
		r.Order = append(r.Order, c.Ops[i].ID)
	}
	for _, i := range res.Core {
		w := c.witness(int(i))
		w.Pending = w.Op.Outcome == history.Maybe || w.Op.Return > res.Until
		r.Witness = append(r.Witness, w)
		if !w.Pending && (r.first < 0 || c.Ops[r.first].Return < w.Op.Return) {
			r.first = int(i) // where the order ends
		}
	}
	if r.Verdict != verdict.Fail {
		return nil
	}
	alone := r.alone()
	if again := check(ctx, m, alone, linear.Options{Budget: budget, WholeCore: true}); again.Verdict == verdict.Fail {
		r.Smallest = alone
	}
	if !isSequential {
		r.prefix(ctx, c, m, res, budget)
	}
	return nil
}

// alone returns the witness as a history of its own: what was under way at its end may have taken effect.
func (r *Report) alone() []history.Op {
	var ops []history.Op
	for _, w := range r.Witness {
		op := w.Op
		if w.Pending {
			op.Outcome, op.Output = history.Maybe, history.Value{}
		}
		ops = append(ops, op)
	}
	return ops
}

// session asks for one of the guarantees, and tells of the others.
func (r *Report) session(c *Case, name string) error {
	ops, err := c.registers()
	if err != nil {
		return err
	}
	r.Engine = "order of each key's values"
	for _, g := range linear.Guarantees(ops) {
		if g.Name != name {
			r.Others = append(r.Others, Guarantee{hyphens(g.Name), g.Verdict, g.Reason})
			continue
		}
		r.Verdict, r.Reason = g.Verdict, g.Reason
		for _, i := range g.Core {
			r.Witness = append(r.Witness, c.witness(int(i)))
		}
	}
	if r.Verdict == verdict.Pass && r.Counts.OK == 0 {
		r.Verdict, r.Reason = verdict.Unknown, "no operation is ok, so there is nothing to judge"
	}
	slices.SortFunc(r.Witness, func(a, b Witness) int { return a.place - b.place })
	r.Witness = slices.CompactFunc(r.Witness, func(a, b Witness) bool { return a.place == b.place })
	if r.Verdict != verdict.Fail {
		return nil
	}
	r.first = r.Witness[len(r.Witness)-1].place
	for i := range ops {
		if slices.ContainsFunc(r.Witness, func(w Witness) bool { return w.place == i || wrote(&ops[i], &ops[w.place]) }) {
			r.Smallest = append(r.Smallest, ops[i])
		}
	}
	for _, g := range linear.Guarantees(r.Smallest) {
		if g.Name == name && g.Verdict != verdict.Fail {
			r.Smallest = nil
		}
	}
	return nil
}

// wrote says whether an operation wrote what another read, so that the other makes no sense without it.
func wrote(w, r *history.Op) bool {
	return w.Name == "write" && r.Name == "read" && w.Outcome != history.Failed && w.Key.Equal(r.Key) && w.Input.Equal(r.Output)
}

// registers returns the operations as reads and writes: of a store by key, gets and puts are these.
func (c *Case) registers() ([]history.Op, error) {
	ops := slices.Clone(c.Ops)
	for i := range ops {
		op := &ops[i]
		switch op.Name {
		case "get":
			op.Name = "read"
		case "put":
			op.Name = "write"
		case "read", "write":
		default:
			return nil, input("%s:%d: operation %d is a %s, and session guarantees are of reads and writes (or gets and puts)", c.File, c.Lines[i].Line, op.ID, op.Name)
		}
	}
	return ops, nil
}

// placeOf is the file and line of the operation that a reason begins with.
func (c *Case) placeOf(reason string) string {
	var id uint64
	if _, err := fmt.Sscanf(reason, "operation %d", &id); err == nil {
		for i := range c.Ops {
			if c.Ops[i].ID == id {
				return fmt.Sprintf("%s:%d", c.File, c.Lines[i].Line)
			}
		}
	}
	return c.File
}
