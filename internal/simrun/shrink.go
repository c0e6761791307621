package simrun

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Limits of the search for the few decisions that matter.
const (
	shrinkRuns = 5000
	shrinkTime = time.Minute
	fewPairs   = 24 // of so many decisions each pair is tried
)

// A shrinker looks for the few decisions that a failure needs: delta debugging, where each candidate is a
// run in a process of its own, with plain decisions where it says nothing.
type shrinker struct {
	test    string
	sign    string // how it must fail
	workers int
	until   time.Time
	tell    func(runs, decisions int)
	attempt func(ctx context.Context, name string, decisions []sim.Decision, most limits) (candidate, error)
	seek    func(ctx context.Context, most limits) ([]lead, sought, error) // other seeds that fail in the same way; nil: nobody looks

	best  candidate
	from  lead    // where best comes from
	rest  []trail // other ways that were not gone to the end
	named bool    // decisions are found again by name
	loose bool    // a candidate that fails is taken only if it is recorded as a smaller one
	most  limits  // a candidate that goes on for far longer than the failure did is given up
	runs  int
	seeds int                        // that were looked at for leads
	no    map[[sha256.Size]byte]bool // candidates that do not fail
}

// shrink makes the decisions of a failure few. It reports false where not even all of them make it fail again.
func (s *shrinker) shrink(ctx context.Context, all []sim.Decision) (bool, error) {
	s.no = map[[sha256.Size]byte]bool{}
	s.best.decisions = all
	fails := false
	for _, s.named = range []bool{true, false} {
		if !s.named {
			all = numbered(all)
		}
		i, err := s.first(ctx, 1, func(int) []sim.Decision { return all })
		if err != nil {
			return false, err
		}
		if fails = i == 0; fails {
			break
		}
	}
	if !fails {
		return false, nil
	}
	s.most = enough(s.best)
	for _, pass := range []func(context.Context) error{s.kinds, s.prefix, s.compare, s.smaller, s.others, s.lower} {
		if err := pass(ctx); err != nil {
			return true, err
		}
	}
	return true, nil
}

