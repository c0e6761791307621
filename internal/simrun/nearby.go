package simrun

import (
	"context"
	"slices"

	"github.com/assay-dev/assay/sim"
)

// What is left when nothing can be left out by itself is a small failure, and not always the smallest: another decision may do the work of
// several. These passes look at what lies near it.

// mostNearby is of how many decisions the neighbours are tried: there are k² of them, and of half as many k³.
const mostNearby = 20

// nearby makes one decision stronger and leaves out one, two or three others.
func (s *shrinker) nearby(ctx context.Context) error {
	for s.time() {
		all := s.best.decisions
		k := len(all)
		if k > mostNearby || k < 2 {
			return nil
		}
		var candidates [][]sim.Decision
		for i := -1; i < k; i++ { // -1: none is made stronger
			base := all
			if i >= 0 {
				d, ok := stronger(all[i])
				if !ok {
					continue
				}
				base = slices.Clone(all)
				base[i] = d
			}
			candidates = append(candidates, less(base, i)...)
		}
		slices.SortStableFunc(candidates, func(a, b []sim.Decision) int { return len(a) - len(b) })
		i, err := s.first(ctx, len(candidates), func(i int) []sim.Decision { return candidates[i] })
		if err != nil || i == len(candidates) {
			return err
		}
	}
	return nil
}

// stronger is a decision that does more of the same: who is preempted is held back until nobody else can run, what takes
// longer takes as long as it can.
func stronger(d sim.Decision) (sim.Decision, bool) {
	switch {
	case d.Kind == "yield" && d.Choice == 1:
		d.Choice, d.N = 2, 3
		return d, true
	case d.Kind == "env" && d.Choice+1 < d.N:
		d.Choice = d.N - 1
		return d, true
	}
	return d, false
}

// less are all ways to leave out one or two decisions, and three of few, but number i.
func less(all []sim.Decision, i int) (ways [][]sim.Decision) {
	k := len(all)
	without := func(out ...int) {
		if slices.Contains(out, i) {
			return
		}
		rest := make([]sim.Decision, 0, k)
		for j, d := range all {
			if !slices.Contains(out, j) {
				rest = append(rest, d)
			}
		}
		ways = append(ways, rest)
	}
	for a := range k {
		without(a)
		for b := range a {
			if k <= mostNearby*3/4 {
				without(a, b)
			}
			for c := range b {
				if k <= mostNearby/2 {
					without(a, b, c)
				}
			}
		}
	}
	return ways
}

// lower brings what was drawn near what happens without a reason: a delay that is longer than need be misleads.
func (s *shrinker) lower(ctx context.Context) error {
	for i := 0; i < len(s.best.decisions) && len(s.best.decisions) <= mostNearby; i++ {
		n := len(s.best.decisions)
		for low := uint64(1); s.time() && i < len(s.best.decisions); {
			d := s.best.decisions[i]
			if d.Kind != "env" || low >= d.Choice {
				break
			}
			d.Choice = (low + d.Choice) / 2
			fewer := slices.Clone(s.best.decisions)
			fewer[i] = d
			found, err := s.first(ctx, 1, func(int) []sim.Decision { return fewer })
			if err != nil {
				return err
			}
			if found != 0 {
				low = d.Choice + 1
			}
		}
		if len(s.best.decisions) < n {
			i = -1
		}
	}
	return nil
}
