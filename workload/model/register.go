package model

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/assay-dev/assay/history"
)

// A Register is a database that keeps a number for each key.
type Register interface {
	// Read returns the number of a key, and whether it has one.
	Read(ctx context.Context, key string) (value int64, found bool, err error)
	Write(ctx context.Context, key string, value int64) error
}

// A Swapper is a Register that also compares and sets at once.
type Swapper interface {
	Register
	// Swap writes to, if the key has from, and says whether it did. False is the word that the key had another number.
	Swap(ctx context.Context, key string, from, to int64) (swapped bool, err error)
}

// Registers reads and writes registers that have no value at first, and swaps the values of those that are Swappers. No value is
// written twice.
//
// The operations are "read", "write" and "cas", as consistency.Linearizable judges them.
func Registers(ctx context.Context, o Options, open Open[Register]) ([]history.Op, error) {
	o = o.defaults("registers")
	return run(ctx, o, open, plan[Register]{each: func(client int, draw *rand.Rand) func() step[Register] {
		r := registers{unique: unique{o.Clients, client, 0}, draw: draw, keys: o.Keys, known: map[string]int64{}}
		return r.next
	}})
}

// registers are the operations of one client.
type registers struct {
	unique
	draw  *rand.Rand
	keys  int
	known map[string]int64 // what the client saw last, so that a swap has a chance
}

func (r *registers) next() step[Register] {
	// As many draws for each operation, so that none depends on what those before it found.
	key, kind := fmt.Sprintf("k%d", r.draw.IntN(r.keys)), r.draw.IntN(10)
	switch {
	case kind < 5:
		return r.read(key)
	case kind < 8:
		return r.write(key, r.value())
	}
	return r.swap(key, r.value())
}

func (r *registers) read(key string) step[Register] {
	return step[Register]{op: history.Op{Name: "read", Key: history.String(key)}, pure: true,
		call: func(ctx context.Context, c Register) (history.Value, error) {
			value, found, err := c.Read(ctx, key)
			if err != nil || !found {
				return history.Value{}, err
			}
			r.known[key] = value
			return history.Int(value), nil
		}}
}

func (r *registers) write(key string, value int64) step[Register] {
	return step[Register]{op: history.Op{Name: "write", Key: history.String(key), Input: history.Int(value)},
		call: func(ctx context.Context, c Register) (history.Value, error) {
			r.known[key] = value
			return history.Value{}, c.Write(ctx, key, value)
		}}
}

// swap is a write where the client saw no value to compare with. A register that cannot swap refuses, and nothing was sent.
func (r *registers) swap(key string, to int64) step[Register] {
	from, ok := r.known[key]
	if !ok {
		return r.write(key, to)
	}
	return step[Register]{op: history.Op{Name: "cas", Key: history.String(key), Input: history.List(history.Int(from), history.Int(to))},
		call: func(ctx context.Context, c Register) (history.Value, error) {
			swapper, ok := c.(Swapper)
			if !ok {
				return history.Value{}, Refused(fmt.Errorf("a %T cannot swap", c))
			}
			swapped, err := swapper.Swap(ctx, key, from, to)
			if swapped {
				r.known[key] = to
			}
			return history.Bool(swapped), err
		}}
}

// unique gives values that no other client gives, and none twice.
type unique struct{ clients, client, given int }

func (u *unique) value() int64 {
	u.given++
	return int64((u.given-1)*u.clients + u.client + 1)
}
