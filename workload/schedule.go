package workload

import (
	"math"
	"time"
)

// maxRate bounds a load: beyond it the schedule's nanoseconds lose their meaning.
const maxRate = 1e6

// An arrivals is the schedule of one journey, fixed before the load starts:
// constant spacing from a phase that the seed decides, so that journeys do not start in step.
type arrivals struct {
	rate  float64
	phase float64 // in arrivals, [0, 1)
	next  uint64
}

func newArrivals(seed uint64, l Load, what string) arrivals {
	return arrivals{rate: l.Rate, phase: stream(seed, l.Journey, 0, what).Float64()}
}

// skip leaves out the arrivals before from.
func (a *arrivals) skip(from time.Duration) {
	a.next = uint64(max(0, from.Seconds()*a.rate-a.phase-1))
	for a.at(a.next) < from {
		a.next++
	}
}

// at returns when arrival i is due, since the start. It is computed from i and
// not from its predecessor, so rounding does not add up.
func (a *arrivals) at(i uint64) time.Duration {
	at := (float64(i) + a.phase) / a.rate * float64(time.Second)
	if at > math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return time.Duration(at)
}

// earliest returns the load that is due first, and when.
func earliest(loads []*load) (first *load, due time.Duration) {
	due = math.MaxInt64
	for _, l := range loads {
		if at := l.arrivals.at(l.arrivals.next); at < due {
			first, due = l, at
		}
	}
	return first, due
}

// Schedule returns the arrivals of a load with a seed, from 0 to d. It is what Drive follows.
func Schedule(seed uint64, l Load, d time.Duration) []time.Duration {
	a := newArrivals(seed, l, "phase")
	var due []time.Duration
	for i := uint64(0); a.at(i) < d; i++ {
		due = append(due, a.at(i))
	}
	return due
}
