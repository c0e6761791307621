package experiment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

const (
	// probeLag is how much later than the instance an answer of its probe may be. Probes are asked four times a
	// second, each instance at a time of its own.
	probeLag = 500 * time.Millisecond
	// reachedBefore is how long before an inject a request shows that the journey goes through what was broken.
	reachedBefore = 5 * time.Second
)

// A proof says whether a failure mode was really met in a run, and by what.
type proof struct {
	proved bool
	text   string
}

func proven(format string, args ...any) proof  { return proof{true, fmt.Sprintf(format, args...)} }
func missing(format string, args ...any) proof { return proof{false, fmt.Sprintf(format, args...)} }

// scene is what proofs of one journey look at.
type scene struct {
	in      check.Input
	t       timeline
	journey string
	traces  map[string]bool // of the journey's operations
	spans   []span          // those whose effect was observed
	from    time.Duration   // the first inject of them
	to      time.Duration   // the last heal of them, or the end
}

// provers tell how each mode is proved, in the files prove_*.go. A mode without an entry cannot be proved by this version:
// no fault of it does what the mode is about.
func provers() map[string]func(scene) proof {
	return map[string]func(scene) proof{
		"replication": proveReplication,
		"failover":    proveFailover,
		"retry":       proveRetry,
		"timeout":     proveTimeout,
		"degraded":    proveDegraded,
		"redelivery":  proveRedelivery,
		"dependency":  proveDependency,
		"partition":   provePartition,
		"latency":     proveLatency,
		"loss":        proveLoss,
		"pause":       provePause,
		"restart":     proveRestart,
		"overload":    proveOverload,
		"zone":        proveZone,
	}
}

// prove says whether mode was met by journey. A fault without an effect proves nothing, and neither does a
// journey that did not run under the fault.
func prove(mode, journey string, in check.Input, t timeline) proof {
	prover, ok := provers()[mode]
	if !ok {
		return missing("this version has no proof for the mode %s", mode)
	}
	if _, injected := t.firstInject(); !injected {
		return missing("no fault was injected")
	}
	s := scene{in: in, t: t, journey: journey, traces: map[string]bool{}}
	if !s.stage() {
		return missing("no effect of a fault was observed")
	}
	if s.runs() == 0 {
		return missing("%s did not run while the fault was there", journey)
	}
	return prover(s)
}

// stage finds the faults that were observed, and false where there is none.
func (s *scene) stage() bool {
	for _, sp := range s.t.spans {
		if !sp.injected || !sp.observed() {
			continue
		}
		if len(s.spans) == 0 || sp.inject < s.from {
			s.from = sp.inject
		}
		s.to = max(s.to, s.healed(sp))
		s.spans = append(s.spans, sp)
	}
	return len(s.spans) > 0
}

// runs notes the traces of the journey's runs, and counts those that began under a fault.
func (s *scene) runs() int {
	n := 0
	for _, op := range s.in.Ops {
		if op.Kind != history.Journey || op.Journey != s.journey {
			continue
		}
		if op.Trace != "" { // else every request that carries no trace would be the journey's
			s.traces[op.Trace] = true
		}
		if op.Scheduled >= s.from && op.Scheduled < s.to {
			n++
		}
	}
	return n
}

// healed is when a fault went, or the end where it never did.
func (s scene) healed(sp span) time.Duration {
	if sp.heal == 0 {
		return s.t.end
	}
	return sp.heal
}

// under says whether x was under way while the fault was there.
func (s scene) under(x history.Exchange, sp span) bool {
	return x.Start < s.healed(sp) && x.End > sp.inject
}

// passes says whether x had to do with a target: an instance at one of its ends, or the link it took, in either direction.
func passes(x history.Exchange, target string) bool {
	return target == x.Src || target == x.Dst || target == x.Src+" -> "+x.Dst || target == x.Dst+" -> "+x.Src
}

func (s scene) underAny(x history.Exchange) bool {
	return slices.ContainsFunc(s.spans, func(sp span) bool { return s.under(x, sp) })
}

// answers returns each instance's last answer to a probe up to time t, none before its first.
func (s scene) answers(probe string, t time.Duration) map[string]history.Value {
	last := map[string]history.Value{}
	for _, e := range s.in.Events {
		if e.Kind == history.Probe && e.Name == probe && e.At <= t && !e.Value.IsNil() {
			last[e.Target] = e.Value
		}
	}
	return last
}

// current returns the answers of those instances that still gave them at time t.
func (s scene) current(probe string, t time.Duration) map[string]history.Value {
	last := map[string]history.Value{}
	for _, e := range s.in.Events {
		if e.Kind != history.Probe || e.Name != probe || e.At > t {
			continue
		}
		last[e.Target] = e.Value
		if e.Value.IsNil() {
			delete(last, e.Target)
		}
	}
	return last
}

// broken returns the instances on which a fault was observed, sorted. A link names both its ends.
func broken(sp span) []string {
	var instances []string
	for _, target := range sp.observedOn() {
		instances = append(instances, strings.Split(target, " -> ")...)
	}
	slices.Sort(instances)
	return slices.Compact(instances)
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
