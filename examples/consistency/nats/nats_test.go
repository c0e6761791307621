package nats_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/examples/consistency/nats"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

// One replica of three is cut off. Three clients write and read at the other servers; the fourth writes there, too, and reads at the
// server that is cut off. Where reads go to the stream's leader they are not answered there, so nobody is told what is no longer
// true. Direct gets are answered by the replica, with what was there before the cut.
func TestReadsAtAReplicaThatIsCutOff(t *testing.T) {
	for _, test := range []struct {
		reads  string
		direct bool
		want   verdict.Verdict
	}{
		{"leader", false, verdict.Pass},
		{"direct", true, verdict.Fail},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/seed=%d", test.reads, seed), func(t *testing.T) {
				res := judge(t, seed, test.direct)
				if res.Verdict != test.want {
					t.Fatalf("got %s: %s; want %s", res.Verdict, res.Reason, test.want)
				}
				t.Logf("%s: %s", res.Verdict, res.Reason)
			})
		}
	}
}

func judge(t *testing.T, seed uint64, direct bool) check.Result {
	t.Helper()
	c := start(t)
	c.bucket("registers", direct)
	far := c.replica("registers")
	var kvs [3]jetstream.KeyValue
	for n := range kvs {
		kvs[n] = c.open(n, "registers") // before the cut: a server that is alone opens nothing
	}
	c.cut(far)
	if direct {
		c.until("the replica answers direct gets", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, err := kvs[far].Get(ctx, "k0")
			return errors.Is(err, jetstream.ErrKeyNotFound)
		})
	}
	ops, err := model.Registers(t.Context(), model.Options{Seed: seed, Clients: 4, Ops: 30, Timeout: 500 * time.Millisecond},
		func(_ context.Context, client int) (model.Register, error) {
			near := (far + 1 + client%2) % 3
			if client == 3 {
				return nats.Register{Writer: kvs[near], Reader: kvs[far]}, nil
			}
			return nats.Register{Writer: kvs[near], Reader: kvs[near]}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	if ahead := c.last((far+1)%3, "registers"); c.last(far, "registers") >= ahead { // proof of effect: else the test would say nothing
		t.Fatalf("server %d was cut off, and is not behind message %d", far+1, ahead)
	}
	return consistency.Linearizable("registers").Check(t.Context(), check.Input{Ops: ops})
}
