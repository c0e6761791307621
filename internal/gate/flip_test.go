package gate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/verdict"
)

// Doing what a flip says flips the decision, and doing less does not.
func TestFlipFlips(t *testing.T) {
	t.Parallel()
	s := newScene()
	s.cards = nil
	d := s.decide()
	if want := "assay run . --experiment refused --experiment killed"; d.Flip.Command != want || !d.Flip.Smallest || len(d.Flip.Changes) != 2 {
		t.Fatalf("%+v", d.Flip)
	}
	for done := range 1 << len(d.Flip.Changes) {
		s := newScene()
		s.cards = nil
		for i, c := range d.Flip.Changes {
			if done&(1<<i) != 0 {
				mode := map[string]string{"refused": "retry", "killed": "failover"}[c.Rerun]
				s.cards = append(s.cards, ran("r"+c.Rerun, 0, c.Rerun, mode, pass))
			}
		}
		all := done == 1<<len(d.Flip.Changes)-1
		if got := s.decide().Verdict == pass; got != all {
			t.Errorf("with changes %b the gate passes: %t", done, got)
		}
	}
}

// Where nothing ran, one run of everything is the smallest change, and not that and each experiment besides.
func TestFlipOfAnEmptyStore(t *testing.T) {
	t.Parallel()
	s := newScene()
	s.cards, s.candidate = nil, Candidate{From: "nobody", Problem: "nothing ran"}
	d := s.decide()
	if len(d.Flip.Changes) != 1 || d.Flip.Changes[0].Command != "assay run ." || len(d.Flip.Changes[0].Clauses) != 3 || d.Flip.Command != "" {
		t.Errorf("%+v", d.Flip)
	}
}

// Whatever alternatives clauses have, no smaller set of changes satisfies them all.
func TestFlipIsTheSmallest(t *testing.T) {
	t.Parallel()
	keys := []string{"k0", "k1", "k2", runAll, runOne + "a", runOne + "b", "fix a"}
	rapid.Check(t, func(t *rapid.T) {
		change := rapid.Custom(func(t *rapid.T) Change {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			_, again, _ := strings.Cut(key, "fix ")
			return Change{Key: key, Rerun: again}
		})
		way := rapid.SliceOfNDistinct(change, 1, 3, func(c Change) string { return c.Key })
		var clauses []Clause
		for i, ways := range rapid.SliceOfN(rapid.SliceOfN(way, 1, 3), 0, 5).Draw(t, "clauses") {
			clauses = append(clauses, Clause{Name: fmt.Sprint("c", i), Verdict: verdict.Fail, Ways: ways})
		}
		f := flip(clauses, Facts{Command: func(words ...string) string { return strings.Join(words, " ") }})
		smallest := fewest(clauses, nil)
		if len(f.Changes) != smallest || !f.Smallest {
			t.Fatalf("%d changes %+v, and %d would do", len(f.Changes), f.Changes, smallest)
		}
		for _, c := range f.Changes {
			if len(c.Clauses) == 0 {
				t.Fatalf("nobody needs %s", c.Key)
			}
		}
	})
}

// fewest tries every way of every clause, besides keys that are taken. Running all experiments runs each, and what was fixed is run.
func fewest(clauses []Clause, taken []string) int {
	if len(clauses) == 0 {
		set := map[string]bool{}
		for _, key := range taken {
			one, isRun := strings.CutPrefix(key, runOne)
			if !isRun || !slices.Contains(taken, runAll) && !slices.Contains(taken, "fix "+one) {
				set[key] = true
			}
		}
		return len(set)
	}
	smallest := 8
	for _, way := range clauses[0].Ways {
		more := slices.Clone(taken)
		for _, c := range way {
			more = append(more, c.Key)
		}
		smallest = min(smallest, fewest(clauses[1:], more))
	}
	return smallest
}

// BenchmarkFlip1000 looks for the smallest set of changes for 1,000 cells that nothing proves.
func BenchmarkFlip1000(b *testing.B) {
	f := newScene().facts()
	var clauses []Clause
	for i := range 200 {
		for _, mode := range DefaultModes() {
			clauses = append(clauses, Clause{Name: fmt.Sprint(i, mode), Ways: [][]Change{{f.write(mode)}, {f.importing(fmt.Sprint(i), mode)}}})
		}
	}
	for b.Loop() {
		if got := flip(clauses, f); len(got.Changes) != 5 || !got.Smallest {
			b.Fatal(len(got.Changes), got.Smallest)
		}
	}
}
