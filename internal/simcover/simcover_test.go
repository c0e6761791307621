package simcover

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/simrun"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

func project() *spec.Project {
	return &spec.Project{Name: "shop", File: "assay.yaml", Journeys: []workload.Journey{{Name: "checkout", Owner: "team-a"}}}
}

// held is a test that proves checkout: retry.
func held() *simrun.Test {
	return &simrun.Test{Package: "example.org/shop", Name: "TestRetry", Seeds: 100, Modes: map[string]int{"fifo": 100},
		Covers: []simrun.Covered{{Cell: sim.Cell{Journey: "checkout", Mode: "retry"}, Seeds: 100}},
		Points: []sim.Point{{Kind: "sometimes", Name: "sent again", Hits: 100, True: 30}, {Kind: "always", Name: "once", Hits: 100, True: 100}}}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*simrun.Test, *simrun.Result)
		want   verdict.Verdict
		says   string
	}{
		{"all seeds hold", func(*simrun.Test, *simrun.Result) {}, verdict.Pass, "100 seeds of example.org/shop.TestRetry hold"},
		{"no seed", func(t *simrun.Test, _ *simrun.Result) { t.Seeds = 0 }, verdict.Unknown, "no seed was tried"},
		{"never met", func(t *simrun.Test, _ *simrun.Result) { t.Points[0].True = 0 }, verdict.Unknown, "never true in 100 seeds"},
		{"nothing says that it was met", func(t *simrun.Test, _ *simrun.Result) { t.Points = t.Points[1:] }, verdict.Unknown, "nothing in"},
		{"skipped", func(t *simrun.Test, _ *simrun.Result) { t.Skipped = "no disk" }, verdict.Unknown, "was skipped in 0 of 100 seeds: no disk"},
		{"two runs differ", func(t *simrun.Test, _ *simrun.Result) { t.Differs = "two runs of seed 1 differ" }, verdict.Unknown, "not reproducible"},
		{"woken from outside", func(t *simrun.Test, _ *simrun.Result) { t.Outside = &sim.Outside{Why: "real I/O"} }, verdict.Unknown, "not reproducible: real I/O"},
		{"carried over", func(t *simrun.Test, _ *simrun.Result) { t.Carried = 7 }, verdict.Unknown, "package variables"},
		{"a certain failure", func(t *simrun.Test, r *simrun.Result) {
			t.Failed, t.Points[1].True, t.Points[1].Broken = 1, 99, "2"
			r.Failures = []*simrun.Failure{{Package: t.Package, Test: t.Name, Seed: 42, Certified: true, Points: t.Points, Replay: "assay sim --seed 42"}}
		}, verdict.Fail, `seed 42 fails: "once" does not hold: 2`},
		{"a failure that is not certain", func(t *simrun.Test, r *simrun.Result) {
			t.Failed, t.Points[1].True = 1, 99
			r.Failures = []*simrun.Failure{{Package: t.Package, Test: t.Name, Seed: 42, Doubt: "two fresh processes differ"}}
		}, verdict.Unknown, "seed 42 failed, and that is not certain: two fresh processes differ"},
		{"a failure that nobody ran again", func(t *simrun.Test, _ *simrun.Result) { t.Failed = 1 }, verdict.Unknown, "1 seed failed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			one := held()
			res := &simrun.Result{Go: "go1.26.8", Overlay: "abc", Tests: []*simrun.Test{one}}
			c.change(one, res)
			cover, err := Of(res, project(), false)
			if err != nil || len(cover.Results) != 1 {
				t.Fatalf("%v, %v", cover, err)
			}
			got := cover.Results[0]
			if got.Verdict != c.want || !strings.Contains(got.Reason, c.says) || !strings.HasPrefix(got.Reason, "simulated: ") {
				t.Errorf("%v: %s; want %v: … %s", got.Verdict, got.Reason, c.want, c.says)
			}
			mode := got.Modes["checkout"][0]
			if mode.Proved != (c.want == verdict.Pass) || got.Layer != "component" {
				t.Errorf("layer %s, mode %+v", got.Layer, mode)
			}
			store(t, cover)
		})
	}
}

// store keeps it: a card is whole, and not better than its checks.
func store(t *testing.T, c *Cover) {
	t.Helper()
	s, err := evidence.OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	id, err := c.Store(t.Context(), s, Run{Version: "test", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	card := r.Card()
	if card.Refused != "" || card.Meta.Kind != evidence.KindSim || card.System != "shop" || card.Results[0].Verdict != c.Results[0].Verdict {
		t.Errorf("card %+v", card)
	}
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ journey, mode, want string }{
		{"chekout", "retry", `covers the journey "chekout", and assay.yaml knows none of that name (did you mean "checkout"?)`},
		{"checkout", "retries", `covers the mode "retries", and assay.yaml knows none of that name (did you mean "retry"?)`},
	} {
		one := held()
		one.Covers[0].Cell = sim.Cell{Journey: c.journey, Mode: c.mode}
		_, err := Of(&simrun.Result{Tests: []*simrun.Test{one}}, project(), false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// A search that ended at another test's failure says nothing of those that did not have their seeds.
func TestSearchCutShort(t *testing.T) {
	t.Parallel()
	res := &simrun.Result{Tests: []*simrun.Test{held()}, Failures: []*simrun.Failure{{Package: "example.org/shop", Test: "TestOther", Seed: 2, Certified: true}}}
	for _, all := range []bool{false, true} {
		cover, err := Of(res, project(), all)
		if err != nil || len(cover.Results) != map[bool]int{false: 0, true: 1}[all] {
			t.Errorf("all %v: %v, %v", all, cover.Results, err)
		}
	}
}
