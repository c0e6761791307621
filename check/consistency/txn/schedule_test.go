package txn

import (
	"math/rand/v2"
	"testing"
)

// The search for an order decides alone, without any order of versions that was inferred from that of transactions.
func TestSearchAgainstAllOrders(t *testing.T) {
	t.Parallel()
	ends := map[ending]int{}
	for seed := range rounds(4000) {
		rng := rand.New(rand.NewPCG(uint64(seed), 10))
		txns := randomSmall(rng, Register)
		h := build(t, Register, txns)
		for _, want := range []level{byData, byProcess, byTime} {
			g := newRegisters(h, want)
			r := newReporter(h)
			g.direct(r)
			if unfit(h) != "" || len(r.found) > 0 {
				continue
			}
			s := newScheduler(t.Context(), h, g.graph(want).without(inferredWW|inferredRW), g.live, g.touches, false, orderSteps)
			end := s.search()
			ends[end]++
			if is := serializable(Register, txns, want); (end == found) != is || end == outOfSteps {
				t.Fatalf("seed %d: got ending %d, and that there is an order is %v\n%s", seed, end, is, show(txns))
			}
		}
	}
	if ends[found] == 0 || ends[none] == 0 {
		t.Errorf("got endings %v, want some of both", ends)
	}
	t.Log(ends)
}