// smaller leaves out what it can in each way, until none finds more.
func (s *shrinker) smaller(ctx context.Context) error {
	for before := -1; before != len(s.best.decisions) && s.time(); {
		before = len(s.best.decisions)
		for _, pass := range []func(context.Context) error{s.kinds, s.prefix, s.directed, s.chunks, s.pairs, s.nearby} {
			if err := pass(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// enough is how long a candidate may go on: without some of its decisions a program may go round for ever. It is counted in what a seed
// decides, so that the same candidates are given up on each machine.
func enough(c candidate) limits {
	if c.report == nil || c.report.Steps == 0 || strings.Contains(c.sign, "assay sim: ") { // it failed by a limit, or left no word
		return limits{}
	}
	return limits{steps: 4*c.report.Steps + 2000, simNS: 4*c.report.SimNS + uint64(10*time.Second)}
}

func (s *shrinker) time() bool { return s.runs < shrinkRuns && time.Now().Before(s.until) }

// kinds leaves out whole kinds of decisions: as many as can be.
func (s *shrinker) kinds(ctx context.Context) error {
	all := s.best.decisions
	var sets []uint
	for set := range uint(1) << len(kinds()) {
		sets = append(sets, set)
	}
	slices.SortStableFunc(sets, func(a, b uint) int { return ones(a) - ones(b) })
	_, err := s.first(ctx, len(sets), func(i int) []sim.Decision {
		return slices.DeleteFunc(slices.Clone(all), func(d sim.Decision) bool {
			return sets[i]>>slices.Index(kinds(), d.Kind)&1 == 0
		})
	})
	return err
}

func ones(set uint) (n int) {
	for ; set != 0; set &= set - 1 {
		n++
	}
	return n
}

// prefix leaves out the end: nothing before it gets another meaning by that.
func (s *shrinker) prefix(ctx context.Context) error {
	all := s.best.decisions
	for lo, hi := 0, len(all); lo < hi && s.time(); {
		m := (lo + hi) / 2
		i, err := s.first(ctx, 1, func(int) []sim.Decision { return all[:m] })
		if err != nil {
			return err
		}
		if i == 0 {
			hi = m
		} else {
			lo = m + 1
		}
	}
	return nil
}

// chunks leaves out pieces, the last first, in halves, quarters, and so on down to single decisions.
func (s *shrinker) chunks(ctx context.Context) error {
	for size := (len(s.best.decisions) + 1) / 2; size > 0 && s.time(); size /= 2 {
		for from := 0; s.time(); {
			all := s.best.decisions
			n := (len(all)+size-1)/size - from
			i, err := s.first(ctx, n, func(i int) []sim.Decision {
				end := len(all) - (from+i)*size
				return slices.Delete(slices.Clone(all), max(end-size, 0), end)
			})
			if err != nil {
				return err
			}
			if i >= n {
				break
			}
			from += i
		}
	}
	return nil
}

// pairs leaves out two at a time: a preemption and what undoes it.
func (s *shrinker) pairs(ctx context.Context) error {
	for s.time() {
		all := s.best.decisions
		if len(all) > fewPairs {
			return nil
		}
		var two [][2]int
		for a := range all {
			for b := range a {
				two = append(two, [2]int{b, a})
			}
		}
		i, err := s.first(ctx, len(two), func(i int) []sim.Decision {
			rest := slices.Delete(slices.Clone(all), two[i][1], two[i][1]+1)
			return slices.Delete(rest, two[i][0], two[i][0]+1)
		})
		if err != nil || i == len(two) {
			return err
		}
	}
	return nil
}

// first runs n candidates in order, some at once, and takes the first that fails as the failure did. It returns its place, n for none:
// what is found does not depend on how many run at once.
func (s *shrinker) first(ctx context.Context, n int, at func(int) []sim.Decision) (int, error) {
	for i := 0; i < n; {
		var batch [][]sim.Decision
		var places []int
		for ; i < n && len(batch) < s.workers; i++ {
			if d := at(i); !s.no[s.digest(d)] {
				batch, places = append(batch, d), append(places, i)
			}
		}
		if len(batch) > 0 && !s.time() {
			return n, nil
		}
		results, err := s.attempts(ctx, batch)
		if err != nil {
			return n, err
		}
		for k, c := range results {
			if c.sign == s.sign && len(c.decisions) <= len(batch[k]) {
				s.take(c)
				return places[k], nil
			}
			s.no[s.digest(batch[k])] = true
		}
	}
	return n, nil
}

func (s *shrinker) take(c candidate) {
	if !s.named {
		c.decisions = numbered(c.decisions)
	}
	if s.loose && len(c.decisions) >= len(s.best.decisions) {
		return
	}
	s.best = c
	s.tell(s.runs, len(c.decisions))
}

func (s *shrinker) digest(d []sim.Decision) [sha256.Size]byte { return sha256.Sum256(encode(d)) }

func (s *shrinker) attempts(ctx context.Context, batch [][]sim.Decision) ([]candidate, error) {
	s.runs += len(batch)
	s.tell(s.runs, len(s.best.decisions))
	results, errs := make([]candidate, len(batch)), make([]error, len(batch))
	var wg sync.WaitGroup
	for k, d := range batch {
		wg.Go(func() {
			results[k], errs[k] = s.attempt(ctx, ofWorker(k), d, s.most)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("shrinking %s: %w", s.test, err)
		}
	}
	return results, nil
}

// patient gives up candidates that take far longer than the failure did: without some decisions a program may go round for ever.
func (s *shrinker) patient() {
	attempt, limit := s.attempt, time.Duration(0) // none for the first, which is the failure itself
	var mu sync.Mutex
	s.attempt = func(ctx context.Context, name string, decisions []sim.Decision, most limits) (candidate, error) {
		mu.Lock()
		within := limit
		mu.Unlock()
		if within == 0 {
			within = shrinkTime
		}
		part, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		began := time.Now()
		c, err := attempt(part, name, decisions, most)
		if err != nil && part.Err() != nil && ctx.Err() == nil {
			return candidate{}, nil
		}
		mu.Lock()
		defer mu.Unlock()
		if limit == 0 && c.sign == s.sign {
			limit = max(5*time.Second, 10*time.Since(began)) // for loops that take no step; the limits of steps come first
		}
		return c, err
	}
}
