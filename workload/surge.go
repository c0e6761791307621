package workload

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"
)

// A Surge adds arrivals to a journey for a while, so that its rate is Factor times what its load says.
//
// What is added is a schedule of its own, of which From and To cut out a piece. It leaves the arrivals that the load
// has anyway as they are: the same seed gives them the same times and the same data, with a surge or without.
type Surge struct {
	Journey string
	Factor  float64       // above 1
	From    time.Duration // since the load started
	To      time.Duration // 0: until Calm
}

// surgeRuns is how many numbers of runs each surge has to itself. The load's own runs come first.
const surgeRuns = 1 << 32

// surges are those of one load.
type surges struct {
	mu     sync.Mutex
	ctx    context.Context // of the load
	drive  *drive          // nil: no load runs
	made   map[string]uint64
	active map[string][]context.CancelFunc // by id
	pacing sync.WaitGroup
}

func (s *surges) begin(ctx context.Context, d *drive) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.drive, s.made, s.active = ctx, d, map[string]uint64{}, map[string][]context.CancelFunc{}
}

// end waits until nothing is added any more. A load that has a duration ends without its context.
func (s *surges) end() {
	s.mu.Lock()
	s.drive = nil
	for _, stops := range s.active {
		for _, stop := range stops {
			stop()
		}
	}
	s.mu.Unlock()
	s.pacing.Wait()
}

// Surge adds the arrivals of s to the load that runs, under an id which keys its schedule. It returns at once. Surges of
// one journey at the same time add up.
func (d *Driver) Surge(id string, s Surge) error {
	base, err := d.surged(s)
	if err != nil {
		return fmt.Errorf("surge of %s: %w", s.Journey, err)
	}
	d.surges.mu.Lock()
	defer d.surges.mu.Unlock()
	if d.surges.drive == nil {
		return fmt.Errorf("surge of %s: no load runs", s.Journey)
	}
	d.surges.made[s.Journey]++
	extra := &load{journey: base.journey, limit: base.limit, rate: base.rate, first: d.surges.made[s.Journey] * surgeRuns}
	extra.rate.Rate *= s.Factor - 1
	extra.arrivals = newArrivals(d.opts.Seed, extra.rate, "surge "+id)
	extra.arrivals.skip(s.From)
	ctx, stop := context.WithCancel(d.surges.ctx)
	d.surges.active[id] = append(d.surges.active[id], stop)
	end := time.Duration(math.MaxInt64)
	if s.To > 0 {
		end = s.To
	}
	if d.opts.Duration > 0 {
		end = min(end, d.opts.Duration)
	}
	drive := d.surges.drive
	d.surges.pacing.Go(func() { drive.pace(ctx, []*load{extra}, end) })
	return nil
}

// surged returns the load that s adds to.
func (d *Driver) surged(s Surge) (*load, error) {
	for _, l := range d.loads {
		if l.name() != s.Journey {
			continue
		}
		if rate := l.rate.Rate * s.Factor; !(s.Factor > 1 && rate <= maxRate) {
			return nil, fmt.Errorf("factor %v is not above 1, or makes more than %v arrivals per second", s.Factor, maxRate)
		}
		return l, nil
	}
	return nil, errors.New("the journey has no load")
}

// Calm ends the surges of an id at once. An id that has none is no error.
func (d *Driver) Calm(id string) {
	d.surges.mu.Lock()
	defer d.surges.mu.Unlock()
	for _, stop := range d.surges.active[id] {
		stop()
	}
	delete(d.surges.active, id)
}

// Loaded returns the names of the journeys that have a load, in the order of Options.Load.
func (d *Driver) Loaded() []string {
	var names []string
	for _, l := range d.loads {
		names = append(names, l.name())
	}
	return names
}
