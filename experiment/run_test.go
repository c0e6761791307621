package experiment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// short is an experiment of a second and a half: orders-1 is killed for 300 ms.
func short() Experiment {
	return Experiment{Name: "short", Load: []workload.Load{{Journey: "ask", Rate: 50}},
		Steady: []Expectation{{Text: `success("ask") >= 0.99`}},
		Method: []Action{{At: 500 * time.Millisecond, For: 300 * time.Millisecond, Fault: fault.Kill("orders-1")}},
		Settle: 200 * time.Millisecond, After: 500 * time.Millisecond}
}

func asking() []workload.Journey {
	return []workload.Journey{{Name: "ask", Steps: []workload.Step{{Call: "GET http://orders:80/", Expect: "status == 200", Timeout: time.Minute}}}}
}

// ran runs x on env and returns what was left and concluded.
func ran(t *testing.T, ctx context.Context, env *fakeEnv, x Experiment, opts Options) (evidence.ExperimentResult, []history.Event, error) {
	t.Helper()
	opts.Dir, opts.Journeys, opts.Seed = t.TempDir(), asking(), 7
	err := Run(ctx, env, x, opts)
	var in check.Input
	in.Ops = readAll[history.Op](t, filepath.Join(opts.Dir, "ops.jsonl"))
	in.Events = readAll[history.Event](t, filepath.Join(opts.Dir, "events.jsonl"))
	punctual(in.Events)
	var problems []string
	if err != nil && !errors.Is(err, ErrStopped) {
		problems = []string{err.Error()}
	}
	return Judge(context.Background(), x, in, problems), in.Events, err
}

// punctual makes the driver one that was never late: how busy the machine is that runs this test is not what it tests.
func punctual(events []history.Event) {
	for i, e := range events {
		if runs, ok := entry(e.Value, "runs"); ok && e.Name == "driver" {
			events[i].Value = driverValue(0, runs, 0, 0)
		}
	}
}

