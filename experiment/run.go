package experiment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

const (
	defaultHold   = 5 * time.Second
	defaultSettle = 2 * time.Second
	healDeadline  = 60 * time.Second
	watchEvery    = 250 * time.Millisecond
)

// Options decide how an experiment is run. Dir and Journeys are required.
type Options struct {
	Seed     uint64
	Dir      string // the experiment's evidence folder; it exists and holds no records
	Journeys []workload.Journey
	Final    []workload.Step
	// Control worsens the system instead of judging it: full strength, never healed before the load ends.
	Control  bool
	Progress func(Progress) // called often, from one goroutine at a time; nil for none
}

// Progress is where an experiment is.
type Progress struct {
	Experiment string
	Phase      string
	At, Total  time.Duration
	Text       string // what just happened; "" for a tick
}

// ErrStopped reports that a stop condition, or a system that was not healthy, ended the experiment early.
// Its records are whole, and are judged.
var ErrStopped = errors.New("the experiment was stopped")

// run is one experiment under way.
type run struct {
	env   system.Env
	x     Experiment
	opts  Options
	rec   *records
	drive *workload.Driver
	cause context.CancelCauseFunc // ends the experiment early
	zero  time.Duration           // when the load started: actions count from here

	mu     sync.Mutex
	active map[int]fault.Active // by action
	order  []int                // actions, as they were injected
	radius []system.Link        // that any of them bends
	rules  []string             // that any of them set

	healing sync.Mutex
}

// Run runs x on env and leaves its records in opts.Dir. Whatever happens, what
// it injected is healed before it returns. The error is nil or ErrStopped where the records
// are to be judged as they are; it is ctx's where the run was interrupted; any other says
// that the environment or the tool broke. The records are judged in each case.
func Run(ctx context.Context, env system.Env, x Experiment, opts Options) error {
	r := &run{env: env, x: x, opts: opts, active: map[int]fault.Active{}}
	epoch := system.Monotonic()
	now := func() time.Duration { return system.Monotonic() - epoch }
	rec, err := newRecords(opts.Dir, now)
	if err != nil {
		return err
	}
	r.rec = rec
	err = r.record(ctx, epoch, func() error { return r.course(ctx) })
	return errors.Join(err, rec.failed(), rec.close())
}

// record runs do while the environment records, too.
func (r *run) record(ctx context.Context, epoch time.Duration, do func() error) error {
	recorder, ok := r.env.(system.Recorder)
	if !ok {
		return do()
	}
	if err := recorder.Record(ctx, r.opts.Dir, epoch); err != nil {
		return fmt.Errorf("start recording: %w", err)
	}
	err := do()
	cleanup, cancel := lasting(ctx)
	defer cancel()
	return errors.Join(err, recorder.StopRecording(cleanup))
}

// lasting returns a context for cleaning up: it outlives ctx, and has its own deadline.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), healDeadline)
}

// course goes through the phases, and heals on the way out.
func (r *run) course(ctx context.Context) (err error) {
	before, snapErr := r.snapshot(ctx)
	if snapErr != nil {
		return fmt.Errorf("snapshot before: %w", snapErr)
	}
	limited, cause := context.WithCancelCause(ctx)
	defer cause(nil)
	r.cause = cause
	if r.drive, err = r.newDriver(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.drive.Close()) }()
	if err := r.finalSteps(ctx, "initial"); err != nil {
		return err
	}
	r.zero = r.rec.now()
	links, linksErr := r.stats(ctx)
	r.rec.phase(phaseBefore)
	stopLoad := r.load(limited)
	err = r.phases(limited, stopLoad)
	if early := context.Cause(limited); early != nil {
		err = early
	}
	healErr := r.healAll(ctx)
	if errors.Is(healErr, ErrStopped) && (err == nil || errors.Is(err, ErrStopped)) {
		err, healErr = ErrStopped, nil
	}
	if r.opts.Control {
		// What a control never healed is healed now, so that the next experiment finds a whole system.
		r.rec.note("control", "healed after the load")
	}
	stopLoad()
	r.outside(ctx, links, linksErr)
	if err != nil && !errors.Is(err, ErrStopped) {
		return errors.Join(err, healErr)
	}
	return errors.Join(err, healErr, r.finish(ctx, before))
}

