package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
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

// bit proves a mode by one kind of fault and a request of the journey that was under way where and while that fault
// was observed. What goes over a link unseen, as between the nodes of a broker, cannot be laid to a journey.
func (s scene) bit(kind string) proof {
	lacking := missing("no effect of a %s was observed", kind)
	for _, sp := range s.spans {
		if sp.kind != kind {
			continue
		}
		lacking = missing("%s was observed, but no request of %s was seen under way where it was", sp.fault, s.journey)
		for _, target := range sp.observedOn() {
			for _, x := range s.in.Exchanges {
				if s.traces[x.Trace()] && passes(x, target) && s.under(x, sp) {
					return proven("%s was observed on %s, while %s %s of %s was under way there", sp.fault, target, x.Method, x.Path, s.journey)
				}
			}
		}
	}
	return lacking
}

// A retry is a request of the journey that was made again after an attempt had failed under an observed fault.
// The driver's own requests are none: where a step polls, it repeats what went well, too.
func proveRetry(s scene) proof {
	failures := map[[6]string]history.Exchange{} // by request, the first to end
	for _, x := range s.in.Exchanges {
		had, ok := failures[s.request(x)]
		if x.Src != system.Client && failed(x) && s.underAny(x) && (!ok || x.End < had.End) {
			failures[s.request(x)] = x
		}
	}
	requests := 0
	var first, last history.Exchange
	for _, x := range s.in.Exchanges {
		// A request beside the one that failed is no second attempt.
		was, ok := failures[s.request(x)]
		if !ok || x.Attempt < 2 || x.Start < was.End || !s.traces[x.Trace()] {
			continue
		}
		requests++
		if x.Attempt > last.Attempt {
			first, last = was, x
		}
	}
	if requests == 0 {
		return missing("no request of %s was made again after an attempt that failed under the fault", s.journey)
	}
	return proven("%d retries were seen, up to attempt %d of %s %s from %s to %s, after one that ended with %s",
		requests, last.Attempt, last.Method, last.Path, last.Src, last.Dst, ending(first))
}

// request names what history.NumberAttempts counts attempts of.
func (s scene) request(x history.Exchange) [6]string {
	request := [6]string{s.in.Service(x.Src), s.in.Service(x.Dst), x.Method, x.Path, x.Trace(), x.Idempotency}
	if x.Idempotency != "" {
		request[4] = ""
	}
	return request
}

// failed says whether a caller has reason to try again: no whole answer, or one that says so.
func failed(x history.Exchange) bool {
	grpc := x.Protocol == "grpc" || x.Code != ""
	silent := x.Status == 0 && x.Code == ""
	return x.Error != "" || silent || x.Status >= 500 || x.Status == 429 || grpc && x.Code != "OK"
}

func ending(x history.Exchange) string {
	switch {
	case x.Error != "":
		return x.Error
	case x.Code != "":
		return x.Code
	case x.Status != 0:
		return fmt.Sprintf("status %d", x.Status)
	}
	return "no answer"
}

func (s scene) underAny(x history.Exchange) bool {
	return slices.ContainsFunc(s.spans, func(sp span) bool { return s.under(x, sp) })
}

