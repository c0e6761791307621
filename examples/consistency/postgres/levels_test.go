package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/verdict"
)

// Each level keeps what it promises, and is caught where the next stronger model is asked for. Of serializable that is strict
// serializable, which Postgres does not promise and one server seems to keep: nothing is said about it.
func TestLevels(t *testing.T) {
	url := start(t).url
	for level, c := range map[pgx.TxIsoLevel]struct{ promised, next txn.Model }{
		pgx.ReadUncommitted: {txn.ReadCommitted, txn.SnapshotIsolation}, // Postgres has no dirty reads
		pgx.ReadCommitted:   {txn.ReadCommitted, txn.SnapshotIsolation},
		pgx.RepeatableRead:  {txn.SnapshotIsolation, txn.Serializable},
		pgx.Serializable:    {txn.Serializable, ""},
	} {
		t.Run(string(level), func(t *testing.T) {
			for seed := range uint64(tries) {
				h, err := txn.FromOps(record(t, url, level, seed))
				if err != nil {
					t.Fatal(err)
				}
				if res := txn.Check(t.Context(), h, c.promised); res.Verdict != verdict.Pass {
					t.Fatalf("seed %d: %s: got %s: %+v", seed, c.promised, res.Verdict, res.Anomalies)
				}
				if c.next == "" && seed == 1 {
					return
				}
				if c.next == "" {
					continue
				}
				// Serializable is what the application needs, and is caught wherever the next model is.
				if res := txn.Check(t.Context(), h, c.next); res.Verdict == verdict.Fail && txn.Check(t.Context(), h, txn.Serializable).Verdict == verdict.Fail {
					t.Logf("seed %d: %d transactions are %s and not %s: %s", seed, h.Len(), c.promised, c.next, res.Reason)
					return
				}
			}
			t.Errorf("after %d seeds nothing speaks against %s", tries, c.next)
		})
	}
}
