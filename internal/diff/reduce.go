package diff

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// A Key names one number of a run.
type Key struct {
	Experiment string `json:"experiment"`
	Phase      string `json:"phase"`   // "before", "fault", "after" or "whole"
	Subject    string `json:"subject"` // a journey, a link "orders -> payments", a service, or "all journeys"
	Metric     string `json:"metric"`
}

// An estimate is what one run says of one number.
type estimate struct {
	value   float64 // in the metric's unit
	spread  float64 // standard error of the value, or of its logarithm; 0 for single numbers
	n       int64   // operations, requests or samples
	seconds int     // of the phase
	lacks   string  // what it needs to be compared, and has not; the value may be there all the same
	least   bool    // the value is at least this: it did not recover while it was watched
}

const (
	wholePhase  = "whole"
	allJourneys = "all journeys"
	client      = "client" // the load driver, which is no part of the system
	leastBlocks = 3        // seconds of a phase below which nothing is said of how it varies
	beyond      = 5        // operations that must lie beyond a quantile, so that it is not just the slowest few
)

// A phase is a window of an experiment, by seconds. The last second is up to half a second longer or shorter.
type phase struct {
	name     string
	from, to time.Duration
	all      []draw
}

func (p phase) seconds() int { return max(1, int((p.to-p.from+500*time.Millisecond)/time.Second)) }

// second returns the second of the phase that t is in.
func (p phase) second(t time.Duration) int {
	return max(0, min(int((t-p.from)/time.Second), p.seconds()-1))
}

// phases reads the windows from the records: from where the load starts to the first inject, from there to the last heal,
// and the window after. One that was not reached is not there.
func phases(events []history.Event) []phase {
	at := map[string]time.Duration{}
	for _, e := range events {
		if _, had := at[e.Name]; e.Kind == history.Phase && !had {
			at[e.Name] = e.At
		}
	}
	var all []phase
	for _, w := range []struct{ name, from, to, or string }{
		{"before", "before", "fault", "drain"}, {"fault", "fault", "healed", "drain"}, {"after", "after", "drain", "drain"}, {wholePhase, "before", "drain", "drain"},
	} {
		from, began := at[w.from]
		to, ended := at[w.to]
		if !ended {
			to, ended = at[w.or]
		}
		if began && ended && to > from {
			all = append(all, phase{name: w.name, from: from, to: to})
		}
	}
	return all
}

// reduction is one experiment of one run under way to its estimates.
type reduction struct {
	experiment string
	in         check.Input
	found      map[Key]estimate
}

// reduce returns all numbers that one experiment's records hold. The seed decides the resampling.
func reduce(experiment string, in check.Input, seed uint64) map[Key]estimate {
	if in.Service == nil {
		in.Service = func(name string) string { return name }
	}
	r := &reduction{experiment, in, map[Key]estimate{}}
	shift := r.metFault()
	for _, p := range phases(in.Events) {
		if p.name == wholePhase {
			r.memory(p)
			continue
		}
		p.all = draws(p.seconds(), key(seed, experiment, p.name))
		r.journeys(p, shift)
		r.links(p)
		r.processors(p)
	}
	r.recovery()
	return r.found
}

func (r *reduction) put(p phase, subject, metric string, e estimate) {
	if e.seconds == 0 {
		e.seconds = p.seconds()
	}
	if e.lacks == "" && e.seconds < leastBlocks && p.name != wholePhase {
		e.lacks = fmt.Sprintf("%d s of this phase (there are %d s)", leastBlocks, e.seconds)
	}
	r.found[Key{r.experiment, p.name, subject, metric}] = e
}

// metFault returns a function that says when an operation counts as scheduled: one that was under way at the first
// inject met the fault, and belongs to it, unless it had already taken longer than nearly all (p99) before.
func (r *reduction) metFault() func(history.Op) time.Duration {
	inject := time.Duration(math.MaxInt64)
	for _, e := range r.in.Events {
		if e.Kind == history.Phase && e.Name == "fault" {
			inject = min(inject, e.At)
		}
	}
	took := map[string][]time.Duration{}
	for _, op := range r.in.Ops {
		if op.Kind == history.Journey && op.Return <= inject {
			took[op.Journey] = append(took[op.Journey], op.Latency())
		}
	}
	usual := map[string]time.Duration{}
	for journey, all := range took {
		slices.Sort(all)
		usual[journey] = all[(len(all)-1)*99/100]
	}
	return func(op history.Op) time.Duration {
		if op.Scheduled < inject && op.Return > inject && inject-op.Scheduled <= usual[op.Journey] {
			return inject
		}
		return op.Scheduled
	}
}