// A timeout is an exchange of the journey that lasted to its caller's deadline
// without an answer, on a link or an instance that a fault made slow.
func proveTimeout(s scene) proof {
	for _, x := range s.in.Exchanges {
		if !s.traces[x.Trace()] {
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

// slowed says whether an observed fault could have held this exchange back: it
// began under the fault, or spent most of its wait there.
func (s scene) slowed(x history.Exchange) bool {
	for _, sp := range s.spans {
		if !slices.Contains([]string{"delay", "cut", "pause"}, sp.kind) || !s.under(x, sp) {
			continue
		}
		shared := min(x.End, s.healed(sp)) - max(x.Start, sp.inject)
		if x.Start < sp.inject && shared < (x.End-x.Start)/2 {
			continue // it was late before
		}
		// Who asks and is paused itself was not held up by an answer.
		if slices.ContainsFunc(sp.observedOn(), func(target string) bool { return target != x.Src && passes(x, target) }) {
			return true
		}
	}
	return false
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

func isLeader(v history.Value) bool {
	role, _ := v.AsString()
	return role == "leader" || role == "primary" || role == "master"
}

// A failover is another leader of the same service than the one that an observed fault hit, before the system had time
// to settle after the heal. A leader that changes later changed for some other reason.
func proveFailover(s scene) proof {
	lacking := missing("no role probe named a leader before the inject")
	for _, sp := range s.spans {
		before := s.leaders(sp.inject)
		if len(before) > 0 {
			lacking = missing("the leader did not change between the inject and the time to settle after the heal")
		}
		for _, was := range broken(sp) {
			if !before[was] {
				continue
			}
			if e, ok := s.elected(s.in.Service(was), before, sp); ok {
				return proven("the leader of %s changed from %s to %s, %s after the inject", s.in.Service(was), was, e.Target, ms(e.At-sp.inject))
			}
		}
	}
	return lacking
}

func (s scene) leaders(t time.Duration) map[string]bool {
	leaders := map[string]bool{}
	for instance, role := range s.current("role", t) {
		if isLeader(role) {
			leaders[instance] = true
		}
	}
	return leaders
}

// elected returns the first word of a leader of service that did not lead before.
func (s scene) elected(service string, before map[string]bool, sp span) (history.Event, bool) {
	until := s.healed(sp) + defaultSettle
	if after, ok := s.t.phases[phaseAfter]; ok && after >= s.healed(sp) {
		until = after
	}
	for _, e := range s.in.Events {
		if e.Kind == history.Probe && e.Name == "role" && e.At > sp.inject && e.At <= until && isLeader(e.Value) &&
			!before[e.Target] && s.in.Service(e.Target) == service {
			return e, true
		}
	}
	return history.Event{}, false
}

// Replication is proved by an instance that stood still while it was broken and another one moved on, and that caught
// up. That two answers differ proves nothing: they are of different moments.
func proveReplication(s scene) proof {
	atEnd := s.current("position", s.t.end)
	if len(atEnd) < 2 {
		return missing("no position probe of two instances answered")
	}
	lacking := missing("no replica was seen to stand still while it was broken and another one moved on")
	for _, sp := range s.spans {
		if !slices.Contains([]string{"cut", "kill", "pause"}, sp.kind) {
			continue
		}
		for _, instance := range broken(sp) {
			still, ok := s.standstill(sp, instance)
			if !ok {
				continue
			}
			if behind := s.behind(instance, still.other, atEnd); len(behind) > 0 {
				lacking = missing("%s fell behind and did not catch up: %s", instance, strings.Join(behind, ", "))
				continue
			}
			return proven("%s was at %v when %s was at %v, and caught up to %v", instance, still.at, still.other, still.moved, atEnd[instance])
		}
	}
	return lacking
}

// A standstill is an instance's position while another one moved on.
type standstill struct {
	at    history.Value
	other string
	moved history.Value // where the other one got
}

// standstill says whether instance kept one position under the fault, or did not answer, while another one of its
// service moved. A lag at both ends covers that an answer may be older than the position it tells.
func (s scene) standstill(sp span, instance string) (standstill, bool) {
	from, to := sp.inject+probeLag, s.healed(sp)-probeLag
	had, early, late := s.current("position", sp.inject), s.answers("position", from), s.answers("position", to)
	if _, ok := had[instance]; !ok || to <= from || s.moved(instance, early[instance], from, s.healed(sp)) {
		return standstill{}, false
	}
	for _, other := range slices.Sorted(maps.Keys(late)) {
		_, ok := had[other]
		if !ok || other == instance || s.in.Service(other) != s.in.Service(instance) {
			continue
		}
		if !late[other].Equal(early[other]) && !late[other].Equal(early[instance]) {
			return standstill{early[instance], other, late[other]}, true
		}
	}
	return standstill{}, false
}

// moved says whether the instance answered anything but position in (from, to].
func (s scene) moved(instance string, position history.Value, from, to time.Duration) bool {
	return slices.ContainsFunc(s.in.Events, func(e history.Event) bool {
		return e.Kind == history.Probe && e.Name == "position" && e.Target == instance && e.At > from && e.At <= to &&
			!e.Value.IsNil() && !e.Value.Equal(position)
	})
}

// behind tells in what the instance differs from the others of its service. It must still answer, and so must the
// one that moved on.
func (s scene) behind(instance, other string, atEnd map[string]history.Value) []string {
	var behind []string
	for _, name := range []string{instance, other} {
		if _, ok := atEnd[name]; !ok {
			behind = append(behind, name+" does not answer")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(atEnd)) {
		if s.in.Service(name) == s.in.Service(instance) && !atEnd[name].Equal(atEnd[instance]) {
			behind = append(behind, fmt.Sprintf("%s at %v, %s at %v", instance, atEnd[instance], name, atEnd[name]))
		}
	}
	return behind
}

// Redelivery is proved by the broker's or the consumer's own count of messages delivered again. It is compared with
// what the same instance said before: without that, nobody knows since when they count.
func proveRedelivery(s scene) proof {
	before := s.answers("redelivered", s.from)
	for _, e := range s.in.Events {
		if e.Kind != history.Probe || e.Name != "redelivered" || e.At <= s.from {
			continue
		}
		was, counted := before[e.Target].AsFloat()
		if n, ok := e.Value.AsFloat(); ok && counted && n > was {
			return proven("%g messages were delivered again since the inject, says %s", n-was, e.Target)
		}
	}
	if len(before) == 0 {
		return missing("no redelivered probe answered before the inject")
	}
	return missing("the redelivered probe of no instance rose since the inject")
}

// A dependency is proved by an observed fault, and a request of the journey that went where it hit. The request is
// of the time around the fault: one shortly before shows that the journey goes there, and is the only kind there is
// where whoever is dead is reached by nothing; one of another time may have taken a way that nobody takes any more.
func proveDependency(s scene) proof {
	for _, sp := range s.spans {
		for _, target := range sp.observedOn() {
			for _, x := range s.in.Exchanges {
				if x.Start >= sp.inject-reachedBefore && x.Start < s.healed(sp) && s.traces[x.Trace()] && passes(x, target) {
					return proven("%s was broken, and requests of %s passed through it", target, s.journey)
				}
			}
		}
	}
	return missing("no request of %s passed where an effect was observed, around that time", s.journey)
}

// A restart is proved by an instance that was gone and became ready again.
func proveRestart(s scene) proof {
	for _, sp := range s.spans {
		if sp.kind != "kill" && sp.kind != "restart" {
			continue
		}
		for _, e := range s.in.Events {
			if e.Kind == history.State && e.Name == "ready" && e.At > sp.inject && slices.Contains(sp.observedOn(), e.Target) {
				return proven("%s was gone, and ready again %s after the inject", e.Target, ms(e.At-sp.inject))
			}
		}
	}
	return missing("no instance was seen to go and become ready again")
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
