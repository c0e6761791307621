package simrun

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// A failure hides nothing of the tests beside it, but what a search that it ended had no time for.
func TestTextBesideFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		all   bool
		never bool
	}{{false, false}, {true, true}} {
		o := Options{Seeds: 100, All: tt.all}
		res := &Result{
			Tests: []*Test{
				{Name: "TestA", Seeds: 3, Failed: 1},
				{Name: "TestB", Seeds: 3, Outside: &sim.Outside{Why: "a child process"}},
				{Name: "TestC", Seeds: 3, Points: []sim.Point{{Kind: "sometimes", Name: "rare", Hits: 3}}},
			},
			Failures: []*Failure{{Test: "TestA", Seed: 2, Certified: true, Output: "planted"}, {Test: "TestD", Seed: 3, Doubt: "odd"}},
		}
		res.judge(&o)
		text := textOf(t, res)
		if res.Verdict != verdict.Fail || !strings.Contains(text, "\nunknown, too: TestB is not reproducible: a child process\n") {
			t.Errorf("%v\n%s", res.Verdict, text)
		}
		if got := strings.Contains(text, `unknown, too: TestC: "rare" was never true`); got != tt.never {
			t.Errorf("all %v: %v, want %v\n%s", tt.all, got, tt.never, text)
		}
		if n := strings.Count(text, "odd"); n != 1 {
			t.Errorf("a doubt is told %d times\n%s", n, text)
		}
	}
}
