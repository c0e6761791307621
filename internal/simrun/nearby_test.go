package simrun

import (
	"slices"
	"testing"

	"github.com/assay-dev/assay/sim"
)

// Several preemptions, each of which is needed, are one goroutine that is held back.
func TestShrinkHoldsBack(t *testing.T) {
	t.Parallel()
	s := shrinking(func(d []sim.Decision) string {
		have := indexes(d)
		again := slices.Contains(have, 2) && slices.Contains(have, 3) && slices.Contains(have, 4)
		for _, d := range d {
			if d.Index == 2 && (again || d.Choice == 2) {
				return "wrong"
			}
		}
		return ""
	})
	var all []sim.Decision
	for i := range 20 {
		all = append(all, sim.Decision{Kind: "yield", Index: uint64(i + 1), Choice: 1, N: 2, Key: uint64(i + 1)})
	}
	if ok, err := s.shrink(t.Context(), all); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got := s.best.decisions; len(got) != 1 || got[0].Index != 2 || got[0].Choice != 2 {
		t.Errorf("left are %+v, want the second, held back", got)
	}
}

// What was drawn does the work of others when it is as large as can be, and is no larger in the end than it must be.
func TestShrinkDraws(t *testing.T) {
	t.Parallel()
	s := shrinking(func(d []sim.Decision) string {
		sum := uint64(0)
		for _, d := range d {
			sum += d.Choice
		}
		if sum >= 13 {
			return "wrong"
		}
		return ""
	})
	var all []sim.Decision
	for i := range 9 {
		all = append(all, sim.Decision{Kind: "env", Index: uint64(i + 1), Choice: 2, N: 17, Key: uint64(i + 1)})
	}
	if ok, err := s.shrink(t.Context(), all); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got := s.best.decisions; len(got) != 1 || got[0].Choice != 13 {
		t.Errorf("left are %+v, want one draw of 13", got)
	}
}

// A candidate may go on for longer than the failure did, and not for ever.
func TestEnough(t *testing.T) {
	t.Parallel()
	r := &sim.Report{Failed: true, Steps: 100, SimNS: 1e9}
	if got, want := enough(candidate{report: r, sign: "x"}), (limits{steps: 2400, simNS: 14e9}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []candidate{{}, {report: &sim.Report{}}, {report: r, sign: "fatal error: assay sim: the limit of steps is reached"}} {
		if got := enough(c); got != (limits{}) {
			t.Errorf("%+v: got %+v, want none", c, got)
		}
	}
}
