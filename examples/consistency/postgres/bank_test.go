package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/examples/consistency/postgres"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload/model"
)

// levels are the isolation levels of Postgres, from the weakest.
func levels() []pgx.TxIsoLevel {
	return []pgx.TxIsoLevel{pgx.ReadUncommitted, pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable}
}

// fresh empties the tables, and gives three accounts 20 each.
func fresh(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), postgres.Schema+`; insert into accounts select n, 20 from generate_series(0, 2) n`); err != nil {
		t.Fatal(err)
	}
}

// tries is how many seeds a level that promises too little has to show it.
const tries = 20

// Money is made or lost where a transfer can overwrite another one, and seems to be where balances are read at different moments.
func TestBank(t *testing.T) {
	url := start(t)
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			keeps := level == pgx.RepeatableRead || level == pgx.Serializable
			seeds := uint64(tries)
			if keeps {
				seeds = 2
			}
			for seed := range seeds {
				fresh(t, url)
				ops, err := model.Transfers(t.Context(), model.Options{Seed: seed, Clients: 8, Ops: 30, Timeout: 5 * time.Second}, func(context.Context, int) (model.Bank, error) {
					return &postgres.Client{URL: url, Level: level}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				op, looks := wrongTotal(ops, 60)
				if looks < 30 {
					t.Fatalf("seed %d: only %d reads of the balances", seed, looks)
				}
				if op != nil && keeps {
					t.Fatalf("seed %d: read %d sees %v, and all had 60", seed, op.ID, op.Output)
				}
				if op != nil {
					t.Logf("seed %d: read %d of %s sees %v, and all had 60", seed, op.ID, op.Client, op.Output)
					return
				}
			}
			if !keeps {
				t.Errorf("after %d seeds no balance was wrong", tries)
			}
		})
	}
}

// wrongTotal returns the first read of balances whose sum is another one, and how many reads there were.
func wrongTotal(ops []history.Op, total int64) (wrong *history.Op, looks int) {
	for i, op := range ops {
		if op.Name != "read" || op.Outcome != history.OK {
			continue
		}
		looks++
		sum := int64(0)
		for _, e := range op.Output.Entries() {
			balance, _ := e.Val.AsInt()
			sum += balance
		}
		if sum != total && wrong == nil {
			wrong = &ops[i]
		}
	}
	return wrong, looks
}
