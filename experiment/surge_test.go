package experiment

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
)

// surging is an experiment whose load grows for a second and a half.
func surging(text string) Experiment {
	f, err := fault.Parse(text)
	if err != nil {
		panic(err)
	}
	x := short()
	x.Method = []Action{{At: time.Second, For: 1500 * time.Millisecond, Fault: f}}
	return x
}

func TestRunSurgesAndReturnsToTheUsualRate(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"surge(ask, 4x)", "surge(*, 4x)"} {
		env := newFakeEnv()
		defer env.Close(context.Background())
		x := surging(text)
		x.During = []Expectation{{Text: `rate("ask") > 150.0`}}
		x.Expect = []Expectation{{Text: `recovery.from_heal_s < 1.0`}}
		got, events, err := ran(t, context.Background(), env, x, Options{})
		if err != nil || got.Verdict != verdict.Pass {
			t.Fatalf("%s: %s: %s, %v", text, got.Verdict, got.Reason, err)
		}
		if len(got.Effects) != 1 || got.Effects[0].Target != "ask" || !strings.Contains(got.Effects[0].Text, "operations of ask arrived a second") {
			t.Errorf("%s: effects %+v", text, got.Effects)
		}
		if at(events, history.Heal) == 0 {
			t.Errorf("%s was not healed", text)
		}
	}
}

// due are the times of the journey's operations since its first one, sorted: what the seed decides of a load.
func due(ops []history.Op) []time.Duration {
	var times []time.Duration
	for _, op := range ops {
		if op.Kind == history.Journey {
			times = append(times, op.Scheduled)
		}
	}
	slices.Sort(times)
	first := times[0]
	for i := range times {
		times[i] -= first
	}
	return times
}

// When the load ends is decided by when somebody gets to it, so the last operations are not compared.
func TestOneSeedSurgesTheSame(t *testing.T) {
	t.Parallel()
	run := func() []time.Duration {
		env := newFakeEnv()
		defer env.Close(context.Background())
		dir := t.TempDir()
		if err := Run(context.Background(), env, surging("surge(ask, 3x)"), Options{Dir: dir, Journeys: asking(), Seed: 7}); err != nil {
			t.Fatal(err)
		}
		return due(readAll[history.Op](t, dir+"/ops.jsonl"))
	}
	a, b := run(), run()
	n := min(len(a), len(b))
	if n < 100 || !slices.Equal(a[:n-5], b[:n-5]) {
		t.Errorf("one seed gave\n%v\nand\n%v", a, b)
	}
}

// A driver that sends no more than before has made no surge, whatever it was told.
func TestASurgeThatDoesNotComeIsUnknown(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := surging("surge(ask, 4x)")
	x.Method[0].Fault = lameSurge{x.Method[0].Fault}
	got, _, err := ran(t, context.Background(), env, x, Options{})
	if err != nil || got.Verdict != verdict.Unknown || !strings.Contains(got.Reason, "no effect was observed: only") {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
}

// lameSurge is healed as soon as it was injected.
type lameSurge struct{ fault.Fault }

func (f lameSurge) Inject(ctx context.Context, env system.Env, opts fault.Options) (fault.Active, error) {
	active, err := f.Fault.Inject(ctx, env, opts)
	if err != nil {
		return nil, err
	}
	return active, active.Heal(ctx)
}

func TestAControlSurgesUntilTheLoadEnds(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	dir := t.TempDir()
	if err := Run(context.Background(), env, surging("surge(ask, 3x)"), Options{Dir: dir, Journeys: asking(), Seed: 7, Control: true}); err != nil {
		t.Fatal(err)
	}
	times := due(readAll[history.Op](t, dir+"/ops.jsonl"))
	last := times[len(times)-1]
	late := len(times) - slices.IndexFunc(times, func(at time.Duration) bool { return at > last-200*time.Millisecond })
	if late < 25 {
		t.Errorf("%d operations in the last 200 ms, want 30: a control is never healed", late)
	}
}

func TestASurgeOfAJourneyWithoutLoadIsAnError(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := surging("surge(other, 3x)")
	_, _, err := ran(t, context.Background(), env, x, Options{})
	if err == nil || !strings.Contains(err.Error(), "the journey has no load (allowed: ask)") {
		t.Errorf("err = %v", err)
	}
}

// What never returned arrived, too: in an overload that may be most of it.
func TestASurgeIsSeenThoughNothingReturns(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := surging("surge(ask, 4x)")
	x.Method = append(x.Method, Action{At: 500 * time.Millisecond, For: 500 * time.Millisecond, Fault: stallFault{fault.Kill("orders-1"), env}})
	opts := Options{Dir: t.TempDir(), Journeys: asking(), Seed: 7}
	opts.Journeys[0].Steps[0].Timeout = 2 * time.Second
	_ = Run(context.Background(), env, x, opts) // what hangs is not what is tested
	for _, e := range readAll[history.Event](t, opts.Dir+"/events.jsonl") {
		if e.Kind == history.Effect && e.Fault == 1 && e.OK {
			return
		}
	}
	t.Error("the surge was not seen")
}
