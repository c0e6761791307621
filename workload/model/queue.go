package model

import (
	"context"
	"math/rand/v2"

	"github.com/assay-dev/assay/history"
)

// A Queue is a database of a queue of numbers, empty at first.
type Queue interface {
	Enqueue(ctx context.Context, value int64) error
	// Dequeue takes the next number, and says whether there was one.
	Dequeue(ctx context.Context) (value int64, found bool, err error)
}

// Queues enqueues values, each once, dequeues as often, and at last takes out what is left.
//
// The operations are "enqueue" and "dequeue", whose output is nil where the queue was empty.
func Queues(ctx context.Context, o Options, open Open[Queue]) ([]history.Op, error) {
	o = o.defaults("queue")
	return run(ctx, o, open, plan[Queue]{
		each: func(client int, draw *rand.Rand) func() step[Queue] {
			values := &unique{o.Clients, client, 0}
			return func() step[Queue] {
				if draw.IntN(2) == 0 {
					return dequeue()
				}
				return enqueue(values.value())
			}
		},
		after: func(more func(step[Queue]) history.Op) {
			// A queue that gives the same value again and again would never be empty.
			for range 2 * o.Clients * o.Ops {
				if op := more(dequeue()); op.Outcome == history.OK && op.Output.IsNil() {
					return
				}
			}
		},
	})
}

func enqueue(value int64) step[Queue] {
	return step[Queue]{op: history.Op{Name: "enqueue", Input: history.Int(value)}, call: func(ctx context.Context, c Queue) (history.Value, error) {
		return history.Value{}, c.Enqueue(ctx, value)
	}}
}

func dequeue() step[Queue] {
	return step[Queue]{op: history.Op{Name: "dequeue"}, call: func(ctx context.Context, c Queue) (history.Value, error) {
		value, found, err := c.Dequeue(ctx)
		if err != nil || !found {
			return history.Value{}, err
		}
		return history.Int(value), nil
	}}
}
