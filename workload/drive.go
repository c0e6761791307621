package workload

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// Drive starts runs as the schedules say, until the duration is over or ctx
// ends, and then waits for those in flight: each until its own timeouts, all of them no
// longer than Options.Drain. What is still open then is recorded as maybe.
// The only errors are of a load that cannot start.
func (d *Driver) Drive(ctx context.Context) (Stats, error) { return d.DriveFrom(ctx, d.now()) }

// DriveFrom is Drive of a load that started at a time on the run's clock, which is just over: its schedule counts from there.
func (d *Driver) DriveFrom(ctx context.Context, start time.Duration) (Stats, error) {
	if len(d.loads) == 0 {
		return Stats{}, errors.New("the load is empty: no journey has a rate")
	}
	for _, l := range d.loads {
		l.arrivals = newArrivals(d.opts.Seed, l.rate, "phase")
	}
	// Runs outlive ctx by the drain, so they get a context of their own.
	runs, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(errDrained)
	drive := &drive{Driver: d, runs: runs, tally: newTally(), start: start}
	end := time.Duration(math.MaxInt64)
	if d.opts.Duration > 0 {
		end = d.opts.Duration
	}
	d.surges.begin(ctx, drive)
	drive.pace(ctx, d.loads, end)
	d.surges.end()
	drive.drain(abort)
	stats := drive.tally.read()
	d.clients.mu.Lock()
	stats.InFlight = d.clients.peak
	d.clients.mu.Unlock()
	return stats, nil
}

// A drive is one load of a Driver.
type drive struct {
	*Driver
	runs  context.Context
	tally *tally
	start time.Duration // of the load, on the run's clock

	working sync.WaitGroup
}

// pace starts each run of loads when it is due, up to end. Runs that were due before ctx ended are
// started even if the driver is behind: what was scheduled is recorded.
func (d *drive) pace(ctx context.Context, loads []*load, end time.Duration) {
	pacer := newPacer()
	defer pacer.close()
	for ended := false; ; {
		if !ended && ctx.Err() != nil {
			ended, end = true, min(end, d.now()-d.start)
		}
		l, due := earliest(loads)
		if due >= end && (ended || pacer.wait(ctx, d.start+end, d.now)) {
			return
		}
		if due < end && pacer.wait(ctx, d.start+due, d.now) {
			d.dispatch(job{drive: d, load: l, n: l.first + l.arrivals.next, scheduled: d.start + due})
			l.arrivals.next++
		}
	}
}

func (d *drive) dispatch(j job) {
	c, fresh := d.clients.take(d.opts.MaxInFlight)
	if c == nil {
		d.saturated(j)
		return
	}
	d.working.Add(1)
	if fresh {
		go c.work()
	}
	c.jobs <- j
}

// Saturated is how the error of an operation starts that was recorded though no
// run was made, since Options.MaxInFlight runs were in flight. It says nothing about
// the system; Stats.Saturated counts them.
const Saturated = "driver saturated"

// saturated records an arrival that no client is free for. Its client is c0,
// which makes no runs: these operations take no time, so they do not overlap.
func (d *drive) saturated(j job) {
	op := d.journeyOp(j, "c0")
	why := fmt.Errorf("%s: %d runs were in flight", Saturated, d.opts.MaxInFlight)
	d.tally.late(op.Call - j.scheduled)
	d.tally.add(d.end(op, op.Call, history.Failed, false, why), true)
}

func (d *drive) journeyOp(j job, client string) history.Op {
	name := j.load.name()
	return history.Op{ID: d.nextID(), Kind: history.Journey, Client: client, Journey: name, Name: name, Scheduled: j.scheduled, Call: d.now()}
}

func (c *client) work() {
	for j := range c.jobs {
		j.drive.run(c, j)
		j.drive.clients.give(c)
		j.drive.working.Done()
	}
}

// run makes one run of a journey and records it.
func (d *drive) run(c *client, j job) {
	op := d.journeyOp(j, c.name)
	d.tally.late(op.Call - j.scheduled)
	r := d.newRun(c, op.Journey, j.n)
	r.name, r.id, op.Trace = op.Journey, op.ID, r.trace
	c.begin(j, op)
	outcome, err := d.outcome(r, j.load.journey)
	d.leave(r)
	if op, mine := c.end(); mine {
		d.tally.add(d.end(op, d.now(), outcome, outcome == history.OK && r.degraded, err), false)
	}
}

func (d *drive) outcome(r *Run, j *Compiled) (history.Outcome, error) {
	if err := r.fillData(d.runs, j.data); err != nil {
		return history.Failed, err
	}
	if j.journey.Func != nil {
		return r.call(d.runs, j.journey.Func)
	}
	return r.drive(d.runs, j.steps)
}

// newRun returns a run that holds a lane; leave gives it back.
func (d *Driver) newRun(c *client, key string, n uint64) *Run {
	lane := d.lanes[d.turn.Add(1)%uint64(len(d.lanes))]
	trace, spans := traceID(d.opts.Seed, key, n)
	return &Run{driver: d, client: c, lane: lane.take(), key: key, n: n, trace: trace, spans: spans, vars: map[string]any{}}
}

func (d *Driver) leave(r *Run) { r.lane.give() }

// drain waits for the runs in flight. A Go function that ignores its context
// is left behind, and recorded as maybe.
func (d *drive) drain(abort context.CancelCauseFunc) {
	done := make(chan struct{})
	go func() {
		d.working.Wait()
		close(done)
	}()
	if within(done, d.opts.Drain) {
		return
	}
	abort(errDrained)
	if within(done, 2*time.Second) {
		return
	}
	for _, c := range d.clients.list() {
		if op, open := c.end(); open {
			d.tally.add(d.end(op, d.now(), history.Maybe, false, errDrained), false)
		}
	}
}

func within(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// RunSteps takes setup or final steps once, one after the other, and records
// them without a journey. It returns the first step's error that did not end well.
// Label keys what the seed decides. Steps that run again get other data than before.
func (d *Driver) RunSteps(ctx context.Context, label string, steps []Step) error {
	compiled, err := compileSteps(steps, d.opts.Funcs)
	if err != nil {
		return err
	}
	n := d.stepRuns.Add(1)
	r := d.newRun(&client{name: fmt.Sprintf("s%d", n)}, label, n)
	defer d.leave(r)
	r.vars[ordinalName] = int64(0)
	if _, err := r.drive(ctx, compiled.steps); err != nil {
		return fmt.Errorf("%s: %w", label, err)
	}
	return nil
}
