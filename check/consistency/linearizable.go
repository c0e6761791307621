package consistency

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency/linear"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Linearizable returns the checker that the operations on the object have an order that fits both real time and what they
// returned, as those of the model that their names imply: reads and writes of a register for each key, enqueues and dequeues of a
// queue, and so on; package linear has the list. The result names the model.
//
// A key starts as what was read of it before anything was called that may change it, and empty, or nil, where nobody looked. A cas
// takes the list [from, to]. One that returned false found another value than from, and one that failed says nothing. An
// operation of unknown outcome that is no read may take effect at any later time, or never.
//
// The search of a key ends with unknown when its budget of steps is used up,
// which is the same on every machine, or when its context ends.
func Linearizable(object string) check.Checker { return ordering("linearizable", object, "", false) }

// LinearizableAs is Linearizable of a model by its name, one of Models.
func LinearizableAs(object, model string) check.Checker {
	return ordering("linearizable", object, model, false)
}

// Sequential returns the checker that the operations on the object have an order that fits what they returned, and in which those of
// each client come as it called them, as those of the model that their names imply. All keys are in one order. What was there
// before anything was changed is unknown, as is what a search cannot decide in its budget.
func Sequential(object string) check.Checker { return ordering("sequential", object, "", true) }

// SequentialAs is Sequential of a model by its name, one of Models.
func SequentialAs(object, model string) check.Checker {
	return ordering("sequential", object, model, true)
}

func ordering(name, subject, model string, sequential bool) check.Checker {
	return &checker{name, subject, model, func(ctx context.Context, subject string, in check.Input) check.Result {
		o, err := newObject(modelOps(in, subject), subject, model)
		switch {
		case err != nil:
			return unknown("%v", err)
		case !o.looked:
			return unknown("%q recorded no operation that ended well and says what it found, such as a read: those of a %v fit any order", subject, o.model)
		case !o.changed:
			return unknown("%q recorded no operation that would change it", subject)
		case sequential && o.there > 0:
			return unknown("%q was not empty when the records began (%v was there), and it is not known when a client may see that: ask linearizable, or begin with an empty one", subject, o.ops[0].Input)
		case sequential:
			return o.sequential(ctx)
		}
		return o.linearizable(ctx)
	}}
}

func (o object) linearizable(ctx context.Context) check.Result {
	res := linear.Check(ctx, o.model, o.ops, linear.Options{})
	n := len(o.ops) - o.there
	found := check.Result{Reason: res.Reason}
	switch res.Verdict {
	case verdict.Pass:
		found = pass("%d operations on %d keys have an order that fits the %v and real time", n, len(o.keys), o.model)
	case verdict.Fail:
		found = fail(witness(o.ops, res.Core), "key %s: no order of its operations fits the %v and real time: %s", text(res.Part), o.model, shorthand(o.ops, res))
	}
	if res.Engine != "" {
		found.Model = fmt.Sprintf("linearizable %v: %s", o, res.Engine)
	}
	return certified(found, linear.Certify, o, res)
}

// certifiable is how many operations of an answer are verified once more: those of longer histories would take as long again.
const certifiable = 10_000

// certified takes an answer back whose certificate does not hold. One of a core that is too large to try every order of stays.
func certified(found check.Result, certify func(linear.Model, []history.Op, linear.Result) error, o object, res linear.Result) check.Result {
	if len(o.ops) > certifiable || found.Verdict == verdict.Unknown {
		return found
	}
	if err := certify(o.model, o.ops, res); err != nil && !errors.Is(err, linear.ErrLarge) {
		return unknown("it was judged to %v, and the certificate does not hold (this is a defect of assay): %v", res.Verdict, err)
	}
	return found
}

func (o object) sequential(ctx context.Context) check.Result {
	res := linear.Sequential(ctx, o.model, o.ops, linear.Options{})
	found := check.Result{Reason: res.Reason}
	switch res.Verdict {
	case verdict.Pass:
		found = pass("%d operations on %d keys have an order that fits the %v and each client", len(o.ops), len(o.keys), o.model)
	case verdict.Fail:
		found = fail(witness(o.ops, res.Core), "no order of the operations fits the %v and each client: %s", o.model, shorthand(o.ops, res))
	}
	if res.Engine != "" {
		found.Model = fmt.Sprintf("sequentially consistent %v: %s", o, res.Engine)
	}
	return certified(found, linear.CertifySequential, o, res)
}

// witness returns the operations of a core, the last ones if they are too many.
func witness(ops []history.Op, core []int32) []*history.Op {
	var some []*history.Op
	for _, i := range core[max(0, len(core)-maxWitness):] {
		if ops[i].ID > 0 {
			some = append(some, &ops[i])
		}
	}
	return some
}

// shorthand tells a core in order of call: of registers in the shorthand of package history with the clients' names, of others in words.
func shorthand(ops []history.Op, res linear.Result) string {
	letters := map[string]string{"read": "r", "write": "w", "cas": "c"}
	registers := !slices.ContainsFunc(res.Core, func(i int32) bool { return letters[ops[i].Name] == "" })
	gap := ", "
	if registers {
		gap = " "
	}
	var words []string
	for _, i := range res.Core {
		op := &ops[i]
		if !registers {
			words = append(words, linear.Describe(op, res.Until))
			continue
		}
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
	return strings.Join(words, gap)
}

// isPending says whether an operation had not returned at a moment.
func isPending(op *history.Op, at time.Duration) bool {
	return op.Outcome == history.Maybe || op.Return > at
}
