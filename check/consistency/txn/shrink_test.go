package txn

import (
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// A smaller history fails the same way, and nothing can be left out of it.
func TestShrink(t *testing.T) {
	t.Parallel()
	shrunk := 0
	for seed := range rounds(15) {
		rng := rand.New(rand.NewPCG(uint64(seed), 4))
		h := build(t, ListAppend, simulate(rng, SnapshotIsolation, 40))
		whole := Check(t.Context(), h, Serializable)
		sub, txns := Shrink(t.Context(), h, Serializable)
		if whole.Verdict != verdict.Fail {
			if sub != nil {
				t.Errorf("seed %d: a history that passes was made smaller", seed)
			}
			continue
		}
		res := Check(t.Context(), sub, Serializable)
		if res.Verdict != verdict.Fail || res.worst(Serializable).Name != whole.worst(Serializable).Name {
			t.Errorf("seed %d: got %v: %s, want %s", seed, res.Verdict, res.Reason, whole.Reason)
		}
		if txns != nil && len(txns) < h.Len() {
			shrunk++
		}
	}
	if shrunk == 0 {
		t.Error("nothing was made smaller")
	}
}
