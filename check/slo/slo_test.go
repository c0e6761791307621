package slo

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// journeys returns operations of the journey "j", one a second from 0, told by
// one letter each: k ok, d degraded, f failed, m maybe, and a space for none.
// Each takes as many milliseconds as its place, from 1.
func journeys(letters string) check.Input {
	var in check.Input
	for i, letter := range letters {
		at := time.Duration(i) * time.Second
		op := history.Op{ID: uint64(i + 1), Journey: "j", Name: "j", Scheduled: at, Call: at, Return: at + time.Duration(i+1)*time.Millisecond}
		switch letter {
		case 'k', 'd':
			op.Outcome, op.Degraded = history.OK, letter == 'd'
		case 'f':
			op.Outcome = history.Failed
		case ' ':
			continue
		}
		in.Ops = append(in.Ops, op)
	}
	return in
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	in := journeys("kkdfmk")
	in.Ops = append(in.Ops, history.Op{Kind: history.Step, Journey: "j"}, history.Op{Kind: history.Model, Journey: "j"}, history.Op{Journey: "other"})
	got, err := Success(in, "j")
	if want := (Ratio{OK: 4, Degraded: 1, Failed: 1, Maybe: 1, Total: 6}); err != nil || got != want {
		t.Errorf("Success = %+v, %v, want %+v", got, err, want)
	}
	if got.Share() != 4.0/6 || got.DegradedShare() != 1.0/6 {
		t.Errorf("Share = %v, DegradedShare = %v", got.Share(), got.DegradedShare())
	}
	if d, err := Degraded(in, "j"); err != nil || d != 1.0/6 {
		t.Errorf("Degraded = %v, %v", d, err)
	}
	if n, err := Failures(in, "j"); err != nil || n != 2 {
		t.Errorf("Failures = %v, %v: an unknown outcome is no success", n, err)
	}
	if !math.IsNaN((Ratio{}).Share()) {
		t.Error("the share of nothing is a number")
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	in := journeys("fkkf")
	in.From, in.To = time.Second, 3*time.Second
	in.Ops[2].Return = time.Minute // hangs past the window, and still belongs to it
	if r, err := Success(in, "j"); err != nil || r != (Ratio{OK: 2, Total: 2}) {
		t.Errorf("Success = %+v, %v", r, err)
	}
	if d, err := Max(in, "j"); err != nil || d != 58*time.Second {
		t.Errorf("Max = %v, %v", d, err)
	}
	if r, err := Rate(in, "j"); err != nil || r != 1 {
		t.Errorf("Rate = %v, %v", r, err)
	}
}

// No signal makes a number out of nothing.
func TestNoData(t *testing.T) {
	t.Parallel()
	in := journeys("kk")
	in.From = 10 * time.Second
	for name, signal := range map[string]func() error{
		"Success":       func() error { _, err := Success(in, "j"); return err },
		"Degraded":      func() error { _, err := Degraded(in, "j"); return err },
		"Count":         func() error { _, err := Count(in, "j"); return err },
		"Failures":      func() error { _, err := Failures(in, "j"); return err },
		"Rate":          func() error { _, err := Rate(in, "j"); return err },
		"Quantile":      func() error { _, err := Quantile(in, "j", 0.5); return err },
		"Max":           func() error { _, err := Max(in, "j"); return err },
		"other journey": func() error { _, err := Count(journeys("k"), "J"); return err },
		"one instant":   func() error { _, err := Rate(journeys("k"), "j"); return err },
		"AttemptsMax":   func() error { _, err := AttemptsMax(in, "a", "b"); return err },
		"Retries":       func() error { _, err := Retries(in, "a", "b"); return err },
		"Recover":       func() error { _, err := Recover(in, nil, 10*time.Second, 11*time.Second, 0); return err },
	} {
		if err := signal(); !errors.Is(err, ErrNoData) {
			t.Errorf("%s of nothing: %v", name, err)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	in := journeys("kkkfmkkkkk") // 1 to 10 ms
	for _, tt := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.1, 1}, {0.11, 2}, {0.5, 5}, {0.95, 10}, {1, 10}} {
		if got, err := Quantile(in, "j", tt.q); err != nil || got != tt.want*time.Millisecond {
			t.Errorf("Quantile(%v) = %v, %v, want %vms", tt.q, got, err, int(tt.want))
		}
	}
	for _, q := range []float64{-0.1, 1.1, 95, math.NaN()} {
		if _, err := Quantile(in, "j", q); err == nil {
			t.Errorf("Quantile(%v) is a number", q)
		}
	}
}

func TestLatencyCountsFromTheSchedule(t *testing.T) {
	t.Parallel()
	in := check.Input{Ops: []history.Op{{Journey: "j", Outcome: history.OK, Scheduled: 0, Call: 2 * time.Second, Return: 2*time.Second + 1}}}
	if got, err := Max(in, "j"); err != nil || got != 2*time.Second+1 {
		t.Errorf("an operation that waited 2s for its call took %v, %v", got, err)
	}
}

// Random latencies against the definition: the smallest that at least q of all do not exceed.
func TestQuantileAgainstItsDefinition(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		in := journeys(strings.Repeat("k", 1+random.IntN(30)))
		for i := range in.Ops {
			in.Ops[i].Return = in.Ops[i].Scheduled + time.Duration(random.IntN(20))
		}
		q := random.Float64()
		got, err := Quantile(in, "j", q)
		if want := slowQuantile(in.Ops, q); err != nil || got != want {
			t.Fatalf("seed %d: Quantile(%v) of %d = %v, %v, want %v", seed, q, len(in.Ops), got, err, want)
		}
	}
}

