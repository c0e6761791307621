// Package retry repeats what failed for a passing reason, with exponential backoff and full jitter.
//
//	err := retry.Policy{Attempts: 4, Base: 100 * time.Millisecond, Max: time.Second}.Do(ctx, rand.Float64, transient, call)
package retry

import (
	"context"
	"time"
)

// Policy says how often and how patiently. The zero value makes attempts without end and without pause.
type Policy struct {
	Attempts int           // at most this many; 0: until ctx is done
	Base     time.Duration // the longest pause after the first attempt; doubled after each
	Max      time.Duration // no pause is longer; 0: no limit
}

// Pause is how long to wait after an attempt (the first is 0), where dice gives [0,1). The whole range is used
// ("full jitter"), so that callers that failed together do not come back together.
func (p Policy) Pause(attempt int, dice func() float64) time.Duration {
	limit := p.Base
	for i := 0; i < attempt && (p.Max == 0 || limit < p.Max); i++ {
		limit *= 2
	}
	if p.Max > 0 && limit > p.Max {
		limit = p.Max
	}
	return time.Duration(dice() * float64(limit))
}

// Do calls op until it succeeds, fails in a way that again refuses, or attempts or ctx run out. It asks again only where an
// attempt is left. It returns op's last
// error, which says more than the context's.
func (p Policy) Do(ctx context.Context, dice func() float64, again func(error) bool, op func(context.Context) error) error {
	for attempt := 0; ; attempt++ {
		err := op(ctx)
		if err == nil || attempt+1 == p.Attempts || !again(err) {
			return err
		}
		select {
		case <-time.After(p.Pause(attempt, dice)):
		case <-ctx.Done():
			return err
		}
	}
}
