package slo

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// ErrNotRecovered reports that operations were still not ok at the end.
var ErrNotRecovered = errors.New("not recovered")

// A Recovery is how long after a fault the journeys were well again.
type Recovery struct {
	FromInject time.Duration // zero when no operation was hurt
	FromHeal   time.Duration // zero when none was hurt after the heal
}

// Recover returns the time from inject, and from heal, to the last operation of
// the journeys (nil: of all) that was not ok, of those scheduled in [inject, end).
// A zero end means no bound. The window of in is not regarded.
//
// The moment that counts is when that operation was scheduled, not when it
// returned: it says until when an arriving user was not served. Its return
// would add the client's own timeout, so that a patient client makes the same
// system look slower to recover.
//
// ErrNoData means that a journey was not driven after the heal, and
// ErrNotRecovered that one of its last operations was still not ok: those of the
// last second before end, and its last tenth, as far as they came after the heal.
// Each journey is asked alone, so that a busy one does not outvote a rare one.
func Recover(in check.Input, journeys []string, inject, heal, end time.Duration) (Recovery, error) {
	if heal < inject {
		return Recovery{}, fmt.Errorf("recovery: nothing was healed after the inject at %v: %w", inject, ErrNoData)
	}
	driven := driven(in, inject, end)
	if journeys == nil {
		journeys = slices.Sorted(maps.Keys(driven))
	}
	if len(journeys) == 0 {
		return Recovery{}, fmt.Errorf("recovery: nothing was driven after the inject at %v: %w", inject, ErrNoData)
	}
	var worst Recovery
	var errs []error
	for _, journey := range journeys {
		r, err := recovery(driven[journey], inject, heal, end)
		if err != nil {
			errs = append(errs, fmt.Errorf("recovery of %s: %w", journey, err))
		}
		worst = Recovery{max(worst.FromInject, r.FromInject), max(worst.FromHeal, r.FromHeal)}
	}
	if len(errs) > 0 {
		return Recovery{}, errors.Join(errs...)
	}
	return worst, nil
}

// recovery is Recover of one journey's operations, which are in order of schedule.
func recovery(ops []history.Op, inject, heal, end time.Duration) (Recovery, error) {
	after := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool { return op.Scheduled < heal })
	if len(after) == 0 {
		return Recovery{}, fmt.Errorf("no operation was scheduled after the heal at %v: %w", heal, ErrNoData)
	}
	if bad, ok := lastBad(tail(after, end)); ok {
		return Recovery{}, fmt.Errorf("operation %d, %v after the heal, was still not ok (%s): %w", bad.ID, bad.Scheduled-heal, reason(bad), ErrNotRecovered)
	}
	bad, ok := lastBad(ops)
	if !ok {
		return Recovery{}, nil
	}
	return Recovery{FromInject: bad.Scheduled - inject, FromHeal: max(0, bad.Scheduled-heal)}, nil
}

// driven returns the operations scheduled in [from, to) by journey, in order of schedule.
func driven(in check.Input, from, to time.Duration) map[string][]history.Op {
	ops := map[string][]history.Op{}
	for _, op := range in.Ops {
		if op.Kind == history.Journey && op.Scheduled >= from && (to == 0 || op.Scheduled < to) {
			ops[op.Journey] = append(ops[op.Journey], op)
		}
	}
	for _, journey := range ops {
		slices.SortStableFunc(journey, func(a, b history.Op) int { return cmp.Compare(a.Scheduled, b.Scheduled) })
	}
	return ops
}

// tail returns the operations that must be ok for a system to count as
// recovered: of the last second or the last tenth, whichever are more.
func tail(ops []history.Op, end time.Duration) []history.Op {
	if end == 0 {
		end = ops[len(ops)-1].Scheduled + 1
	}
	tenth := len(ops) - (len(ops)+9)/10
	second := slices.IndexFunc(ops, func(op history.Op) bool { return op.Scheduled >= end-time.Second })
	if second < 0 {
		return ops[tenth:]
	}
	return ops[min(tenth, second):]
}

func lastBad(ops []history.Op) (history.Op, bool) {
	for _, op := range slices.Backward(ops) {
		if op.Outcome != history.OK {
			return op, true
		}
	}
	return history.Op{}, false
}

func reason(op history.Op) string {
	if op.Error != "" {
		return op.Error
	}
	return op.Outcome.String()
}
