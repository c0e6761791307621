package gate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/evidence"
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
			if one, ok := strings.CutPrefix(key, runOne); ok {
				again = one
			}
			return Change{Key: key, Rerun: again}
		})
		way := rapid.SliceOfNDistinct(change, 1, 3, func(c Change) string { return c.Key })
		var clauses []Clause
		for i, ways := range rapid.SliceOfN(rapid.SliceOfN(way, 1, 3), 0, 5).Draw(t, "clauses") {
			clauses = append(clauses, Clause{Name: fmt.Sprint("c", i), Verdict: verdict.Fail, Ways: ways})
		}
		if rapid.Bool().Draw(t, "any run") {
			clauses = append([]Clause{{Name: "any", Ways: [][]Change{{{Key: runAny}}}}}, clauses...)
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

// fewest tries every way of every clause, besides keys that are taken. Running all experiments runs each, what was fixed is run, and where any run will do each does.
func fewest(clauses []Clause, taken []string) int {
	if len(clauses) == 0 {
		set := map[string]bool{}
		for _, key := range taken {
			one, isRun := strings.CutPrefix(key, runOne)
			ran := key == runAny && slices.ContainsFunc(taken, func(key string) bool { return key == runAll || key == "fix a" || strings.HasPrefix(key, runOne) })
			if !ran && (!isRun || !slices.Contains(taken, runAll) && !slices.Contains(taken, "fix "+one)) {
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

// Whatever is wrong with the evidence, and whatever conditions read it: each refusal names a command, doing all that is said flips
// the decision, and doing less does not.
func TestFlipsOfWhateverIsWrong(t *testing.T) {
	t.Parallel()
	wrongs := map[string]func(*evidence.Card){
		"nothing":           func(*evidence.Card) {},
		"never ran":         func(c *evidence.Card) { c.Meta.Defect = "as if it were not there" },
		"another binary":    func(c *evidence.Card) { c.Subjects[0].SHA256 = "sha256:02" },
		"stale":             func(c *evidence.Card) { c.Meta.Started = now().Add(-9 * 24 * time.Hour) },
		"changed since":     func(c *evidence.Card) { c.Results[0].Definition = "sha256:dd" },
		"unknown":           func(c *evidence.Card) { c.Results[0].Verdict = unknown },
		"failed":            func(c *evidence.Card) { c.Results[0].Verdict = fail },
		"failed elsewhere":  func(c *evidence.Card) { c.Results[0].Verdict, c.Subjects[0].SHA256 = fail, "sha256:02" },
		"cut short":         func(c *evidence.Card) { c.Status = evidence.CutShort },
		"without judgement": func(c *evidence.Card) { c.Meta.Experiments, c.Results = []string{c.Results[0].Name}, nil },
	}
	names := slices.Sorted(maps.Keys(wrongs))
	conditions := []Condition{{Name: "a", Expect: `recovery_s("killed") < 5.0`}, {Name: "b", Expect: `result("refused") == "pass"`},
		{Name: "c", Expect: `verdict("checkout", "retry") == "pass"`}, {Name: "d", Expect: `age_h("checkout", "failover") < 240.0 && sources("checkout", "retry") > 0`},
		{Name: "e", Expect: `count("pass") == 2`}, {Name: "f", Expect: `!run.dirty && run.age_h < 240.0`}}
	modes := map[string]string{"refused": "retry", "killed": "failover"}
	rapid.Check(t, func(t *rapid.T) {
		s := newScene()
		for i := range s.cards {
			wrongs[rapid.SampledFrom(names).Draw(t, s.cards[i].Results[0].Name)](&s.cards[i])
		}
		for _, c := range conditions {
			if rapid.Bool().Draw(t, c.Name) {
				s.policy.Conditions = append(s.policy.Conditions, c)
			}
		}
		d := s.decide()
		held := false // by what an experiment alone does not change
		for _, c := range d.Clauses {
			for _, change := range slices.Concat(c.Ways...) {
				held = held || strings.HasPrefix(change.Key, "condition ")
				if c.Verdict != pass && !strings.HasPrefix(change.Command, "assay ") {
					t.Fatalf("%s: %s: no command for %s", c.Name, c.Reason, change.Key)
				}
			}
		}
		if held {
			return
		}
		cards := s.cards
		for left := range len(d.Flip.Changes) + 1 { // all but one, and in the end all
			s.cards = cards
			for i, c := range d.Flip.Changes {
				for _, x := range []string{"refused", "killed"} {
					v := pass
					if left < len(d.Flip.Changes) && d.Flip.Changes[left].Key == "fix "+x {
						v = unknown // nobody fixed it
					}
					if i != left && (c.Rerun == x || c.Key == runAll) {
						s.cards = append([]evidence.Card{ran("new"+x, 0, x, modes[x], v)}, s.cards...)
					}
				}
			}
			if got := s.decide(); (got.Verdict == pass) != (left == len(d.Flip.Changes)) {
				t.Fatalf("of %+v without number %d: %v %s", d.Flip.Changes, left, got.Verdict, got.Reason)
			}
		}
	})
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
