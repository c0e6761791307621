package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/examples/consistency/postgres"
	"github.com/assay-dev/assay/verdict"
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

// tries is how many seeds a level that promises too little has to show it. Its clients meet in their transactions, so the first one
// does; the others are for a machine that is too busy to let them.
const tries = 3

// Money is made or lost where a transfer can overwrite another one, and seems to be where balances are read at different moments.
func TestBank(t *testing.T) {
	url := start(t).url
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			keeps := level == pgx.RepeatableRead || level == pgx.Serializable
			seeds := uint64(tries)
			if keeps {
				seeds = 2
			}
			for seed := range seeds {
				fresh(t, url)
				meeting := &model.Meeting{}
				ops, err := model.Transfers(t.Context(), model.Options{Seed: seed, Clients: 8, Ops: 30, Timeout: 5 * time.Second}, func(context.Context, int) (model.Bank, error) {
					return &postgres.Client{URL: url, Level: level, Meeting: meeting}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				res := txn.Bank(ops, 60, false)
				if res.Verdict == verdict.Unknown || keeps && res.Verdict != verdict.Pass {
					t.Fatalf("seed %d: got %s: %s", seed, res.Verdict, res.Reason)
				}
				if res.Verdict == verdict.Fail {
					t.Logf("seed %d: %s", seed, res.Reason)
					return
				}
			}
			if !keeps {
				t.Errorf("after %d seeds no balance was wrong", tries)
			}
		})
	}
}
