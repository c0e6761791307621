package simrun

import (
	"cmp"
	"context"
	"slices"

	"github.com/assay-dev/assay/sim"
)

// How few decisions are left hangs on the seed where the search for them began: one that failed early, or after little ado, leaves less to
// undo. So a failure of many decisions is compared with those of other seeds that fail in the same way, and the search goes on from the one of
// which the fewest are left. All of them are made with the seed of the failure itself: what fails only with another seed's random
// values is no form of it.

const (
	few      = 10 // decisions that a person can follow: with more of them other seeds are looked for
	mostGone = 4  // of so many leads the search goes further than to the end that can be left out
)

// A lead is where the search for few decisions may begin: those of the failure, or of another seed that fails in the same way.
type lead struct {
	seed      uint64 // 0: the failure itself
	mode      string
	decisions []sim.Decision
}

// A trail is a lead, and what was found from there.
type trail struct {
	lead
	best candidate
}

// compare goes on from the lead of which fewest decisions are left, and keeps the others for later.
func (s *shrinker) compare(ctx context.Context) error {
	if s.seek == nil || !s.named || len(s.best.decisions) <= few {
		return nil
	}
	leads, took, err := s.seek(ctx, s.most)
	s.runs += took.runs
	s.seeds = took.seeds
	if err != nil {
		return err
	}
	trails := []trail{{best: s.best}}
	for _, l := range leads {
		t, ok, err := s.enter(ctx, l)
		if err != nil {
			return err
		}
		if ok {
			trails = append(trails, t)
		}
	}
	if len(trails) == 1 {
		return nil
	}
	fewest := func(a, b trail) int { return cmp.Compare(len(a.best.decisions), len(b.best.decisions)) }
	slices.SortStableFunc(trails, fewest)
	for i := range trails[:min(len(trails), mostGone)] {
		if err := s.along(ctx, &trails[i], s.directed); err != nil {
			return err
		}
	}
	slices.SortStableFunc(trails, fewest)
	s.follow(trails[0])
	s.rest = trails[1:]
	return nil
}

// enter makes a lead's decisions with the failure's seed. It reports false where that does not fail in the same way.
func (s *shrinker) enter(ctx context.Context, l lead) (t trail, ok bool, err error) {
	t = trail{l, candidate{decisions: l.decisions}}
	err = s.along(ctx, &t, func(ctx context.Context) error {
		i, err := s.first(ctx, 1, func(int) []sim.Decision { return l.decisions })
		if ok = i == 0; !ok || err != nil {
			return err
		}
		if err := s.kinds(ctx); err != nil {
			return err
		}
		return s.prefix(ctx)
	})
	return t, ok, err
}

// along searches on a trail. The best so far stays what it is.
func (s *shrinker) along(ctx context.Context, t *trail, pass func(context.Context) error) error {
	kept := s.best
	defer func() { s.best = kept }()
	s.best = t.best
	err := pass(ctx)
	t.best = s.best
	return err
}

func (s *shrinker) follow(t trail) { s.best, s.from = t.best, t.lead }

// others goes along the trails that are left, as long as there are many decisions.
func (s *shrinker) others(ctx context.Context) error {
	for i := range s.rest {
		t := &s.rest[i]
		if len(s.best.decisions) <= few || !s.time() {
			return nil
		}
		if err := s.along(ctx, t, s.smaller); err != nil {
			return err
		}
		if len(t.best.decisions) < len(s.best.decisions) {
			s.follow(*t)
		}
	}
	return nil
}
