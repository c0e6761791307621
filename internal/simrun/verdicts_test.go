package simrun

import (
	"errors"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// searched runs seeds of tests of a package below testdata, to the end.
func searched(t *testing.T, pkg, test string, seeds int, change func(*Options)) *Result {
	t.Helper()
	bin := *built(t, pkg)
	bin.work, bin.dir = t.TempDir(), t.TempDir()
	o := options()
	o.Tests, o.Seeds, o.Workers = test, seeds, 2
	if change != nil {
		change(&o)
	}
	res := &Result{Go: runtime.Version()}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(x.finish(t.Context()), x.unmet(t.Context())); err != nil {
		t.Fatal(err)
	}
	res.missed()
	res.judge(&o)
	return res
}

// What a test says when its simulation is over is a verdict on the seed: found, run again, made small and saved like any other.
func TestFailsAfterwards(t *testing.T) {
	for _, tt := range []struct{ test, says string }{
		{"TestAfter", "after it: an update is lost: 1"},
		{"TestInCleanup", "in Cleanup: an update is lost: 1"},
		{"TestPanicsAfter", "panic: after it: an update is lost"},
		{"TestSecond", `"no update is lost in the second" does not hold: 1`},
		{"TestFirst", `"no update is lost in the first" does not hold: 1`},
	} {
		t.Run(tt.test, func(t *testing.T) {
			res := searched(t, "verdicts", "^"+tt.test+"$", 200, nil)
			text := textOf(t, res)
			if res.Verdict != verdict.Fail || len(res.Failures) != 1 || !strings.Contains(text, tt.says) || !strings.Contains(text, "reproduced twice in fresh processes") {
				t.Fatalf("%v\n%s", res.Verdict, text)
			}
			f := res.Failures[0]
			if len(f.Shrunk) == 0 || len(f.Shrunk) > 2 || f.Saved == "" {
				t.Errorf("%d decisions are left of %d (%s), saved %q\n%s", len(f.Shrunk), len(f.Decisions), f.Unshrunk, f.Saved, text)
			}
			if want := "  with these decisions alone (assay sim --replay " + f.Saved + " "; !strings.Contains(text, want) {
				t.Errorf("want %q in\n%s", want, text)
			}
		})
	}
}

// What is asserted anywhere until the test has ended counts, and so does a process that ends before it.
func TestFailsAtTheEnd(t *testing.T) {
	for _, tt := range []struct{ test, says string }{
		{"TestExits", "unexpected call to os.Exit(0) during test"},
		{"TestExitsByTheKernel", "ended with status 0 before its tests had ended"},
		{"TestInnerCleanup", `verdicts_test.go:LINE: at 0s: "planted in the inner Cleanup" does not hold`},
		{"TestGoesOn", `verdicts_test.go:LINE: at 0s: "planted in what goes on" does not hold`},
		{"TestGoesOnLate", `verdicts_test.go:LINE: at 0s: "planted in what goes on" does not hold`},
		{"TestAlwaysAfter", `verdicts_test.go:LINE: after the simulation: "planted after it" does not hold`},
		{"TestUnreachableAfter", `verdicts_test.go:LINE: after the simulation: "planted after it" does not hold: in Cleanup`},
	} {
		t.Run(tt.test, func(t *testing.T) {
			res := searched(t, "verdicts", "^"+tt.test+"$", 5, func(o *Options) { o.All, o.NoShrink = true, true })
			text := regexp.MustCompile(`_test\.go:\d+:`).ReplaceAllString(textOf(t, res), "_test.go:LINE:")
			if res.Verdict != verdict.Fail || len(res.Failures) < 5 || !strings.Contains(text, tt.says) || !strings.Contains(text, "reproduced twice in fresh processes") {
				t.Errorf("%v of %d\n%s", res.Verdict, len(res.Failures), text)
			}
		})
	}
	if res := searched(t, "verdicts", "^TestAlwaysElsewhere$", 5, nil); res.Verdict != verdict.Pass {
		t.Errorf("%v\n%s", res.Verdict, textOf(t, res))
	}
}

// What nobody can ascribe to one seed fails all the same, by name, and proves no cell.
func TestFailsBeside(t *testing.T) {
	for _, tt := range []struct {
		pkg, test string
		all       bool
		want      []string
	}{
		{"verdicts", "^TestEarlyCleanup$", false, []string{"TestEarlyCleanup"}},
		{"verdicts", "^TestParent$", false, []string{"TestParent"}},
		{"plainfail", "", false, []string{"TestPlain/part", "TestPlainPanic"}},
		{"plainfail", "", true, []string{"TestPlain/part", "TestPlainPanic"}},
	} {
		t.Run(tt.test, func(t *testing.T) {
			res := searched(t, tt.pkg, tt.test, 100, func(o *Options) { o.All = tt.all })
			var got []string
			for _, q := range res.Plain {
				got = append(got, q.Test)
			}
			if res.Verdict != verdict.Fail || !slices.Equal(got, tt.want) {
				t.Errorf("%v: %q, want %q\n%s", res.Verdict, got, tt.want, textOf(t, res))
			}
			for _, test := range res.Tests {
				if tt.pkg == "verdicts" && len(test.Doubts(true)) == 0 {
					t.Errorf("%s has no doubt", test.Name)
				}
				if tt.all && (test.Name != "TestSim" || test.Seeds != 100) {
					t.Errorf("%s has %d seeds", test.Name, test.Seeds)
				}
			}
			if tt.all && len(res.Tests) != 1 {
				t.Error("TestSim did not run")
			}
		})
	}
}

// A skipped simulation is no pass, wherever it was skipped; one name for two assertions hides neither; what does not reproduce does not fail.
func TestNoPass(t *testing.T) {
	for _, tt := range []struct{ test, says string }{
		{"TestSkipsInside", "TestSkipsInside was skipped in 5 of 5 seeds: it skipped itself (t.Skip)"},
		{"TestSkipsOuter", "TestSkipsOuter was skipped in 5 of 5 seeds: it skipped itself (t.Skip)"},
		{"TestSkipsSome", "TestSkipsSome was skipped in 1 of 5 seeds: it skipped itself (t.Skip)"},
		{"TestSameName", `"x" was never true in 5 seeds`},
		{"TestNotCertain", "TestNotCertain failed with seed 4, and that is not certain: two fresh processes differ"},
	} {
		t.Run(tt.test, func(t *testing.T) {
			res := searched(t, "verdicts", "^"+tt.test+"$", 5, nil)
			if text := textOf(t, res); res.Verdict != verdict.Unknown || !strings.Contains(text, tt.says) {
				t.Errorf("%v, want unknown with %q\n%s", res.Verdict, tt.says, text)
			}
		})
	}
}

// Tests after one that dies have each seed, too.
func TestAfterTheDead(t *testing.T) {
	res := searched(t, "died", "", 5, func(o *Options) { o.All, o.NoShrink = true, true })
	want := map[string][2]int{"TestBefore": {5, 0}, "TestDies": {5, 5}, "TestDiesLater": {5, 3}, "TestFails": {5, 5}, "TestHolds": {5, 0}}
	for _, test := range res.Tests {
		if got := [2]int{test.Seeds, test.Failed}; got != want[test.Name] {
			t.Errorf("%s: %d seeds, %d failed, want %v", test.Name, got[0], got[1], want[test.Name])
		}
		delete(want, test.Name)
	}
	if len(want) > 0 {
		t.Errorf("did not run: %v", want)
	}
}

// An audit says of a failure that it was reproduced where it was.
func TestAuditOfAnUncertainFailure(t *testing.T) {
	res := searched(t, "bugs", "^TestGlobal$", 40, func(o *Options) { o.Audit = true })
	for _, f := range res.Failures {
		if f.Certified {
			t.Errorf("certain: %+v", f)
		}
	}
	res = searched(t, "bugs", "^TestGlobalAndMore$", 40, func(o *Options) { o.Audit = true })
	if len(res.Failures) != 1 || !res.Failures[0].Certified {
		t.Errorf("%+v", res.Failures)
	}
}

// What was found before something broke is told.
func TestWhatWasFoundBefore(t *testing.T) {
	built(t, "bugs") // or it is skipped
	o := Options{Packages: []string{"./testdata/died", "./testdata/verdicts"}, Tests: "TestFails$|TestSkipsSome", Seeds: 2, NoShrink: true, NoSave: true, All: true}
	o.HTML = filepath.Join(t.TempDir(), "none", "x.html")
	res, err := Run(t.Context(), o)
	if err == nil || res == nil || res.Verdict != verdict.Fail || len(res.Failures) != 1 && len(res.Failures) != 2 || len(res.Tests) != 2 {
		t.Fatalf("%v, %+v", err, res)
	}
	if text := textOf(t, res); !strings.HasPrefix(text, "FAIL: TestFails fails with seed 1") {
		t.Error(text)
	}
}

func TestFailedTests(t *testing.T) {
	t.Parallel()
	output := "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/one (0.00s)\n        x_test.go:3: --- FAIL: TestNo\n--- FAIL: TestB (0.01s)\n--- FAIL: TestB (0.01s)\n--- FAIL: TestC (0.00s)\n    --- FAIL: TestC/x (0.00s)\nFAIL\n"
	p := &process{failed: true, output: output, reports: []sim.Report{{Test: "TestC/x", Failed: true}, {Test: "TestB"}}}
	if got, want := p.failedTests(), []string{"TestA/one", "TestB"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	p.failed = false
	if got := p.failedTests(); got != nil {
		t.Errorf("of a process that did not fail: %q", got)
	}
}

func TestWithSkip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flags, skip, want string }{
		{"-test.v", "", "-test.v"},
		{"-test.v", "^A$", "-test.skip=^A$ -test.v"},
		{"-test.v -test.skip=B", "^A$", "-test.v -test.skip=B|^A$"},
	} {
		if got := strings.Join(withSkip(strings.Fields(tt.flags), tt.skip), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.flags, got, tt.want)
		}
	}
}