func slowQuantile(ops []history.Op, q float64) time.Duration {
	for limit := time.Duration(0); ; limit++ {
		within := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool { return op.Latency() > limit })
		if len(within) > 0 && float64(len(within)) >= q*float64(len(ops)) {
			return limit
		}
	}
}

func exchange(at time.Duration, src, dst string, attempt int) history.Exchange {
	return history.Exchange{Start: at, Src: src, Dst: dst, Attempt: attempt}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	in := check.Input{
		Service: func(instance string) string { return strings.TrimRight(instance, "-123") },
		Exchanges: []history.Exchange{
			exchange(1, "api-1", "pay-1", 1), exchange(2, "api-1", "pay-2", 2), exchange(3, "api-1", "pay-1", 3),
			exchange(4, "api-2", "pay-1", 1), exchange(5, "pay-1", "api-1", 7), exchange(6, "api-1", "db-1", 9),
		},
	}
	if got, err := AttemptsMax(in, "api", "pay"); err != nil || got != 3 {
		t.Errorf("AttemptsMax = %v, %v, want 3", got, err)
	}
	if got, err := Retries(in, "api", "pay"); err != nil || got != 1 {
		t.Errorf("Retries = %v, %v, want 2 retries of 2 requests", got, err)
	}
	in.From, in.To = 2, 4
	if _, err := Retries(in, "api", "pay"); !errors.Is(err, ErrNoData) {
		t.Errorf("Retries of requests that began before the window: %v", err)
	}
	if got, err := AttemptsMax(in, "api", "pay"); err != nil || got != 3 {
		t.Errorf("AttemptsMax = %v, %v, want 3", got, err)
	}
	in.Service = nil
	if got, err := AttemptsMax(in, "api-1", "pay-2"); err != nil || got != 2 {
		t.Errorf("AttemptsMax without services = %v, %v, want 2", got, err)
	}
}

func TestUnnumberedAttemptsAreNoData(t *testing.T) {
	t.Parallel()
	in := check.Input{Exchanges: []history.Exchange{exchange(1, "a", "b", 0), exchange(2, "a", "b", 0)}}
	if n, err := AttemptsMax(in, "a", "b"); !errors.Is(err, ErrNoData) {
		t.Errorf("AttemptsMax = %v, %v", n, err)
	}
}
