package consistency

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/assay-dev/assay/verdict"
)

// searchBytes bounds what one search remembers: each step may store which
// operations it has ordered, a bit for each.
const searchBytes = 256 << 20

// search says whether the register has an order that fits real time.
// The number of steps is bounded too, and that bound is the same on every machine.
func (r register) search(ctx context.Context) (verdict.Verdict, string) {
	ops := r.withoutUnseen()
	limit := int64(searchBytes / (len(ops)/8 + 64))
	if int64(len(ops)) > limit {
		return verdict.Unknown, fmt.Sprintf("%d operations are too many to decide in memory", len(ops))
	}
	var steps atomic.Int64
	var ended atomic.Bool
	defer context.AfterFunc(ctx, func() { ended.Store(true) })()
	model := porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			legal, next := input.(registerOp).step(state.(int))
			// Once stopped nothing is legal, and the search runs out of choices.
			legal = legal && !ended.Load() && steps.Add(1) <= limit
			return legal, next
		},
		Hash: func(state any) uint64 { return uint64(state.(int)) },
	}
	legal := porcupine.CheckOperations(model, ops.operations())
	switch {
	case legal:
		return verdict.Pass, ""
	case ctx.Err() != nil || ended.Load():
		return verdict.Unknown, "the search did not end in time"
	case steps.Load() > limit:
		return verdict.Unknown, fmt.Sprintf("the search of %d operations took more than %d steps", len(ops), limit)
	}
	return verdict.Fail, ""
}

func (r register) operations() []porcupine.Operation {
	ops := make([]porcupine.Operation, len(r))
	for i, o := range r {
		ops[i] = porcupine.Operation{Input: o, Call: int64(o.op.Call), Return: int64(o.op.Return)}
		if o.pending {
			ops[i].Return = math.MaxInt64
		}
	}
	return ops
}

// withoutUnseen leaves out pending writes of values that nobody saw. They can be
// ordered last, where they change nothing; without them the search does not
// try each at every place.
func (r register) withoutUnseen() register {
	seen := r.seen()
	return slices.DeleteFunc(slices.Clone(r), func(o registerOp) bool {
		return o.pending && o.action == write && !seen(o.arg)
	})
}

// seen returns whether somebody found, or may have found, the register to hold a value.
// A cas that found another value than from may have found any.
func (r register) seen() func(value int) bool {
	values := map[int]bool{}
	any := false
	for _, o := range r {
		switch o.action {
		case read, swap:
			values[o.arg] = true
		case noSwap:
			any = true
		}
	}
	return func(value int) bool { return any || values[value] }
}

// witnessSearches bounds the work of making a witness small.
const witnessSearches = 400

// witness returns a small part of a register without an order that has none
// either, in order of call.
//
// Not every part will do: without a write, a right read of its value looks
// wrong. Sound are these: all that was called up to a moment, with what had not
// returned by then pending; without some of the reads; and without writes of
// values that nobody saw.
func (r register) witness(ctx context.Context) register {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	searches := 0
	fails := func(part register) bool {
		searches++
		v, _ := part.search(ctx)
		return v == verdict.Fail && searches <= witnessSearches
	}
	small := r.shortestPrefix(fails)
	for size := len(small) / 2; size >= 1; size /= 2 {
		for from := 0; from < len(small) && searches < witnessSearches; {
			part := small.without(from, min(from+size, len(small)))
			if len(part) < len(small) && fails(part) {
				small = part
				continue
			}
			from += size
		}
	}
	slices.SortStableFunc(small, func(a, b registerOp) int { return cmp.Compare(a.op.Call, b.op.Call) })
	return small
}

// shortestPrefix returns what had happened when the first wrong operation returned.
func (r register) shortestPrefix(fails func(register) bool) register {
	var returns []time.Duration
	for _, o := range r {
		if !o.pending {
			returns = append(returns, o.op.Return)
		}
	}
	slices.Sort(returns)
	// A history that is wrong up to a moment is wrong up to any later one.
	i, _ := slices.BinarySearchFunc(returns, true, func(at time.Duration, _ bool) int {
		if fails(r.upTo(at)) {
			return 0
		}
		return -1
	})
	if i == len(returns) {
		return slices.Clone(r) // the searches ran out
	}
	return r.upTo(returns[i])
}

// upTo returns what was called until a moment. What returned later is pending, and tells nothing.
func (r register) upTo(at time.Duration) register {
	var prefix register
	for _, o := range r {
		if o.op.Call > at {
			continue
		}
		if o.op.Return > at && !o.pending {
			if o.action == read || o.action == noSwap {
				continue
			}
			o.pending = true
		}
		prefix = append(prefix, o)
	}
	return prefix
}

// without leaves out what soundly can be of the operations in [from, to).
func (r register) without(from, to int) register {
	var part register
	for i, o := range r {
		if i < from || i >= to || o.action == write || o.action == swap {
			part = append(part, o)
		}
	}
	dropped := map[uint64]bool{}
	for _, o := range r[from:to] {
		dropped[o.op.ID] = true
	}
	seen := part.seen()
	return slices.DeleteFunc(part, func(o registerOp) bool {
		return dropped[o.op.ID] && o.action == write && !seen(o.arg)
	})
}
