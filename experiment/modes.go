package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
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
	from    time.Duration   // first inject
	to      time.Duration   // last heal, or the end
}

// provers tell how each mode is proved. A mode without an entry cannot be proved by this version.
func provers() map[string]func(scene) proof {
	return map[string]func(scene) proof{
		"replication": proveReplication,
		"failover":    proveFailover,
		"retry":       proveRetry,
		"timeout":     proveTimeout,
		"redelivery":  proveRedelivery,
		"dependency":  proveDependency,
		"partition":   func(s scene) proof { return s.bit("cut") },
		"latency":     func(s scene) proof { return s.bit("delay") },
		"pause":       func(s scene) proof { return s.bit("pause") },
		"restart":     proveRestart,
	}
}

// prove says whether mode was met by journey. A journey that did not run under the fault proves nothing.
func prove(mode, journey string, in check.Input, t timeline) proof {
	prover, ok := provers()[mode]
	if !ok {
		return missing("this version has no proof for the mode %s", mode)
	}
	s := scene{in: in, t: t, journey: journey, traces: map[string]bool{}, to: t.end}
	inject, injected := t.firstInject()
	if !injected {
		return missing("no fault was injected")
	}
	s.from = inject
	if heal, ok := t.lastHeal(); ok {
		s.to = heal
	}
	ran := 0
	for _, op := range in.Ops {
		if op.Kind == history.Journey && op.Journey == journey {
			s.traces[op.Trace] = true
			if op.Scheduled >= s.from && op.Scheduled < s.to {
				ran++
			}
		}
	}
	if ran == 0 {
		return missing("%s did not run while the fault was there", journey)
	}
	return prover(s)
}

// bit proves a mode by the observed effect of one kind of fault.
func (s scene) bit(kind string) proof {
	for _, span := range s.t.spans {
		if span.kind == kind && span.observed() {
			return proven("%s was observed on %s", span.fault, strings.Join(span.observedOn(), ", "))
		}
	}
	return missing("no effect of a %s was observed", kind)
}

// A retry is two attempts of one request of the journey, the later one since the inject.
func proveRetry(s scene) proof {
	var found *history.Exchange
	requests := 0
	for i, x := range s.in.Exchanges {
		if x.Attempt >= 2 && x.Start >= s.from && s.traces[x.Trace()] {
			requests++
			if found == nil || x.Attempt > found.Attempt {
				found = &s.in.Exchanges[i]
			}
		}
	}
	if found == nil {
		return missing("no request of %s had a second attempt on any link since the inject", s.journey)
	}
	return proven("%d retries were seen, up to attempt %d of %s %s from %s to %s", requests, found.Attempt, found.Method, found.Path, found.Src, found.Dst)
}

// A timeout is an exchange of the journey that lasted to its caller's deadline
// without an answer, on a link or an instance that a fault made slow.
func proveTimeout(s scene) proof {
	for _, x := range s.in.Exchanges {
		if x.End < s.from || x.Start > s.to || !s.traces[x.Trace()] {
			continue
		}
		unanswered := x.First == 0 || x.First-x.Start > x.Deadline
		expired := x.Deadline > 0 && unanswered && x.End-x.Start >= x.Deadline*9/10
		gaveUp := x.Deadline == 0 && x.First == 0 && x.Error == "caller gave up"
		if (expired || gaveUp) && s.slowed(x) {
			return proven("%s -> %s %s waited %s for an answer, deadline %s", x.Src, x.Dst, x.Path, ms(x.End-x.Start), deadlineText(x))
		}
	}
	return missing("no caller in %s was seen to reach its deadline while a fault held its answer back", s.journey)
}

func deadlineText(x history.Exchange) string {
	if x.Deadline == 0 {
		return "its own: it gave up"
	}
	return ms(x.Deadline)
}

// slowed says whether an observed fault could have held this exchange back.
func (s scene) slowed(x history.Exchange) bool {
	for _, span := range s.t.spans {
		if !span.observed() || !slices.Contains([]string{"delay", "cut", "pause"}, span.kind) {
			continue
		}
		for _, target := range span.targets {
			if target == x.Dst || target == x.Src+" -> "+x.Dst || target == x.Dst+" -> "+x.Src {
				return true
			}
		}
	}
	return false
}

// answers returns each instance's last answer to a probe at time t, none before its first.
func (s scene) answers(probe string, t time.Duration) map[string]history.Value {
	last := map[string]history.Value{}
	for _, e := range s.in.Events {
		if e.Kind == history.Probe && e.Name == probe && e.At <= t && !e.Value.IsNil() {
			last[e.Target] = e.Value
		}
	}
	return last
}

func isLeader(v history.Value) bool {
	role, _ := v.AsString()
	return role == "leader" || role == "primary" || role == "master"
}

