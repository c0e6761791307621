package workload_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// An open loop does not wait for a server that stalls: its arrivals go on, and
// each counts from when it was due. A closed loop would have seen one slow operation.
func TestStalledServerIsSeen(t *testing.T) {
	var mu sync.RWMutex
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		mu.RLock()
		defer mu.RUnlock()
	})
	stalled := make(chan struct{})
	timer := time.AfterFunc(500*time.Millisecond, func() {
		mu.Lock()
		time.AfterFunc(2*time.Second, func() {
			mu.Unlock()
			close(stalled)
		})
	})
	defer timer.Stop()
	steps := []workload.Step{{Call: "GET " + url, Expect: "status == 200", Timeout: 30 * time.Second}}
	rec, stats := drive(t, 0, workload.Journey{Steps: steps},
		workload.Options{Load: []workload.Load{{Journey: "j", Rate: 1000}}, Duration: 3 * time.Second})
	<-stalled
	late, slowest := 0, time.Duration(0)
	for _, op := range rec.kind(history.Journey) {
		slowest = max(slowest, op.Latency())
		if op.Latency() > 20*time.Millisecond {
			late++
		}
	}
	t.Logf("seed %d: %d runs, %d late, slowest %v, lateness of the driver p99 %v max %v, %d in flight",
		seed, stats.Runs, late, slowest, stats.Lateness.P99, stats.Lateness.Max, stats.InFlight)
	if stats.Runs != 3000 || stats.OK != 3000 {
		t.Errorf("got %+v, want 3000 runs, all ok", stats)
	}
	if late < 1800 || slowest < 1900*time.Millisecond {
		t.Errorf("%d late operations and a maximum of %v, want about 2000 and at least 1.9s", late, slowest)
	}
}

func TestSaturationIsRecorded(t *testing.T) {
	t.Parallel()
	url := serve(t, hang(t))
	steps := []workload.Step{{Call: "GET " + url, Expect: "status == 200", Timeout: 300 * time.Millisecond}}
	rec, stats := drive(t, 100, workload.Journey{Steps: steps}, workload.Options{MaxInFlight: 5})
	journeys := rec.kind(history.Journey)
	if stats.Runs != 100 || len(journeys) != 100 || stats.InFlight != 5 {
		t.Errorf("got %+v and %d records, want all 100 arrivals recorded", stats, len(journeys))
	}
	saturated := 0
	for _, op := range journeys {
		if strings.HasPrefix(op.Error, workload.Saturated+": 5 runs were in flight") && op.Outcome == history.Failed {
			saturated++
		}
	}
	if saturated < 50 || int64(saturated) != stats.Saturated {
		t.Errorf("%d saturated, and the stats say %d", saturated, stats.Saturated)
	}
}

func TestSeedDecides(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (seen []string) {
		var mu sync.Mutex
		url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, r.URL.Path+" "+r.Header.Get("traceparent"))
		})
		j := workload.Journey{Name: "j", Data: map[string]any{"sku": []any{"a", "b", "c"}, "key": "{{uuid()}}", "r": "{{rand(1000)}}"},
			Steps: []workload.Step{{Call: "GET " + url + "/{{n}}/{{sku}}/{{key}}/{{r}}/{{uuid()}}", Expect: "status == 200"}}}
		if _, err := workload.Drive(t.Context(), workload.Options{Journeys: []workload.Journey{j}, Seed: seed,
			Load: []workload.Load{{Journey: "j", Rate: 500}}, Duration: 60 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(seen)
		return seen
	}
	a, b, c := run(1), run(1), run(2)
	if len(a) != 30 || !slices.Equal(a, b) {
		t.Errorf("one seed gave %v and %v", a, b)
	}
	for i := range c {
		if i < len(a) && a[i] == c[i] {
			t.Errorf("two seeds gave the same run %s", a[i])
		}
	}
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	load := workload.Load{Journey: "checkout", Rate: 50}
	a := workload.Schedule(1, load, 10*time.Second)
	if len(a) != 500 || a[0] >= 20*time.Millisecond {
		t.Fatalf("%d arrivals, the first at %v", len(a), a[0])
	}
	for i := range a[1:] {
		if gap := a[i+1] - a[i]; gap < 19999*time.Microsecond || gap > 20001*time.Microsecond {
			t.Fatalf("gap %d is %v", i, gap)
		}
	}
	if !slices.Equal(a, workload.Schedule(1, load, 10*time.Second)) {
		t.Error("one seed gave two schedules")
	}
	if slices.Equal(a, workload.Schedule(2, load, 10*time.Second)) {
		t.Error("two seeds gave one schedule")
	}
}

