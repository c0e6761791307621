package model

import (
	"context"
	"math/rand/v2"

	"github.com/assay-dev/assay/history"
)

// A Set is a database of a set of numbers, empty at first.
type Set interface {
	Add(ctx context.Context, value int64) error
	// Read returns all numbers.
	Read(ctx context.Context) ([]int64, error)
}

// Adds adds values to a set, each once, reads it now and then, and at last once more.
//
// The operations are "add" and "read".
func Adds(ctx context.Context, o Options, open Open[Set]) ([]history.Op, error) {
	o = o.defaults("set")
	return run(ctx, o, open, plan[Set]{
		each: func(client int, draw *rand.Rand) func() step[Set] {
			values := &unique{o.Clients, client, 0}
			return func() step[Set] {
				if draw.IntN(5) == 0 {
					return members()
				}
				return add(values.value())
			}
		},
		after: func(more func(step[Set]) history.Op) { more(members()) },
	})
}

func add(value int64) step[Set] {
	return step[Set]{op: history.Op{Name: "add", Input: history.Int(value)}, call: func(ctx context.Context, c Set) (history.Value, error) {
		return history.Value{}, c.Add(ctx, value)
	}}
}

func members() step[Set] {
	return step[Set]{op: history.Op{Name: "read"}, pure: true, call: func(ctx context.Context, c Set) (history.Value, error) {
		all, err := c.Read(ctx)
		if err != nil {
			return history.Value{}, err
		}
		values := make([]history.Value, len(all))
		for i, v := range all {
			values[i] = history.Int(v)
		}
		return history.List(values...), nil
	}}
}
