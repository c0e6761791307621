// Package slo measures service level signals from the records of a run.
//
//	ratio, err := slo.Success(in, "checkout")           // share of operations that ended ok
//	p95, err := slo.Quantile(in, "checkout", 0.95)      // exact, from the scheduled arrival
//	max, err := slo.AttemptsMax(in, "orders", "payments")
//
// A signal over nothing is no number: it is [ErrNoData], from which a caller
// concludes unknown. An operation belongs to the window of its scheduled
// arrival, so one that hangs past the window's end still counts in it.
package slo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// ErrNoData reports that the window holds no record the signal could be computed from.
var ErrNoData = errors.New("no data")

// A Ratio is how the operations of a journey ended.
type Ratio struct {
	OK       int64 // degraded ones included
	Degraded int64
	Failed   int64
	Maybe    int64
	Total    int64
}

// Share is the share of operations that ended ok, degraded ones included. NaN for the zero Ratio.
func (r Ratio) Share() float64 { return float64(r.OK) / float64(r.Total) }

// DegradedShare is the share of operations that ended ok in degraded mode. NaN for the zero Ratio.
func (r Ratio) DegradedShare() float64 { return float64(r.Degraded) / float64(r.Total) }

// Success returns how the journey's operations ended. An operation whose
// outcome is not known did not succeed for whoever waited for it.
func Success(in check.Input, journey string) (Ratio, error) {
	var r Ratio
	ops, err := operations(in, journey)
	for _, op := range ops {
		r.add(op)
	}
	return r, err
}

func (r *Ratio) add(op history.Op) {
	r.Total++
	switch {
	case op.Outcome == history.OK:
		r.OK++
		if op.Degraded {
			r.Degraded++
		}
	case op.Outcome == history.Failed:
		r.Failed++
	default:
		r.Maybe++
	}
}

// Degraded returns the share of the journey's operations that ended ok in degraded mode.
func Degraded(in check.Input, journey string) (float64, error) {
	r, err := Success(in, journey)
	if err != nil {
		return 0, err
	}
	return r.DegradedShare(), nil
}

// Count returns the number of the journey's operations. None is ErrNoData and
// not 0, so that a limit such as count < 5 cannot pass because nothing was driven.
func Count(in check.Input, journey string) (int64, error) {
	r, err := Success(in, journey)
	return r.Total, err
}

// Failures returns the number of the journey's operations that are not ok.
func Failures(in check.Input, journey string) (int64, error) {
	r, err := Success(in, journey)
	return r.Failed + r.Maybe, err
}

// Rate returns the journey's operations per second of the window. A window
// without end reaches to the last operation.
func Rate(in check.Input, journey string) (float64, error) {
	ops, err := operations(in, journey)
	if err != nil {
		return 0, err
	}
	to := in.To
	if to == 0 {
		for _, op := range ops {
			to = max(to, op.Scheduled)
		}
	}
	if to <= in.From {
		return 0, fmt.Errorf("rate(%q): the window has no length: %w", journey, ErrNoData)
	}
	return float64(len(ops)) / (to - in.From).Seconds(), nil
}

// Quantile returns the smallest latency that at least the share q of the
// journey's operations did not exceed: exact, by rank, from the scheduled arrival.
//
// All operations count, however they ended. Were those left out that are not
// ok, a system that drops its slowest requests would look faster for it; and an
// operation the client gave up on took at least as long as it waited.
func Quantile(in check.Input, journey string, q float64) (time.Duration, error) {
	if !(q >= 0 && q <= 1) {
		return 0, fmt.Errorf("quantile(%q): %v is not between 0 and 1", journey, q)
	}
	ops, err := operations(in, journey)
	if err != nil {
		return 0, err
	}
	latencies := make([]time.Duration, len(ops))
	for i, op := range ops {
		latencies[i] = op.Latency()
	}
	slices.Sort(latencies)
	rank := int(math.Ceil(q * float64(len(latencies))))
	return latencies[max(rank, 1)-1], nil
}

// Max returns the largest latency of the journey's operations, however they ended.
func Max(in check.Input, journey string) (time.Duration, error) { return Quantile(in, journey, 1) }

// operations returns the journey's operations in the window.
func operations(in check.Input, journey string) ([]history.Op, error) {
	var ops []history.Op
	for _, op := range in.Ops {
		if op.Kind == history.Journey && op.Journey == journey && in.In(op.Scheduled) {
			ops = append(ops, op)
		}
	}
	if len(ops) == 0 {
		return nil, fmt.Errorf("journey %q has no operations %s: %w", journey, window(in), ErrNoData)
	}
	return ops, nil
}

func window(in check.Input) string {
	if in.To == 0 {
		return fmt.Sprintf("from %v on", in.From)
	}
	return fmt.Sprintf("from %v to %v", in.From, in.To)
}