func readAll[R history.Record](t *testing.T, path string) []R {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := history.ReadAll[R](f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (e *fakeEnv) counts() (kills, starts int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.kills, e.starts
}

func TestRunBreaksHealsAndPasses(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	got, _, err := ran(t, context.Background(), env, short(), Options{})
	if err != nil || got.Verdict != verdict.Pass {
		t.Fatalf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
	if kills, starts := env.counts(); kills != 1 || starts != 1 {
		t.Errorf("%d kills, %d starts", kills, starts)
	}
}

func TestAnInjectorThatDoesNothingIsUnknown(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	env.lame = true
	defer env.Close(context.Background())
	got, _, err := ran(t, context.Background(), env, short(), Options{})
	if err != nil || got.Verdict != verdict.Unknown || !strings.Contains(got.Reason, "no effect was observed") {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
}

func TestAStopEndsALongAction(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := short()
	x.Method[0].For = time.Hour
	x.Stop = []Condition{{When: Expectation{Text: `success("ask") < 0.5`}, For: 500 * time.Millisecond}}
	got, events, err := ran(t, context.Background(), env, x, Options{})
	if !errors.Is(err, ErrStopped) || got.Verdict != verdict.Fail || !strings.Contains(got.Reason, "stopped, because") {
		t.Fatalf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
	stopped, healed := at(events, history.Stop), at(events, history.Heal)
	if healed < stopped || healed-stopped > time.Minute {
		t.Errorf("stopped at %v, healed at %v", stopped, healed)
	}
}

// A system that hangs answers nothing, so nothing returns. What is past its timeout counts as not ok.
func TestAStopCountsWhatNeverReturned(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	x := short()
	x.Method[0].For = time.Hour
	x.Method[0].Fault = stallFault{fault.Kill("orders-1"), env}
	x.Stop = []Condition{{When: Expectation{Text: `success("ask") < 0.5`}, For: 500 * time.Millisecond}}
	opts := Options{Dir: t.TempDir(), Journeys: asking(), Seed: 7}
	opts.Journeys[0].Steps[0].Timeout = 300 * time.Millisecond
	if err := Run(context.Background(), env, x, opts); !errors.Is(err, ErrStopped) {
		t.Errorf("err = %v", err)
	}
}

// stallFault makes requests hang instead of killing.
type stallFault struct {
	fault.Fault
	env *fakeEnv
}

func (f stallFault) Inject(ctx context.Context, _ system.Env, _ fault.Options) (fault.Active, error) {
	f.env.stall()
	return stalled{f.env}, nil
}

type stalled struct{ env *fakeEnv }

func (s stalled) Targets() []string                              { return []string{"orders-1"} }
func (s stalled) Effect(context.Context) ([]fault.Effect, error) { return nil, nil }
func (s stalled) Heal(ctx context.Context) error                 { return s.env.Close(ctx) }
func at(events []history.Event, kind history.EventKind) time.Duration {
	for _, e := range events {
		if e.Kind == kind {
			return e.At
		}
	}
	return -1
}

func TestNotHealthyBeforeIsNotBroken(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	env.Nodes()[0].(*fakeNode).Kill(context.Background())
	got, _, err := ran(t, context.Background(), env, short(), Options{})
	if !errors.Is(err, ErrStopped) || got.Verdict != verdict.Unknown || !strings.Contains(got.Reason, "not healthy before the fault") {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
	if kills, _ := env.counts(); kills != 1 {
		t.Errorf("%d kills: it was broken further", kills-1)
	}
}

func TestAnInterruptHealsAndKeepsTheRecords(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := short()
	x.Method[0].For = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	progress := func(p Progress) {
		if strings.HasPrefix(p.Text, "kill(") {
			cancel()
		}
	}
	got, events, err := ran(t, ctx, env, x, Options{Progress: progress})
	if !errors.Is(err, context.Canceled) || got.Verdict != verdict.Unknown {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
	if _, starts := env.counts(); starts != 1 || at(events, history.Heal) < 0 {
		t.Errorf("%d starts, events %v", starts, events)
	}
}

func TestALeftoverFails(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	x := short()
	opts := Options{Progress: func(p Progress) {
		if strings.HasPrefix(p.Text, "healing") {
			env.mu.Lock()
			env.left = []string{"short/1: delay a -> b 1s"}
			env.mu.Unlock()
		}
	}}
	got, _, _ := ran(t, context.Background(), env, x, opts)
	if got.Verdict != verdict.Fail || !strings.Contains(got.Reason, "link rule short/1: delay a -> b 1s is left") {
		t.Errorf("%s: %s", got.Verdict, got.Reason)
	}
}

func TestAHealThatFailsIsAnError(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	env.healErr = errors.New("no disk")
	got, _, err := ran(t, context.Background(), env, short(), Options{})
	if err == nil || !strings.Contains(err.Error(), "heal kill(orders-1)") || got.Verdict == verdict.Pass {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
}

// The time that an instance takes to come back is the system's recovery, not the tool's business.
func TestRecoveryCountsTheStart(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	env.slow = 700 * time.Millisecond
	defer env.Close(context.Background())
	x := short()
	x.After = 2 * time.Second
	x.Expect = []Expectation{{Text: `recovery.from_heal_s < 0.3`}}
	got, _, err := ran(t, context.Background(), env, x, Options{})
	if err != nil || got.Verdict != verdict.Fail || !strings.Contains(got.Reason, "recovery.from_heal_s was ") {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
}

func TestAnInstanceThatDoesNotComeBackFails(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	env.healErr, env.gone = errors.New("the journal is corrupt"), true
	defer env.Close(context.Background())
	got, _, err := ran(t, context.Background(), env, short(), Options{})
	if !errors.Is(err, ErrStopped) || got.Verdict != verdict.Fail || !strings.Contains(got.Reason, "orders-1 did not come back") {
		t.Errorf("%s: %s, %v", got.Verdict, got.Reason, err)
	}
}

func TestAControlIsNotHealedUnderLoad(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	got, events, err := ran(t, context.Background(), env, short(), Options{Control: true})
	if err != nil {
		t.Fatal(err)
	}
	after := first(got.Checks, func(c evidence.Checked) bool { return c.Phase == PartSteadyAfter })
	if after == nil || after.Verdict != verdict.Fail {
		t.Errorf("steady after, never healed: %+v", after)
	}
	if _, starts := env.counts(); starts != 1 || at(events, history.Heal) < 0 {
		t.Errorf("it was left broken: %d starts", starts)
	}
}

func TestRecordsAreNeverOverwritten(t *testing.T) {
	t.Parallel()
	env := newFakeEnv()
	defer env.Close(context.Background())
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), env, short(), Options{Dir: dir, Journeys: asking()}); !errors.Is(err, os.ErrExist) {
		t.Errorf("err = %v", err)
	}
}