// A failover is another leader of the same service after the inject than before.
func proveFailover(s scene) proof {
	before := map[string]string{}
	for instance, role := range s.answers("role", s.from) {
		if isLeader(role) {
			before[s.in.Service(instance)] = instance
		}
	}
	if len(before) == 0 {
		return missing("no role probe named a leader before the inject")
	}
	for _, e := range s.in.Events {
		if e.Kind != history.Probe || e.Name != "role" || e.At <= s.from || !isLeader(e.Value) {
			continue
		}
		if was, ok := before[s.in.Service(e.Target)]; ok && was != e.Target {
			return proven("the leader of %s changed from %s to %s, %s after the inject", s.in.Service(e.Target), was, e.Target, ms(e.At-s.from))
		}
	}
	return missing("the leader did not change after the inject")
}

// Replication is proved by a replica that fell behind while it was broken, and caught up.
func proveReplication(s scene) proof {
	atHeal, atEnd := s.answers("position", s.to), s.answers("position", s.t.end)
	if len(atEnd) < 2 {
		return missing("no position probe of two instances answered")
	}
	for _, instance := range s.brokenReplicas() {
		for _, other := range slices.Sorted(maps.Keys(atHeal)) {
			position := atHeal[other]
			if other == instance || s.in.Service(other) != s.in.Service(instance) || position.Equal(atHeal[instance]) {
				continue
			}
			if behind := s.behind(instance, atEnd); len(behind) > 0 {
				return missing("%s fell behind and did not catch up: %s", instance, strings.Join(behind, ", "))
			}
			return proven("%s was at %v when %s was at %v, and caught up to %v", instance, atHeal[instance], other, position, atEnd[instance])
		}
	}
	return missing("no replica was seen to fall behind while it was broken")
}

// brokenReplicas returns the broken instances, sorted. Where a link between two is broken both ends are
// named, and who leads cannot be the one that fell behind.
func (s scene) brokenReplicas() []string {
	roles := s.answers("role", s.to)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.broken())), func(instance string) bool { return isLeader(roles[instance]) })
}

func (s scene) behind(instance string, positions map[string]history.Value) []string {
	var behind []string
	for other, position := range positions {
		if s.in.Service(other) == s.in.Service(instance) && !position.Equal(positions[instance]) {
			behind = append(behind, fmt.Sprintf("%s at %v, %s at %v", instance, positions[instance], other, position))
		}
	}
	slices.Sort(behind)
	return behind
}

// broken returns the instances on which an effect was observed. A link names both its ends.
func (s scene) broken() map[string]bool {
	instances := map[string]bool{}
	for _, span := range s.t.spans {
		for _, target := range span.observedOn() {
			for _, end := range strings.Split(target, " -> ") {
				instances[end] = true
			}
		}
	}
	return instances
}

// Redelivery is proved by the broker's or the consumer's own count of messages delivered again.
func proveRedelivery(s scene) proof {
	before, after := s.count("redelivered", s.from), s.count("redelivered", s.t.end)
	if after > before {
		return proven("%g messages were delivered again since the inject", after-before)
	}
	return missing("the redelivered probe did not rise since the inject (%g before, %g after)", before, after)
}

// count is the highest answer of any instance up to t: replicas of one counter agree or lag.
func (s scene) count(probe string, t time.Duration) float64 {
	highest := 0.0
	for _, e := range s.in.Events {
		if e.Kind == history.Probe && e.Name == probe && e.At <= t {
			n, _ := e.Value.AsFloat()
			highest = max(highest, n)
		}
	}
	return highest
}

// A dependency is proved by an observed fault on an instance that the journey's requests reach.
func proveDependency(s scene) proof {
	broken := s.broken()
	for _, x := range s.in.Exchanges {
		if s.traces[x.Trace()] && (broken[x.Dst] || broken[x.Src]) && x.Start < s.to {
			instance := x.Dst
			if !broken[instance] {
				instance = x.Src
			}
			return proven("%s was broken, and requests of %s passed through it", instance, s.journey)
		}
	}
	return missing("no request of %s passed through an instance on which an effect was observed", s.journey)
}

// A restart is proved by an instance that was gone and became ready again.
func proveRestart(s scene) proof {
	for _, span := range s.t.spans {
		if (span.kind != "kill" && span.kind != "restart") || !span.observed() {
			continue
		}
		for _, e := range s.in.Events {
			if e.Kind == history.State && e.Name == "ready" && e.At > span.inject && slices.Contains(span.targets, e.Target) {
				return proven("%s was gone, and ready again %s after the inject", e.Target, ms(e.At-span.inject))
			}
		}
	}
	return missing("no instance was seen to go and become ready again")
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
