package simrun

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// What the sources have and no seed came to is no pass, with its place.
func TestUnmet(t *testing.T) {
	res := searched(t, "unmet", "", 5, nil)
	slices.Sort(res.Reasons)
	want := []string{
		`"in a helper" (testdata/unmet/unmet_test.go:60) was never reached: no seed of any test in github.com/assay-dev/assay/internal/simrun/testdata/unmet came there`,
		`"tried again" (testdata/unmet/lib/lib.go:12) was never reached: no seed of any test in github.com/assay-dev/assay/internal/simrun/testdata/unmet came there`,
		`TestNever: "a write is sent again" (testdata/unmet/unmet_test.go:17) was never reached in 5 seeds`,
		`TestNever: "in a helper" (testdata/unmet/unmet_test.go:60) was never reached in 5 seeds`,
		`TestReturns has a simulation, and ended without beginning it`,
	}
	if res.Verdict != verdict.Unknown || !slices.Equal(res.Reasons, want) {
		t.Errorf("%v\n%s\nwant\n%s", res.Verdict, strings.Join(res.Reasons, "\n"), strings.Join(want, "\n"))
	}
	slices.Sort(res.Notes)
	if notes := []string{
		`TestParts/two was skipped before its simulation began: unmet_test.go:26: two needs a disk`,
		`TestSkippedBefore was skipped before its simulation began: unmet_test.go:38: there is no database`,
	}; !slices.Equal(res.Notes, notes) {
		t.Errorf("notes %q, want %q", res.Notes, notes)
	}
	for _, test := range res.Tests {
		if i := slices.IndexFunc(test.Points, func(p sim.Point) bool { return p.Where != "" }); i >= 0 != (test.Name == "TestNever") {
			t.Errorf("%s: %+v", test.Name, test.Points)
		}
	}
}

// One test alone answers for itself, and for nobody else's.
func TestUnmetWithFilter(t *testing.T) {
	for filter, want := range map[string]verdict.Verdict{"TestHelped": verdict.Pass, "TestNever": verdict.Unknown, "TestParts/one": verdict.Pass, "TestReturns": verdict.Unknown} {
		if res := searched(t, "unmet", filter, 5, nil); res.Verdict != want {
			t.Errorf("%s: %v, want %v: %v", filter, res.Verdict, want, res.Reasons)
		}
	}
}

// One seed that was asked for need not come everywhere; one that was all there was time for should have.
func TestOneSeed(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want verdict.Verdict
	}{
		{"one asked for", Options{Seeds: 1}, verdict.Pass},
		{"no time for a second", Options{For: time.Millisecond}, verdict.Unknown},
		{"and many named beside, which it takes the place of", Options{Seeds: 1, For: time.Millisecond}, verdict.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Packages, tt.o.Tests, tt.o.NoSave = []string{"./testdata/bugs"}, "^TestNeverThere$", true
			built(t, "bugs")
			res, err := Run(t.Context(), tt.o)
			if err != nil {
				t.Fatal(err)
			}
			says := []string{`"the rare branch" was never true in 1 seed`}
			if tt.want == verdict.Pass {
				says = nil
			}
			saysAll(t, res, tt.want, says)
			if n := res.Tests[0].Seeds; n != 1 {
				t.Errorf("%d seeds, want 1", n)
			}
		})
	}
}
