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

// Transactions over lists are recorded at each level, and none is of unknown outcome where nothing broke: what Postgres rolls back
// certainly had no effect, and no list shows it.
func TestListsAreRecorded(t *testing.T) {
	url := start(t).url
	for _, level := range levels() {
		t.Run(string(level), func(t *testing.T) {
			ops := record(t, url, level, 1)
			refused, seen, done := map[string]bool{}, map[string]bool{}, 0
			for _, op := range ops {
				switch op.Outcome {
				case history.Maybe:
					t.Logf("operation %d: %s", op.ID, op.Error) // a busy machine
				case history.OK:
					done++
				}
				for _, m := range append(op.Output.Items(), op.Input.Items()...) {
					part := m.Items()
					if text, _ := part[0].AsString(); text == "append" && op.Outcome == history.Failed {
						refused[part[2].String()] = true
					}
					for _, v := range part[2].Items() {
						seen[v.String()] = true
					}
				}
			}
			if done < len(ops)/10 || len(seen) == 0 {
				t.Errorf("%d of %d transactions were done, and %d values read", done, len(ops), len(seen))
			}
			for v := range refused {
				if seen[v] {
					t.Errorf("value %s was rolled back, and read", v)
				}
			}
		})
	}
}

func record(t *testing.T, url string, level pgx.TxIsoLevel, seed uint64) []history.Op {
	t.Helper()
	fresh(t, url)
	meeting := &model.Meeting{}
	ops, err := model.ListAppend(t.Context(), model.Options{Seed: seed, Clients: 8, Ops: 50, Timeout: 5 * time.Second}, func(context.Context, int) (model.Lists, error) {
		return &postgres.Client{URL: url, Level: level, Meeting: meeting}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ops
}
