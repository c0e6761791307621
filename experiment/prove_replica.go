package experiment

import (
	"fmt"
	"github.com/assay-dev/assay/history"
	"maps"
	"slices"
	"strings"
	"time"
)

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