// The load ends while runs are in flight: they get their answers, and arrivals
// that were due before the end are made up for.
func TestEndOfContextLosesNoRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		select {
		case <-r.Context().Done():
		case <-time.After(300 * time.Millisecond):
		}
	})
	rec := &recorder{}
	start := time.Now()
	now := func() time.Duration { return time.Since(start) }
	stats, err := workload.Drive(ctx, workload.Options{Now: now, Record: rec.record, Load: []workload.Load{{Journey: "j", Rate: 1000}},
		Journeys: []workload.Journey{{Name: "j", Steps: []workload.Step{{Call: "GET " + slow, Expect: "status == 200", Timeout: time.Minute}}}}})
	if err != nil || stats.Runs == 0 || stats.OK != stats.Runs {
		t.Errorf("%+v %v", stats, err)
	}
	first, last := time.Hour, time.Duration(0)
	for _, op := range rec.kind(history.Journey) {
		first, last = min(first, op.Scheduled), max(last, op.Scheduled)
	}
	if last-first > time.Duration(stats.Runs)*time.Millisecond {
		t.Errorf("%d runs cannot be all that were due from %v to %v", stats.Runs, first, last)
	}
}

func TestDrainIsBounded(t *testing.T) {
	t.Parallel()
	url := serve(t, hang(t))
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	for name, j := range map[string]workload.Journey{
		"step":            {Steps: []workload.Step{{Call: "GET " + url, Expect: "status == 200", Timeout: time.Hour}}},
		"deaf function":   {Func: func(context.Context, *workload.Run) error { <-over; return nil }},
		"polite function": {Func: func(ctx context.Context, _ *workload.Run) error { <-ctx.Done(); return ctx.Err() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			rec, stats := drive(t, 5, j, workload.Options{Drain: 50 * time.Millisecond, FuncTimeout: time.Hour})
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %v", took)
			}
			if stats.Runs != 5 || stats.Maybe != 5 || len(rec.kind(history.Journey)) != 5 {
				t.Errorf("got %+v, want 5 maybe", stats)
			}
		})
	}
}

func TestOverdue(t *testing.T) {
	t.Parallel()
	url := serve(t, hang(t))
	start := time.Now()
	now := func() time.Duration { return time.Since(start) }
	d, err := workload.New(workload.Options{Now: now, Load: []workload.Load{{Journey: "j", Rate: 100}}, Drain: time.Millisecond,
		Journeys: []workload.Journey{{Name: "j", Steps: []workload.Step{{Call: "GET " + url, Expect: "status == 200", Timeout: time.Minute}}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { _, err := d.Drive(ctx); done <- err }()
	for deadline := time.Now().Add(time.Minute); len(d.Open()) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no run started")
		}
	}
	if overdue := d.Overdue(now()); overdue["j"] != 0 {
		t.Errorf("overdue at once: %v", overdue)
	}
	if overdue := d.Overdue(now() + 61*time.Second); overdue["j"] == 0 {
		t.Error("nothing is overdue after 61 s of a timeout of one minute")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if open := d.Open(); len(open) != 0 {
		t.Errorf("still open after the load: %v", open)
	}
}

func TestIDsAndClients(t *testing.T) {
	t.Parallel()
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	steps := []workload.Step{{Call: "GET " + url, Expect: "status == 200", Record: []workload.Record{{Op: "read", Object: "o", Value: "status"}}}}
	rec, _ := drive(t, 300, workload.Journey{Steps: steps}, workload.Options{})
	ids, last := map[uint64]bool{}, map[string]history.Op{}
	for _, kind := range []history.OpKind{history.Journey, history.Step, history.Model} {
		for _, op := range rec.kind(kind) {
			if ids[op.ID] || op.ID == 0 {
				t.Fatalf("id %d is used twice", op.ID)
			}
			ids[op.ID] = true
			process := fmt.Sprint(kind, op.Client)
			if before := last[process]; before.Return > op.Call {
				t.Fatalf("operations of %s overlap: %+v %+v", process, before, op)
			}
			last[process] = op
		}
	}
}
