// Package consistency judges the model operations of a run: what clients were
// told about named objects, against what they read.
//
//	res := consistency.NoLost("orders").Check(ctx, in)
//	if res.Verdict == verdict.Fail {
//		fmt.Println(res.Reason) // 2 of 412 acknowledged appends are not in the last read: "A17", "A18"
//	}
//
// The checkers regard the whole history and not the window of the input: an
// append before the window is as much promised as one in it. What the records
// cannot decide is unknown: an object that recorded nothing, one that was not
// read after its last append, a search that ran out of time or memory.
package consistency

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const maxWitness = 20

// A checker judges one thing by its name.
type checker struct {
	name    string // as in expressions
	subject string // the object or service
	model   string // the second argument, "" without one
	judge   func(ctx context.Context, subject string, in check.Input) check.Result
}

func (c *checker) String() string {
	if c.model != "" {
		return fmt.Sprintf("%s(%q, %q)", c.name, c.subject, c.model)
	}
	return fmt.Sprintf("%s(%q)", c.name, c.subject)
}

func (c *checker) Check(ctx context.Context, in check.Input) check.Result {
	res := check.Result{Reason: "it was not begun"}
	if ctx.Err() == nil {
		res = c.judge(ctx, c.subject, in)
	}
	// A judge that was stopped may have seen only a part; what it found wrong stays wrong.
	if err := ctx.Err(); err != nil && res.Verdict != verdict.Fail {
		res = check.Result{Reason: fmt.Sprintf("the check did not end in time: %v", err), Model: res.Model}
	}
	res.Check = c.String()
	return res
}

func unknown(format string, args ...any) check.Result {
	return check.Result{Reason: fmt.Sprintf(format, args...)}
}

func pass(format string, args ...any) check.Result {
	return check.Result{Verdict: verdict.Pass, Reason: fmt.Sprintf(format, args...)}
}

func fail(witness []*history.Op, format string, args ...any) check.Result {
	res := check.Result{Verdict: verdict.Fail, Reason: fmt.Sprintf(format, args...)}
	for _, op := range witness[:min(len(witness), maxWitness)] {
		res.Witness = append(res.Witness, *op)
	}
	return res
}

// modelOps returns the operations on an object, in place.
func modelOps(in check.Input, object string) []*history.Op {
	var ops []*history.Op
	for i := range in.Ops {
		if op := &in.Ops[i]; op.Kind == history.Model && op.Object == object {
			ops = append(ops, op)
		}
	}
	return ops
}

// text returns a comparable stand-in for a value: equal text means equal value.
func text(v history.Value) string { return v.String() }

// some prints the first few of many values.
func some(values []string) string {
	const few = 5
	if len(values) <= few {
		return strings.Join(values, ", ")
	}
	return fmt.Sprintf("%s, … (%d in all)", strings.Join(values[:few], ", "), len(values))
}

// byCall orders operations for a reader.
func byCall(ops []*history.Op) []*history.Op {
	slices.SortStableFunc(ops, func(a, b *history.Op) int { return cmp.Compare(a.Call, b.Call) })
	return ops
}
