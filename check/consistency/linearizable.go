package consistency

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const registerModel = "linearizable register per key, from nil"

// Linearizable returns the checker that reads, writes and cas on each key of
// the object have an order that fits both real time and what they returned. A
// key starts as nil.
//
// A cas takes the list [from, to]. One that returned false found another value
// than from, and one that failed says nothing. A write or cas of unknown outcome
// may take effect at any later time, or never.
//
// The search of a key ends with unknown when its budget of steps is used up,
// which is the same on every machine, or when its context ends.
func Linearizable(object string) check.Checker {
	return &checker{"linearizable", object, judgeLinearizable}
}

func judgeLinearizable(ctx context.Context, object string, in check.Input) check.Result {
	var ops []history.Op
	keys := map[string]bool{}
	looked := false
	for _, op := range modelOps(in, object) {
		if op.Outcome == history.Failed || op.Name == "read" && op.Outcome == history.Maybe {
			continue
		}
		ops = append(ops, *op)
		keys[text(op.Key)] = true
		looked = looked || op.Name != "write" && op.Outcome == history.OK
	}
	if len(ops) == 0 {
		return unknown("%q recorded no operation that ended well", object)
	}
	res := linear.Check(ctx, linear.CASRegister(), ops, linear.Options{})
	model := fmt.Sprintf("%s: %s", registerModel, res.Engine)
	switch {
	case res.Engine == "":
		return unknown("%s", res.Reason)
	case !looked:
		return unknown("%q recorded no read or cas that ended well: its writes fit any order", object)
	case res.Verdict == verdict.Pass:
		found := pass("%d operations on %d keys have an order that fits real time", len(ops), len(keys))
		found.Model = model
		return found
	case res.Verdict == verdict.Fail:
		found := fail(witness(ops, res.Core), "key %s: no order of its operations fits real time: %s", text(res.Part), shorthand(ops, res))
		found.Model = model
		return found
	}
	return check.Result{Reason: res.Reason, Model: model}
}

// witness returns the operations of a core, the last ones if they are too many.
func witness(ops []history.Op, core []int32) []*history.Op {
	var some []*history.Op
	for _, i := range core[max(0, len(core)-maxWitness):] {
		some = append(some, &ops[i])
	}
	return some
}

// shorthand tells a core in order of call, in the shorthand of package history with the clients' names.
func shorthand(ops []history.Op, res linear.Result) string {
	letters := map[string]string{"read": "r", "write": "w", "cas": "c"}
	var words []string
	for _, i := range res.Core {
		op := &ops[i]
		value, mark := op.Input, ""
		if op.Name == "read" {
			value = op.Output
		}
		if swapped, ok := op.Output.AsBool(); ok && !swapped {
			mark = "!"
		}
		if isPending(op, res.Until) {
			mark = "?"
		}
		words = append(words, fmt.Sprintf("%s:%s%v%s", op.Client, letters[op.Name], value, mark))
	}
	if len(words) > maxWitness {
		words = slices.Concat([]string{fmt.Sprintf("… (%d before)", len(words)-maxWitness)}, words[len(words)-maxWitness:])
	}
	return strings.Join(words, " ")
}

// isPending says whether an operation had not returned at a moment.
func isPending(op *history.Op, at time.Duration) bool {
	return op.Outcome == history.Maybe || op.Return > at
}
