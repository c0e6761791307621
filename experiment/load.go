package experiment

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

// drain bounds how long runs that are under way when the load ends may take.
const drain = 15 * time.Second

// ClientOptions are the options of a driver that reaches env as its client does.
func ClientOptions(env system.Env, seed uint64) workload.Options {
	opts := workload.Options{Seed: seed, Dir: env.System().Dir, Drain: drain,
		Resolve: func(ctx context.Context, host string, port int) (string, error) {
			return env.Addr(ctx, system.Client, host, port)
		}}
	if rewriter, ok := env.(system.Rewriter); ok {
		opts.Rewrite = func(ctx context.Context, text string) (string, error) {
			return rewriter.Rewrite(ctx, system.Client, text)
		}
	}
	if truster, ok := env.(system.Truster); ok {
		opts.Trust = truster.Trusted
	}
	return opts
}

// newDriver makes the driver of the experiment's load and of its final steps,
// so that all operations have ids of one history.
func (r *run) newDriver() (*workload.Driver, error) {
	opts := ClientOptions(r.env, r.opts.Seed^keyOf(r.x.Name))
	opts.Journeys, opts.Load, opts.Record, opts.Now = r.opts.Journeys, r.x.Load, r.rec.op, r.rec.now
	return workload.New(opts)
}

// keyOf keeps data, UUIDs and trace-ids of one experiment apart from another's.
func keyOf(name string) uint64 {
	h := fnv.New64a()
	io.WriteString(h, name)
	return h.Sum64()
}

// load starts the journeys. The function it returns stops new arrivals, waits
// until what is under way has ended, and notes how late the driver was; calling it again does nothing.
func (r *run) load(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	var stats workload.Stats
	var err error
	before := stolen()
	go func() {
		defer close(done)
		stats, err = r.drive.DriveFrom(ctx, r.zero) // so that an action's time is the same on both axes
	}()
	var once sync.Once
	return func() {
		once.Do(func() {
			r.rec.phase(phaseDrain)
			cancel()
			<-done
			r.noteDriver(stats, stolen()-before, err)
		})
	}
}

func (r *run) noteDriver(stats workload.Stats, stolen time.Duration, err error) {
	if err != nil || stats.Lateness.Count == 0 {
		r.rec.note("driver failed", fmt.Sprint(errors.Join(err, errors.New("no operation was started"))))
		return
	}
	r.rec.event(history.Event{Kind: history.Note, Name: "driver", Value: driverValue(stats.Lateness.P99, stats.Runs, stats.Saturated, stolen),
		Text: fmt.Sprintf("%d runs, %d ok, at most %d in flight", stats.Runs, stats.OK, stats.InFlight)})
}

// driverValue is what the driver says of itself, for the judge.
func driverValue(p99 time.Duration, runs, saturated int64, stolen time.Duration) history.Value {
	number := func(name string, n int64) history.Entry {
		return history.Entry{Key: history.String(name), Val: history.Int(n)}
	}
	return history.Map(number("lateness_p99_ns", int64(p99)), number("runs", runs), number("saturated", saturated), number("stolen_ns", int64(stolen)))
}
