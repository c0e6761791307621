package workload_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// A surging is a load under way whose surges a test makes.
type surging struct {
	*workload.Driver
	mu      sync.Mutex
	numbers map[string]uint64 // of runs, by trace
	ops     []history.Op
	stats   workload.Stats
	done    chan struct{}
}

// surgingLoad drives loads of journeys that do nothing, until ctx ends, and returns when it runs.
func surgingLoad(t *testing.T, ctx context.Context, duration time.Duration, loads ...workload.Load) *surging {
	t.Helper()
	s := &surging{numbers: map[string]uint64{}, done: make(chan struct{})}
	runs := make(chan struct{}, 1)
	opts := workload.Options{Seed: seed, Load: loads, Duration: duration, Record: func(op history.Op) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ops = append(s.ops, op)
	}}
	for _, l := range loads {
		opts.Journeys = append(opts.Journeys, workload.Journey{Name: l.Journey, Func: func(_ context.Context, r *workload.Run) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.numbers[r.Trace()] = r.N()
			select {
			case runs <- struct{}{}:
			default:
			}
			return nil
		}})
	}
	var err error
	if s.Driver, err = workload.New(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go func() {
		defer close(s.done)
		s.stats, _ = s.Drive(ctx)
	}()
	<-runs
	return s
}

// arrival is one run of a journey: its number, and when it was due since the load started.
type arrival struct {
	n   uint64
	due time.Duration
}

// arrivals returns those of a journey in order of number. Run 0 is where its schedule says.
func (s *surging) arrivals(l workload.Load) []arrival {
	<-s.done
	var all []arrival
	for _, op := range s.ops {
		if op.Journey == l.Journey {
			all = append(all, arrival{s.numbers[op.Trace], op.Scheduled})
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return int(int64(a.n) - int64(b.n)) })
	start := all[0].due - workload.Schedule(seed, l, time.Minute)[0]
	for i := range all {
		all[i].due -= start
	}
	return all
}

func split(all []arrival) (own, added []arrival) {
	i := slices.IndexFunc(all, func(a arrival) bool { return a.n >= 1<<32 })
	if i < 0 {
		return all, nil
	}
	return all[:i], all[i:]
}

const ms = time.Millisecond

func TestASurgeAddsToTheScheduleAndChangesNothingElse(t *testing.T) {
	t.Parallel()
	load, other := workload.Load{Journey: "checkout", Rate: 100}, workload.Load{Journey: "status", Rate: 70}
	run := func(loads ...workload.Load) []arrival {
		s := surgingLoad(t, t.Context(), 600*ms, loads...)
		if err := s.Surge("x/1", workload.Surge{Journey: "checkout", Factor: 3, From: 200 * ms, To: 400 * ms}); err != nil {
			t.Fatal(err)
		}
		return s.arrivals(load)
	}
	alone := run(load)
	own, added := split(alone)
	for i, due := range workload.Schedule(seed, load, 600*ms) {
		if i >= len(own) || own[i] != (arrival{uint64(i), due}) {
			t.Fatalf("%d own arrivals, and number %d is not due at %v", len(own), i, due)
		}
	}
	if len(added) < 39 || len(added) > 41 {
		t.Errorf("%d arrivals were added in 200 ms, want 40", len(added))
	}
	for i, a := range added {
		if a.due < 200*ms || a.due >= 400*ms || i > 0 && a.due-added[i-1].due > 5001*time.Microsecond {
			t.Errorf("added arrival %d is due at %v", a.n, a.due)
		}
	}
	if again := run(load); !slices.Equal(again, alone) {
		t.Errorf("the same seed gave\n%v\nand\n%v", alone, again)
	}
	if beside := run(load, other); !slices.Equal(beside, alone) {
		t.Errorf("beside another journey the arrivals were\n%v\nand alone\n%v", beside, alone)
	}
}

func TestCalmEndsASurgeAtOnce(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	load := workload.Load{Journey: "checkout", Rate: 50}
	s := surgingLoad(t, ctx, 0, load)
	if err := s.Surge("x/1", workload.Surge{Journey: "checkout", Factor: 10}); err != nil {
		t.Fatal(err)
	}
	s.await(t, func() bool { return s.count(true) > 20 })
	s.Calm("x/1")
	s.Calm("x/1") // a second time does nothing
	s.Calm("never")
	calmed := s.count(false)
	s.await(t, func() bool { return s.count(false) >= calmed+40 })
	stop()
	own, added := split(s.arrivals(load))
	last := added[len(added)-1].due
	after := 0
	for _, a := range own {
		if a.due > last {
			after++
		}
	}
	if after < 15 {
		t.Errorf("the last added arrival is due at %v, and %d others after it", last, after)
	}
	if s.stats.Runs != int64(len(s.ops)) || s.stats.Lateness.Count != s.stats.Runs {
		t.Errorf("%+v, and %d operations: what a surge adds must count", s.stats, len(s.ops))
	}
}

// count is how many runs were made so far that a surge added, or that the load has anyway.
func (s *surging) count(added bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, number := range s.numbers {
		if (number >= 1<<32) == added {
			n++
		}
	}
	return n
}

func (s *surging) await(t *testing.T, enough func() bool) {
	t.Helper()
	tick := time.NewTicker(ms)
	defer tick.Stop()
	for !enough() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the load does not come")
		}
	}
}

func TestASurgeEndsWithItsLoad(t *testing.T) {
	t.Parallel()
	load := workload.Load{Journey: "checkout", Rate: 200}
	s := surgingLoad(t, t.Context(), 200*ms, load)
	if err := s.Surge("x/1", workload.Surge{Journey: "checkout", Factor: 2.5}); err != nil {
		t.Fatal(err)
	}
	_, added := split(s.arrivals(load))
	if len(added) < 59 || len(added) > 61 || added[len(added)-1].due >= 200*ms {
		t.Errorf("%d arrivals were added in 200 ms, the last is %v; want 60", len(added), added[len(added)-1])
	}
	if err := s.Surge("x/2", workload.Surge{Journey: "checkout", Factor: 2}); err == nil || err.Error() != "surge of checkout: no load runs" {
		t.Errorf("after the load: %v", err)
	}
}

func TestSurgesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := surgingLoad(t, t.Context(), 50*ms, workload.Load{Journey: "checkout", Rate: 200})
	for _, c := range []struct {
		surge workload.Surge
		want  string
	}{
		{workload.Surge{Journey: "status", Factor: 2}, "the journey has no load"},
		{workload.Surge{Journey: "checkout", Factor: 1}, "not above 1"},
		{workload.Surge{Journey: "checkout", Factor: 1e6}, "more than 1e+06"},
	} {
		if err := s.Surge("x", c.surge); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.surge, err, c.want)
		}
	}
	<-s.done
}
