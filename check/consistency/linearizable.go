package consistency

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const registerModel = "linearizable register per key, from nil (porcupine 1.3.1)"

// searchLimit ends a search that nobody gave a deadline.
const searchLimit = 30 * time.Second

// Linearizable returns the checker that reads, writes and cas on each key of
// the object have an order that fits both real time and what they returned. A
// key starts as nil.
//
// A cas takes the list [from, to]. One that returned false found another value
// than from, and one that failed says nothing. A write or cas of unknown outcome
// may take effect at any later time, or never.
//
// The search ends with unknown when its context ends (after 30 s if that has no
// deadline), or when a key needs more steps than fit in memory.
func Linearizable(object string) check.Checker {
	return &checker{"linearizable", object, judgeLinearizable}
}

func judgeLinearizable(ctx context.Context, object string, in check.Input) check.Result {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, searchLimit)
		defer cancel()
	}
	keys, err := registers(modelOps(in, object))
	if err != nil {
		return unknown("%v", err)
	}
	if len(keys) == 0 {
		return unknown("%q recorded no operation that ended well", object)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(keys)), register.looked) {
		return unknown("%q recorded no read or cas that ended well: its writes fit any order", object)
	}
	return judgeKeys(ctx, keys)
}

// judgeKeys fails on the first key that has no order, in order of key.
func judgeKeys(ctx context.Context, keys map[string]register) check.Result {
	var undecided []string
	ops := 0
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		register := keys[key]
		ops += len(register)
		switch v, reason := register.search(ctx); v {
		case verdict.Fail:
			witness := register.witness(ctx)
			res := fail(witness.records(), "key %s: no order of its operations fits real time: %s", key, witness)
			res.Model = registerModel
			return res
		case verdict.Unknown:
			undecided = append(undecided, fmt.Sprintf("key %s: %s", key, reason))
		}
	}
	res := pass("%d operations on %d keys have an order that fits real time", ops, len(keys))
	if len(undecided) > 0 {
		res = unknown("no order was found nor ruled out: %s", some(undecided))
	}
	res.Model = registerModel
	return res
}

// A register is the operations of one key that say something about it.
type register []registerOp

// A registerOp is an operation with its values as numbers, equal where the values are; 0 is nil.
type registerOp struct {
	action  action
	arg     int  // read: what it returned; write: what it wrote; cas: from
	to      int  // cas
	pending bool // it may take effect at any later time, or never
	op      *history.Op
}

type action uint8

const (
	read action = iota
	write
	swap   // a cas that took effect, or if pending may
	noSwap // a cas that found another value
)

// registers returns the operations by key.
func registers(ops []*history.Op) (map[string]register, error) {
	keys := map[string]register{}
	numbers := map[string]map[string]int{}
	for _, op := range ops {
		key := text(op.Key)
		if numbers[key] == nil {
			numbers[key] = map[string]int{text(history.Value{}): 0}
		}
		number := func(v history.Value) int {
			t := text(v)
			if _, ok := numbers[key][t]; !ok {
				numbers[key][t] = len(numbers[key])
			}
			return numbers[key][t]
		}
		r, relevant, err := newRegisterOp(op, number)
		if err != nil {
			return nil, err
		}
		if relevant {
			keys[key] = append(keys[key], r)
		}
	}
	return keys, nil
}

func newRegisterOp(op *history.Op, number func(history.Value) int) (r registerOp, relevant bool, err error) {
	r = registerOp{pending: op.Outcome == history.Maybe, op: op}
	relevant = op.Outcome != history.Failed
	switch op.Name {
	case "read":
		r.action, r.arg = read, number(op.Output)
		return r, op.Outcome == history.OK, nil
	case "write":
		r.action, r.arg = write, number(op.Input)
		return r, relevant, nil
	case "cas":
		pair := op.Input.Items()
		if len(pair) != 2 {
			return r, false, fmt.Errorf("operation %d is a cas of %v, and [from, to] was expected", op.ID, op.Input)
		}
		r.action, r.arg, r.to = swap, number(pair[0]), number(pair[1])
		if swapped, ok := op.Output.AsBool(); ok && !swapped && !r.pending {
			r.action = noSwap
		}
		return r, relevant, nil
	}
	return r, false, fmt.Errorf("operation %d is a %s, and a register has only read, write and cas", op.ID, op.Name)
}

// looked says whether an operation found something out about the register, so
// that a wrong history could have been told from a right one.
func (r register) looked() bool {
	return slices.ContainsFunc(r, func(o registerOp) bool { return o.action != write && !o.pending })
}

// step applies an operation to the register's state. A pending cas that finds
// another value than from takes no effect; one that never arrives is ordered
// last, where nobody sees its effect.
func (o registerOp) step(state int) (legal bool, next int) {
	switch o.action {
	case read:
		return state == o.arg, state
	case write:
		return true, o.arg
	case noSwap:
		return state != o.arg, state
	}
	if state == o.arg {
		return true, o.to
	}
	return o.pending, state
}

// String tells the operations in order of call, in the shorthand of package
// history with the clients' names.
func (r register) String() string {
	var words []string
	for _, o := range r {
		letter := map[action]string{read: "r", write: "w", swap: "c", noSwap: "c"}[o.action]
		value, mark := o.op.Input, ""
		if o.action == read {
			value = o.op.Output
		}
		if o.pending {
			mark = "?"
		}
		if o.action == noSwap {
			mark = "!"
		}
		words = append(words, fmt.Sprintf("%s:%s%v%s", o.op.Client, letter, value, mark))
	}
	if len(words) > maxWitness {
		words = append([]string{fmt.Sprintf("… (%d before)", len(words)-maxWitness)}, words[len(words)-maxWitness:]...)
	}
	return strings.Join(words, " ")
}

// records returns the operations, the last ones if they are too many for a witness.
func (r register) records() []*history.Op {
	var ops []*history.Op
	for _, o := range r[max(0, len(r)-maxWitness):] {
		ops = append(ops, o.op)
	}
	return ops
}