// phases waits through the method, the heal and the window after.
func (r *run) phases(ctx context.Context, stopLoad func()) error {
	watched := make(chan struct{})
	defer func() { <-watched }()
	watch, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	go func() { defer close(watched); r.watch(watch) }()
	if err := r.method(ctx); err != nil {
		return err
	}
	for _, wait := range []struct {
		phase string
		next  string
		d     time.Duration
	}{{phaseHealed, phaseAfter, r.settle()}, {phaseAfter, phaseDrain, r.after()}} {
		if err := r.sleep(ctx, wait.phase, wait.d); err != nil {
			return err
		}
		if wait.next != phaseDrain {
			r.rec.phase(wait.next)
		}
	}
	stopLoad()
	return nil
}

func (r *run) settle() time.Duration {
	if r.x.Settle > 0 {
		return r.x.Settle
	}
	return defaultSettle
}

func (r *run) after() time.Duration {
	if r.x.After > 0 || len(r.x.Method) == 0 {
		return r.x.After
	}
	return r.x.Method[0].At
}

// ends returns when each action is healed: actions without For end together, Hold after the last one began.
func (x Experiment) ends() []time.Duration {
	var last time.Duration
	for _, a := range x.Method {
		last = max(last, a.At+a.For)
		if a.For == 0 {
			last = max(last, a.At+hold(x))
		}
	}
	ends := make([]time.Duration, len(x.Method))
	for i, a := range x.Method {
		ends[i] = last
		if a.For > 0 {
			ends[i] = a.At + a.For
		}
	}
	return ends
}

func hold(x Experiment) time.Duration {
	if x.Hold > 0 {
		return x.Hold
	}
	return defaultHold
}

// Length returns how long the load of x is planned to run.
func (x Experiment) Length() time.Duration {
	r := run{x: x}
	var last time.Duration
	for _, end := range x.ends() {
		last = max(last, end)
	}
	return last + r.settle() + r.after()
}

// sleep waits for d, telling progress, and ends early with ctx's cause.
func (r *run) sleep(ctx context.Context, phase string, d time.Duration) error {
	end := r.rec.now() + d
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		left := end - r.rec.now()
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		case <-tick.C:
			r.tell(phase, "")
		}
		timer.Stop()
	}
}

func (r *run) tell(phase, text string) {
	if r.opts.Progress != nil {
		r.opts.Progress(Progress{Experiment: r.x.Name, Phase: phase, At: r.rec.now() - r.zero, Total: r.x.Length(), Text: text})
	}
}

// finish runs the final steps on the healed system, and compares it with what it was.
func (r *run) finish(ctx context.Context, before system.Snapshot) error {
	r.rec.phase(phaseFinal)
	err := r.finalSteps(ctx, phaseFinal)
	if snapErr := r.compare(ctx, before); snapErr != nil {
		r.rec.event(history.Event{Kind: history.Snapshot, Name: "rollback", Text: snapErr.Error()})
	}
	r.rec.phase(phaseEnd)
	return err
}

// finalSteps runs the final steps. They run before the load, too, so that
// checkers know what was there before. What could not be read makes its checks
// unknown, and is no error here unless the run was interrupted.
func (r *run) finalSteps(ctx context.Context, label string) error {
	if len(r.opts.Final) == 0 {
		return nil
	}
	err := r.drive.RunSteps(ctx, label, r.opts.Final)
	if err != nil && ctx.Err() == nil {
		r.rec.note(label, err.Error())
		return nil
	}
	return err
}

func (r *run) snapshot(ctx context.Context) (system.Snapshot, error) {
	snapshotter, ok := r.env.(system.Snapshotter)
	if !ok {
		return system.Snapshot{}, nil
	}
	return snapshotter.Snapshot(ctx)
}

// compare writes whether the environment stands as before. Readiness may lag a
// moment behind the heal, so it looks again for a few seconds while there is a difference.
func (r *run) compare(ctx context.Context, before system.Snapshot) error {
	if _, ok := r.env.(system.Snapshotter); !ok {
		return &system.UnsupportedError{Target: "the environment", Power: "Snapshotter"}
	}
	var diff []string
	deadline := r.rec.now() + 5*time.Second
	for {
		after, err := r.snapshot(ctx)
		if err != nil {
			return err
		}
		if diff = before.Diff(after); len(diff) == 0 || r.rec.now() > deadline {
			break
		}
		if err := r.sleep(ctx, phaseFinal, watchEvery); err != nil {
			return err
		}
	}
	e := history.Event{Kind: history.Snapshot, Name: "rollback", OK: len(diff) == 0, Text: "processes, ports, link rules and limits are as before"}
	if len(diff) > 0 {
		e.Text = strings.Join(diff, "; ")
	}
	r.rec.event(e)
	return nil
}
