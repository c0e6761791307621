package consistency

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Sessions returns, by its name in expressions, each checker of a session guarantee: what each client sees of the values of each key
// of the object, whatever the others do. The operations are read and write, and no value is written twice.
func Sessions() map[string]func(object string) check.Checker {
	all := map[string]func(string) check.Checker{}
	for _, guarantee := range []string{linear.MonotonicReads, linear.ReadYourWrites, linear.MonotonicWrites, linear.WritesFollowReads} {
		name := strings.ReplaceAll(guarantee, " ", "_")
		all[name] = func(object string) check.Checker {
			return &checker{name, object, "", func(_ context.Context, object string, in check.Input) check.Result {
				return judgeSession(object, in, guarantee)
			}}
		}
	}
	return all
}

func judgeSession(object string, in check.Input, guarantee string) check.Result {
	o, err := newObject(modelOps(in, object), object, "cas-register")
	if err != nil {
		return unknown("%v", err)
	}
	if !o.looked {
		return unknown("%q recorded no read that ended well: its writes are seen by nobody", object)
	}
	ops, err := o.fromNil()
	if err != nil {
		return unknown("%v", err)
	}
	all := linear.Guarantees(ops)
	g := all[slices.IndexFunc(all, func(g linear.Guarantee) bool { return g.Name == guarantee })]
	if g.Verdict == verdict.Pass && !shows(ops, guarantee) {
		return unknown("no client of %q did to one key what %s are about", object, guarantee)
	}
	found := check.Result{Reason: g.Reason}
	switch g.Verdict {
	case verdict.Pass:
		found = pass("the values of %d keys have an order that keeps %s for %d clients", len(o.keys), guarantee, clients(ops))
	case verdict.Fail:
		found = fail(witness(ops, g.Core), "%s: %s", guarantee, g.Reason)
	}
	found.Model = guarantee + " of a register for each key: the order of its values"
	return found
}

// fromNil returns the operations with nil for what was there before: the guarantees take nil for what comes before all that is written.
func (o object) fromNil() ([]history.Op, error) {
	there := map[string]history.Value{}
	for _, op := range o.ops[:o.there] {
		there[text(op.Key)] = op.Input
	}
	ops := slices.Clone(o.ops[o.there:])
	for i := range ops {
		v, ok := there[text(ops[i].Key)]
		switch {
		case ok && ops[i].Name == "read" && ops[i].Output.Equal(v):
			ops[i].Output = history.Value{}
		case ok && ops[i].Input.Equal(v):
			return nil, fmt.Errorf("operation %d writes %v, which was there before: values must be unique to be told apart", ops[i].ID, v)
		}
	}
	return ops, nil
}

// shows says whether some client did to one key what a guarantee is about: without it, the guarantee is kept by nobody asking.
func shows(ops []history.Op, guarantee string) bool {
	order := slices.SortedStableFunc(slices.Values(ops), func(a, b history.Op) int { return cmp.Compare(a.Call, b.Call) })
	then := map[string][2]string{linear.MonotonicReads: {"read", "read"}, linear.ReadYourWrites: {"write", "read"},
		linear.MonotonicWrites: {"write", "write"}, linear.WritesFollowReads: {"read", "write"}}[guarantee]
	began := map[[2]string]bool{}
	for _, op := range order {
		if op.Outcome != history.OK {
			continue
		}
		who := [2]string{op.Client, text(op.Key)}
		if op.Name == then[1] && began[who] {
			return true
		}
		began[who] = began[who] || op.Name == then[0]
	}
	return false
}

func clients(ops []history.Op) int {
	seen := map[string]bool{}
	for i := range ops {
		seen[ops[i].Client] = true
	}
	return len(seen)
}
