package linear

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

func TestGuarantees(t *testing.T) {
	t.Parallel()
	const ok, bad, open = verdict.Pass, verdict.Fail, verdict.Unknown
	for _, tt := range []struct {
		name, history string
		want          [4]verdict.Verdict // monotonic reads, read your writes, monotonic writes, writes follow reads
	}{
		{"all kept", "0:w1 1:r1 0:w2 1:r2", [4]verdict.Verdict{ok, ok, ok, ok}},
		{"stale, and yet kept", "0:w1 0:w2 1:r1 1:r2", [4]verdict.Verdict{ok, ok, ok, ok}},
		{"back to an older one", "0:w1 1:w2 2:r1 2:r2 2:r1", [4]verdict.Verdict{bad, open, open, open}},
		{"back to nil", "0:w1 2:r1 2:r", [4]verdict.Verdict{bad, open, open, open}},
		{"its own write is not there", "0:w1 0:r", [4]verdict.Verdict{ok, bad, ok, ok}},
		{"its own write is older for others", "0:w1 1:w2 0:r2 2:r2 2:r1", [4]verdict.Verdict{ok, bad, ok, ok}},
		{"writes seen the other way round", "0:w1 0:w2 1:r2 1:r1", [4]verdict.Verdict{ok, ok, bad, ok}},
		{"a pending write may come late", "0:w1? 0:w2 1:r2 1:r1", [4]verdict.Verdict{ok, ok, ok, ok}},
		{"a write before what was read", "0:w1 1:r1 1:w2 2:r2 2:r1", [4]verdict.Verdict{ok, ok, ok, bad}},
		{"two writers see each other's", "0:w1 1:w2 0:r2 1:r1", [4]verdict.Verdict{ok, bad, ok, ok}},
		{"keys are apart", "0:wj=1 0:wk=1 1:rk=1 1:rj=", [4]verdict.Verdict{ok, ok, ok, ok}},
		{"not unique", "0:w1 1:w1", [4]verdict.Verdict{open, open, open, open}},
		{"never written", "0:w1 1:r7", [4]verdict.Verdict{open, open, open, open}},
		{"a cas", "0:w1 1:c[1,2]", [4]verdict.Verdict{open, open, open, open}},
	} {
		ops, err := history.Shorthand(tt.history)
		if err != nil {
			t.Fatal(err)
		}
		for i, g := range Guarantees(ops) {
			if g.Verdict != tt.want[i] || g.Reason == "" || (g.Verdict == bad) != (len(g.Core) > 0) {
				t.Errorf("%s: %s: %v (%s), want %v", tt.name, g.Name, g.Verdict, g.Reason, tt.want[i])
			}
		}
	}
}

// What has one order for all clients keeps every guarantee.
func TestSequentialKeepsGuarantees(t *testing.T) {
	t.Parallel()
	broken := 0
	for seed := range uint64(histories()) {
		r := rand.New(rand.NewPCG(seed, 5))
		var next int64
		ops := drawHistory(r, 8, uniqueDrawers()["register"](&next))
		for i := range ops {
			ops[i].Client, ops[i].Call, ops[i].Return = []string{"a", "b", "c"}[r.IntN(3)], time.Duration(2*i), time.Duration(2*i+1)
		}
		fails := slices.ContainsFunc(Guarantees(ops), func(g Guarantee) bool { return g.Verdict == verdict.Fail })
		if fails {
			broken++
		}
		if fails && hasAnOrder(Register(), ops, true) {
			t.Fatalf("seed %d: sequentially consistent, and a guarantee is broken: %v\n%s", seed, Guarantees(ops), show(ops))
		}
	}
	if broken < histories()/50 {
		t.Errorf("%d histories break a guarantee", broken)
	}
}

// One violation in a large history breaks its guarantee, and no other but those that cannot be told.
func TestGuaranteesPlanted(t *testing.T) {
	t.Parallel()
	const ok, bad, open = verdict.Pass, verdict.Fail, verdict.Unknown
	for _, tt := range []struct {
		name, history string
		want          [4]verdict.Verdict
	}{
		{"monotonic reads", "a:wx=-1 b:wx=-2 c:rx=-1 c:rx=-2 c:rx=-1", [4]verdict.Verdict{bad, open, open, open}},
		{"read your writes", "a:wx=-1 b:wx=-2 a:rx=-2 c:rx=-2 c:rx=-1", [4]verdict.Verdict{ok, bad, ok, ok}},
		{"monotonic writes", "a:wx=-1 a:wx=-2 c:rx=-2 c:rx=-1", [4]verdict.Verdict{ok, ok, bad, ok}},
		{"writes follow reads", "a:wx=-1 b:rx=-1 b:wx=-2 c:rx=-2 c:rx=-1", [4]verdict.Verdict{ok, ok, ok, bad}},
	} {
		few, err := history.Shorthand(tt.history)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 5000} {
			ops := sessionHistory(3, n, 8, 4)
			for _, op := range few {
				op.ID, op.Client = op.ID+uint64(n), op.Client+"'"
				op.Call, op.Return = op.Call+time.Duration(2*n+2), op.Return+time.Duration(2*n+2)
				ops = append(ops, op)
			}
			for i, g := range Guarantees(ops) {
				if g.Verdict != tt.want[i] {
					t.Errorf("%s broken after %d operations: %s: %v (%s), want %v", tt.name, n, g.Name, g.Verdict, g.Reason, tt.want[i])
				}
				for _, at := range g.Core {
					if int(at) < n {
						t.Errorf("%s: operation %d is in the core, and right", g.Name, at)
					}
				}
			}
		}
	}
}
