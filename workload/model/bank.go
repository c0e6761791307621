package model

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/assay-dev/assay/history"
)

// A Bank is a database of accounts, numbered from 0, whose balances the user has set.
type Bank interface {
	// Transfer moves an amount in one transaction. It returns ErrFunds, and moves nothing, where from has less.
	Transfer(ctx context.Context, from, to int, amount int64) error
	// Balances reads all accounts in one transaction.
	Balances(ctx context.Context) ([]int64, error)
}

// ErrFunds says that an account has less than was to be transferred. A transfer that returns it had no effect.
var ErrFunds = Refused(errors.New("not enough money"))

// Transfers moves amounts of 1 to 5 between Options.Keys accounts, and reads the balances: once before the clients begin, which
// says what the total is, now and then while they act, and once after.
//
// The operations are "transfer", with the input {"amount", "from", "to"}, and "read", whose output maps accounts to balances.
func Transfers(ctx context.Context, o Options, open Open[Bank]) ([]history.Op, error) {
	o = o.defaults("bank")
	o.Keys = max(o.Keys, 2)
	return run(ctx, o, open, plan[Bank]{
		before: []step[Bank]{balances()},
		each: func(_ int, draw *rand.Rand) func() step[Bank] {
			return func() step[Bank] {
				from, to, amount, look := draw.IntN(o.Keys), draw.IntN(o.Keys-1), int64(1+draw.IntN(5)), draw.IntN(2) == 0
				if look {
					return balances()
				}
				if to >= from {
					to++
				}
				return transfer(from, to, amount)
			}
		},
		after: func(more func(step[Bank]) history.Op) { more(balances()) },
	})
}

func transfer(from, to int, amount int64) step[Bank] {
	input := history.Map(history.Entry{Key: history.String("amount"), Val: history.Int(amount)},
		history.Entry{Key: history.String("from"), Val: history.Int(int64(from))}, history.Entry{Key: history.String("to"), Val: history.Int(int64(to))})
	return step[Bank]{op: history.Op{Name: "transfer", Input: input}, call: func(ctx context.Context, c Bank) (history.Value, error) {
		return history.Value{}, c.Transfer(ctx, from, to, amount)
	}}
}

func balances() step[Bank] {
	return step[Bank]{op: history.Op{Name: "read"}, pure: true, call: func(ctx context.Context, c Bank) (history.Value, error) {
		all, err := c.Balances(ctx)
		if err != nil {
			return history.Value{}, err
		}
		var entries []history.Entry
		for account, balance := range all {
			entries = append(entries, history.Entry{Key: history.Int(int64(account)), Val: history.Int(balance)})
		}
		return history.Map(entries...), nil
	}}
}