// journeys reduces how the operations of each journey ended, and how long they took.
func (r *reduction) journeys(p phase, when func(history.Op) time.Duration) {
	type seconds struct{ ok, degraded, all []float64 }
	counts, times := map[string]*seconds{}, map[string][]timed{}
	for _, op := range r.in.Ops {
		at := when(op)
		if op.Kind != history.Journey || at < p.from || at >= p.to {
			continue
		}
		s := counts[op.Journey]
		if s == nil {
			n := p.seconds()
			s = &seconds{make([]float64, n), make([]float64, n), make([]float64, n)}
			counts[op.Journey] = s
		}
		second := p.second(at)
		s.all[second]++
		if op.Outcome == history.OK {
			s.ok[second]++
			if op.Degraded {
				s.degraded[second]++
			}
		}
		ms := float64(max(op.Latency(), time.Microsecond)) / float64(time.Millisecond)
		times[op.Journey] = append(times[op.Journey], timed{math.Log(ms), int32(second)})
	}
	for _, journey := range slices.Sorted(maps.Keys(counts)) {
		s := counts[journey]
		r.put(p, journey, Success, share(s.ok, s.all, p.all))
		r.put(p, journey, Degraded, share(s.degraded, s.all, p.all))
		r.latencies(p, journey, times[journey])
	}
}

// share estimates a share, in percent. What is seen to vary between seconds counts, and at least what as many
// independent operations would, two of them taken to have ended either way (Agresti and
// Coull 1998): a hundred good operations do not show that all are good.
func share(num, den []float64, all []draw) estimate {
	n, hits := sum(den), sum(num)
	p := (hits + 2) / (n + 4)
	spread := max(ratioSpread(num, den, all), math.Sqrt(p*(1-p)/(n+4)))
	return estimate{value: 100 * hits / n, spread: 100 * spread, n: int64(n)}
}

func (r *reduction) latencies(p phase, journey string, ops []timed) {
	qs := []float64{0.50, 0.95, 0.99}
	values, spreads := quantiles(ops, p.seconds(), qs, p.all)
	for i, name := range []string{P50, P95, P99} {
		e := estimate{value: math.Exp(values[i]), spread: spreads[i], n: int64(len(ops))}
		if need := int(math.Ceil(beyond/(1-qs[i]) - 1e-6)); len(ops) < need {
			e.lacks = fmt.Sprintf("%d operations (there are %d)", need, len(ops))
		}
		r.put(p, journey, name, e)
	}
}

// links reduces the retries per request of each link.
func (r *reduction) links(p phase) {
	type link struct{ first, more []float64 }
	links := map[string]*link{}
	for _, x := range r.in.Exchanges {
		if x.Start < p.from || x.Start >= p.to || x.Attempt < 1 {
			continue
		}
		name := r.in.Service(x.Src) + " -> " + r.in.Service(x.Dst)
		if links[name] == nil {
			links[name] = &link{make([]float64, p.seconds()), make([]float64, p.seconds())}
		}
		if x.Attempt == 1 {
			links[name].first[p.second(x.Start)]++
		} else {
			links[name].more[p.second(x.Start)]++
		}
	}
	for name, l := range links {
		requests, retries := sum(l.first), sum(l.more)
		if requests == 0 {
			r.put(p, name, Retries, estimate{lacks: fmt.Sprintf("a first attempt in the phase (all %.0f are of requests that began before)", retries)})
			continue
		}
		spread := max(ratioSpread(l.more, l.first, p.all), math.Sqrt(retries+1)/requests)
		r.put(p, name, Retries, estimate{value: retries / requests, spread: spread, n: int64(requests)})
	}
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
