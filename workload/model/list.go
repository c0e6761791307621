package model

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/assay-dev/assay/history"
)

// A Micro is one operation of a transaction: it appends a value to a list, or reads one.
type Micro struct {
	Append bool
	Key    string
	Value  int64   // what is appended
	List   []int64 // what was read; empty if the list is
}

func (m Micro) value(done bool) history.Value {
	if m.Append {
		return history.List(history.String("append"), history.String(m.Key), history.Int(m.Value))
	}
	read := history.Value{}
	if done {
		items := make([]history.Value, len(m.List))
		for i, v := range m.List {
			items[i] = history.Int(v)
		}
		read = history.List(items...)
	}
	return history.List(history.String("r"), history.String(m.Key), read)
}

func micros(ms []Micro, done bool) history.Value {
	values := make([]history.Value, len(ms))
	for i, m := range ms {
		values[i] = m.value(done)
	}
	return history.List(values...)
}

// Lists is a database with transactions over lists, which are empty at first.
type Lists interface {
	// Txn does all operations in order, in one transaction, and fills in what its reads returned. An error of a transaction that was
	// rolled back for certain is to be Refused; one of a commit that was not answered is not.
	Txn(ctx context.Context, ops []Micro) error
}

// epoch is how many transactions of a client use the same keys. Then new ones come, so that lists do not grow long and keys that
// nobody wrote are read, too.
const epoch = 25

// ListAppend appends to lists and reads them in transactions of 1 to Options.Length operations, and at last reads each list once. No
// value is appended twice.
//
// The operations are "txn": the input is a list of ["append", key, value] and ["r", key, nil], and the output the same list with
// what was read.
func ListAppend(ctx context.Context, o Options, open Open[Lists]) ([]history.Op, error) {
	o = o.defaults("lists")
	return run(ctx, o, open, plan[Lists]{
		each: func(client int, draw *rand.Rand) func() step[Lists] {
			l := lists{unique: unique{o.Clients, client, 0}, draw: draw, options: o}
			return func() step[Lists] { return transaction(l.next()) }
		},
		after: func(more func(step[Lists]) history.Op) {
			for i := range keyCount(o) {
				more(transaction([]Micro{{Key: listKey(i)}}))
			}
		},
	})
}

// lists are the transactions of one client.
type lists struct {
	unique
	draw    *rand.Rand
	options Options
	done    int
}

func (l *lists) next() []Micro {
	ops := make([]Micro, 1+l.draw.IntN(l.options.Length))
	for i := range ops {
		ops[i] = Micro{Key: listKey(l.done/epoch*l.options.Keys + l.draw.IntN(l.options.Keys)), Append: l.draw.IntN(2) == 0}
		if ops[i].Append {
			ops[i].Value = l.value()
		}
	}
	l.done++
	return ops
}

func keyCount(o Options) int { return (o.Ops + epoch - 1) / epoch * o.Keys }

func listKey(i int) string { return fmt.Sprintf("k%d", i) }

func transaction(ops []Micro) step[Lists] {
	pure := true
	for _, m := range ops {
		pure = pure && !m.Append
	}
	return step[Lists]{op: history.Op{Name: "txn", Input: micros(ops, false)}, pure: pure,
		call: func(ctx context.Context, c Lists) (history.Value, error) {
			if err := c.Txn(ctx, ops); err != nil {
				return history.Value{}, err
			}
			return micros(ops, true), nil
		}}
}
