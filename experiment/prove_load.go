package experiment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/slo"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

const (
	usualFor    = 5 * time.Second // how far before an inject the usual load is measured
	fewestUsual = 10              // operations: less is no usual load
	overload    = 2               // times the usual load
	farLess     = 10              // times less often degraded before a fault than under it
)

// An overload is an observed surge of the journey to at least twice its usual load, by what was recorded, under which
// somebody still answered its requests, be it to turn them away.
func proveOverload(s scene) proof {
	lacking := missing("no effect of a surge of %s was observed", s.journey)
	for _, sp := range s.spans {
		if sp.kind != "surge" || !slices.Contains(sp.observedOn(), s.journey) {
			continue
		}
		before := s.offered(max(s.t.phases[phaseBefore], sp.inject-usualFor), sp.inject)
		under := s.offered(sp.inject, s.loadedUntil(sp))
		switch {
		case before.ops < fewestUsual:
			lacking = missing("%d operations of %s arrived before the surge, so nobody knows the usual load", before.ops, s.journey)
		case under.rate() < overload*before.rate():
			lacking = missing("%.1f operations of %s arrived a second under %s, %.1f before: that is less than %d times", under.rate(), s.journey, sp.fault, before.rate(), overload)
		case !s.answeredIn(under.window):
			lacking = missing("no request of %s was answered under %s", s.journey, sp.fault)
		default:
			return proven("%s: %.1f/s of %s arrived before and %.1f/s for %s; %.1f/s ended ok, %.1f/s of them degraded, and %.1f/s did not; at most %d at once, %d before; p95 %s, %s before",
				sp.fault, before.rate(), s.journey, under.rate(), ms(under.to-under.from), under.per(under.ok), under.per(under.degraded),
				under.per(under.ops-under.ok), under.atOnce, before.atOnce, ms(under.p95), ms(before.p95))
		}
	}
	return lacking
}

// loadedUntil is when a surge ended: a control never heals it, and its load ends.
func (s scene) loadedUntil(sp span) time.Duration {
	if drain, ok := s.t.phases[phaseDrain]; ok {
		return min(drain, s.healed(sp))
	}
	return s.healed(sp)
}

// offered is what a journey was asked to do in a window, and what became of it.
type offered struct {
	window
	ops, ok, degraded int
	atOnce            int // most of them open at one time
	p95               time.Duration
}

func (o offered) per(n int) float64 { return float64(n) / (o.to - o.from).Seconds() }
func (o offered) rate() float64     { return o.per(o.ops) }

func (s scene) offered(from, to time.Duration) offered {
	o := offered{window: window{from, to}}
	if o.empty() {
		return offered{window: window{from, from + 1}}
	}
	var ends []time.Duration // of those that are open
	for _, op := range s.ops() {
		if op.Scheduled < from || op.Scheduled >= to {
			continue
		}
		o.ops++
		if op.Outcome == history.OK {
			o.ok++
		}
		if degraded(op) {
			o.degraded++
		}
		ends = slices.DeleteFunc(append(ends, op.Return), func(end time.Duration) bool { return end < op.Scheduled })
		o.atOnce = max(o.atOnce, len(ends))
	}
	// An error says that there was none, which ops says, too.
	o.p95, _ = slo.Quantile(check.Input{Ops: s.in.Ops, From: from, To: to}, s.journey, 0.95)
	return o
}

// ops returns the journey's operations that the system was asked for, in order of schedule. Those that found the driver
// saturated never left it.
func (s scene) ops() []history.Op {
	var ops []history.Op
	for _, op := range s.in.Ops {
		if op.Kind == history.Journey && op.Journey == s.journey && !strings.HasPrefix(op.Error, workload.Saturated) {
			ops = append(ops, op)
		}
	}
	slices.SortStableFunc(ops, func(a, b history.Op) int { return int(a.Scheduled - b.Scheduled) })
	return ops
}

func (s scene) answeredIn(w window) bool {
	return slices.ContainsFunc(s.in.Exchanges, func(x history.Exchange) bool {
		return x.Start >= w.from && x.Start < w.to && s.traces[x.Trace()] && answered(x)
	})
}

// degraded says whether an operation ended ok, in degraded mode.
func degraded(op history.Op) bool { return op.Outcome == history.OK && op.Degraded }

// Degraded is proved by operations that ended ok in degraded mode and met an observed fault, where none did before it,
// or hardly any: a journey that is degraded anyway shows nothing of the fault.
func proveDegraded(s scene) proof {
	var met, before [2]int // operations, and those of them that were degraded
	var faults []string
	count := func(n *[2]int, op history.Op) {
		n[0]++
		if degraded(op) {
			n[1]++
		}
	}
	for _, op := range s.ops() {
		i := slices.IndexFunc(s.spans, func(sp span) bool { return op.Scheduled < s.healed(sp) && op.Return > sp.inject })
		switch {
		case i >= 0:
			count(&met, op)
			if fault := s.spans[i].fault; degraded(op) && !slices.Contains(faults, fault) {
				faults = append(faults, fault)
			}
		case op.Return <= s.from:
			count(&before, op)
		}
	}
	switch {
	case before[0] == 0:
		return missing("no operation of %s ended before the inject to compare with", s.journey)
	case met[1] == 0:
		return missing("no operation of %s that met a fault ended ok in degraded mode", s.journey)
	case share(before)*farLess > share(met):
		return missing("%s of %s ended ok in degraded mode under %s, and %s before it", of(met), s.journey, strings.Join(faults, ", "), of(before))
	}
	return proven("%s of %s ended ok in degraded mode under %s, %s before it", of(met), s.journey, strings.Join(faults, ", "), of(before))
}

func share(n [2]int) float64 { return float64(n[1]) / float64(n[0]) }

func of(n [2]int) string { return fmt.Sprintf("%d of %d operations", n[1], n[0]) }
