package etcd_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/examples/consistency/etcd"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload/model"
)

// One member of three is cut off. Three clients write and read at the others; the fourth writes there, too, and reads at the member
// that is cut off. Linearizable reads are not answered there, so nobody is told what is no longer true. Serializable reads are
// answered, with what was there before the cut.
func TestReadsAtAMemberThatIsCutOff(t *testing.T) {
	c := start(t)
	for _, test := range []struct {
		reads        string
		serializable bool
		want         verdict.Verdict
	}{
		{"linearizable", false, verdict.Pass},
		{"serializable", true, verdict.Fail},
	} {
		for seed := range uint64(2) {
			t.Run(fmt.Sprintf("%s/seed=%d", test.reads, seed), func(t *testing.T) {
				res := c.judge(t, seed, test.serializable)
				if res.Verdict != test.want {
					t.Fatalf("got %s: %s; want %s", res.Verdict, res.Reason, test.want)
				}
				t.Logf("%s: %s", res.Verdict, res.Reason)
			})
		}
	}
}

func (c *cluster) judge(t *testing.T, seed uint64, serializable bool) check.Result {
	t.Helper()
	far := c.follower()
	heal := c.cut(far)
	defer heal()
	ops, err := model.Registers(t.Context(), model.Options{Seed: seed, Clients: 4, Ops: 30, Timeout: 500 * time.Millisecond},
		func(ctx context.Context, client int) (model.Register, error) {
			near := (far + 1 + client%2) % 3
			r := &etcd.Register{Prefix: t.Name() + "/", Serializable: serializable}
			var err, also error
			r.Writer, err = c.dial(ctx, near)
			if client == 3 {
				near = far
			}
			r.Reader, also = c.dial(ctx, near)
			return r, errors.Join(err, also)
		})
	if err != nil {
		t.Fatal(err)
	}
	if c.behind(far) == 0 { // proof of effect: else the test would say nothing
		t.Fatalf("member %d was cut off, and is not behind", far+1)
	}
	return consistency.Linearizable("registers").Check(t.Context(), check.Input{Ops: ops})
}
