package workload

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/assay-dev/assay/history"
)

// Stats says how a load went, from the driver's own point of view.
type Stats struct {
	Runs      int64 // all that were scheduled and due
	OK        int64 // degraded ones included
	Degraded  int64
	Failed    int64 // saturated ones included
	Maybe     int64
	Saturated int64 // runs that found MaxInFlight runs in flight, and were recorded as failed
	InFlight  int   // most runs in flight at once
	// Lateness is how long after its scheduled time each run began. A driver that
	// is late measures itself: above 10 ms at P99, nothing it measured can be trusted.
	Lateness Quantiles
}

// Quantiles are of a distribution of durations, to three digits.
type Quantiles struct {
	Count                    int64
	P50, P90, P99, P999, Max time.Duration
}

// A tally counts runs. It is safe for concurrent use.
type tally struct {
	mu       sync.Mutex
	stats    Stats
	lateness *hdrhistogram.Histogram // microseconds
}

func newTally() *tally {
	return &tally{lateness: hdrhistogram.New(1, time.Hour.Microseconds(), 3)}
}

func (t *tally) late(by time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.lateness.RecordValue(min(max(by.Microseconds(), 0), time.Hour.Microseconds())) // in range, so it cannot fail
}

func (t *tally) add(op history.Op, saturated bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Runs++
	switch op.Outcome {
	case history.OK:
		t.stats.OK++
	case history.Failed:
		t.stats.Failed++
	default:
		t.stats.Maybe++
	}
	if op.Degraded {
		t.stats.Degraded++
	}
	if saturated {
		t.stats.Saturated++
	}
}

func (t *tally) read() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := func(q float64) time.Duration {
		return time.Duration(t.lateness.ValueAtQuantile(q)) * time.Microsecond
	}
	stats := t.stats
	stats.Lateness = Quantiles{Count: t.lateness.TotalCount(), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: at(100)}
	return stats
}
