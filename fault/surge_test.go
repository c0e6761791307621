package fault_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

func TestSurgeHitsItsJourneysUntilItIsHealed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{"surge(checkout, 3x)": {"checkout"}, "surge(*, 3x)": {"checkout", "status"}} {
		env := newFake(false)
		active := inject(t, env, text)
		if got := active.Targets(); !slices.Equal(got, want) || len(env.surges["test/1"]) != len(want) {
			t.Errorf("%s hit %v, want %v", text, got, want)
		}
		for range 2 { // a second heal does nothing
			if err := active.Heal(t.Context()); err != nil || len(env.surges) != 0 {
				t.Errorf("%s: after the heal %v is left, %v", text, env.surges, err)
			}
		}
	}
}

func TestSurgeIsSeenByWhatArrives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		before   time.Duration
		factor   float64 // by which arrivals really grow
		since    time.Duration
		observed bool
		text     string
	}{
		{"all of it", 2 * time.Second, 3, 2 * time.Second, true, "60.0 operations of checkout arrived a second, 20.0 before"},
		{"nearly all of it", 2 * time.Second, 2.75, 2 * time.Second, true, "55.0 operations"},
		{"too little", 2 * time.Second, 2.6, 2 * time.Second, false, "only 52.0 operations of checkout arrived a second, 20.0 before the inject: not 3x"},
		{"the usual rate is of the last seconds", time.Minute, 3, 2 * time.Second, true, "20.0 before"},
		{"nothing before", 0, 3, 2 * time.Second, false, "nobody knows the usual rate"},
		{"hardly anything since", 2 * time.Second, 3, 100 * time.Millisecond, false, "only 6 operations of checkout arrived since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := newFake(false)
			env.load(c.before)
			active := inject(t, env, "surge(checkout, 3x)")
			env.surges["test/1"]["checkout"] = c.factor
			env.load(c.since)
			seen := effects(t, active)
			if fault.Observed(seen) != c.observed || !strings.Contains(seen[0].Text, c.text) || seen[0].Idle {
				t.Errorf("want %v and %q:\n%s", c.observed, c.text, describe(seen))
			}
		})
	}
}

func TestSurgeThatStopsIsNoLongerSeen(t *testing.T) {
	t.Parallel()
	env := newFake(false)
	env.load(2 * time.Second)
	active := inject(t, env, "surge(checkout, 3x)")
	env.load(2 * time.Second)
	if !fault.Observed(effects(t, active)) {
		t.Fatal("not observed")
	}
	clear(env.surges)
	env.load(2 * time.Second)
	if seen := effects(t, active); fault.Observed(seen) {
		t.Errorf("the load went back to its own rate by itself:\n%s", describe(seen))
	}
}

func TestSurgeThatCannotBeInjected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		env        system.Env
		want       string
	}{
		{"nobody drives load", "surge(checkout, 3x)", powerless{shop()}, "surge(checkout, 3x): the environment is no system.Surger in this environment"},
		{"the journey has no load", "surge(search, 3x)", newFake(false), "surge(search, 3x): the journey has no load (allowed: checkout, status)"},
	} {
		f := mustParse(t, c.text)
		if _, err := f.Inject(t.Context(), c.env, fault.Options{}); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, err := f.Targets(t.Context(), c.env.System(), c.env, fault.Options{}); err == nil {
			t.Errorf("%s: it has targets", c.name)
		}
	}
	env := newFake(false)
	env.fail = errors.New("gone")
	if _, err := mustParse(t, "surge(checkout, 3x)").Inject(t.Context(), env, fault.Options{}); !errors.Is(err, env.fail) {
		t.Errorf("got %v, want it to be %v", err, env.fail)
	}
}

func TestSurgeInAPlanAndAtItsWorst(t *testing.T) {
	t.Parallel()
	f := mustParse(t, "surge(checkout, 3x)")
	if got := f.Worst().String(); got != "surge(*, 3x)" {
		t.Errorf("at its worst it is %s", got)
	}
	for text, want := range map[string]string{"surge(checkout, 3x)": "checkout", "surge(*, 3x)": "*"} {
		got, err := mustParse(t, text).Targets(t.Context(), shop(), nil, fault.Options{})
		if err != nil || !slices.Equal(got, []string{want}) {
			t.Errorf("before a run %s hits %v, %v; want %s", text, got, err, want)
		}
	}
	if got := f.Powers(); !slices.Equal(got, []string{"Surger"}) {
		t.Errorf("it asks for %v", got)
	}
}
