package experiment

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/history"
)

// met proves a mode by one kind of fault and a request of the journey that was under way where and while that fault was
// observed, and that also is as the mode demands. What goes over a link unseen, as between the nodes of a broker, cannot
// be laid to a journey.
func (s scene) met(kind string, also func(x history.Exchange, sp span, target string) (ok bool, how string), lack string) proof {
	lacking := missing("no effect of a %s was observed", kind)
	for _, sp := range s.spans {
		if sp.kind != kind {
			continue
		}
		if sp.partial && kind != "drop" { // what passed need not have met it; of a drop the request says so
			lacking = missing("%s hits only some of what passes, and whom it hit is not in the records", sp.fault)
			continue
		}
		lacking = missing("%s was observed, but "+lack, sp.fault, s.journey)
		for _, target := range sp.observedOn() {
			for _, x := range s.in.Exchanges {
				if !s.traces[x.Trace()] || !passes(x, target) || !s.under(x, sp) {
					continue
				}
				if ok, how := also(x, sp, target); ok {
					return proven("%s was observed on %s, while %s %s of %s was %s there", sp.fault, target, x.Method, x.Path, s.journey, how)
				}
			}
		}
	}
	return lacking
}

func provePause(s scene) proof {
	return s.met("pause", func(history.Exchange, span, string) (bool, string) { return true, "under way" },
		"no request of %s was seen under way where it was")
}

// A partition is a cut of both directions between two instances that are both alive, met by a request of the journey. In
// one of the directions nothing may have been offered: who hears nothing has nothing to answer.
func provePartition(s scene) proof {
	return s.met("cut", func(_ history.Exchange, sp span, target string) (bool, string) {
		from, to, _ := strings.Cut(target, " -> ")
		return slices.Contains(sp.targets, to+" -> "+from) && s.alive(from, sp) && s.alive(to, sp), "under way"
	}, "no request of %s was seen under way where it was, between two that were cut off both ways and alive")
}

// alive says whether an instance ran, as far as anybody saw, all the time that a fault was there.
func (s scene) alive(instance string, sp span) bool {
	for _, other := range s.spans {
		hit := slices.Contains([]string{"kill", "pause", "restart"}, other.kind) && slices.Contains(other.observedOn(), instance)
		if hit && other.inject < s.healed(sp) && s.healed(other) > sp.inject {
			return false
		}
	}
	gone := false
	for _, e := range s.in.Events {
		if e.Kind != history.State || e.Target != instance || e.At >= s.healed(sp) {
			continue
		}
		if e.At > sp.inject && gone {
			return false
		}
		gone = e.Name == "exited" || e.Name == "stopped"
	}
	return !gone
}

// A dependency is proved by an observed fault, and a request of the journey that went where it hit. The request is
// of the time around the fault: one shortly before shows that the journey goes there, and is the only kind there is
// where whoever is dead is reached by nothing; one of another time may have taken a way that nobody takes any more.
func proveDependency(s scene) proof {
	for _, sp := range s.spans {
		for _, target := range sp.observedOn() {
			for _, x := range s.in.Exchanges {
				if sp.kind != "surge" && x.Start >= sp.inject-reachedBefore && x.Start < s.healed(sp) && s.traces[x.Trace()] && passes(x, target) {
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

// A zone outage is every instance of one of several zones broken at the same time, and requests of the journey that went
// through that zone shortly before.
func proveZone(s scene) proof {
	zones := s.zones()
	if len(zones) < 2 {
		return missing("the system has %d zones, and an outage needs another one to be left", len(zones))
	}
	lacking := missing("no zone had every instance broken at the same time")
	for _, zone := range slices.Sorted(maps.Keys(zones)) {
		instances := zones[zone]
		down := s.outage(instances)
		if down.empty() {
			continue
		}
		lacking = missing("zone %s was down, but no request of %s went through it shortly before", zone, s.journey)
		for _, x := range s.in.Exchanges {
			before := x.Start >= down.from-reachedBefore && x.Start < down.from
			if before && s.traces[x.Trace()] && (slices.Contains(instances, x.Src) || slices.Contains(instances, x.Dst)) {
				return proven("all of zone %s (%s) was broken for %s, and requests of %s went through it before",
					zone, strings.Join(instances, ", "), ms(down.to-down.from), s.journey)
			}
		}
	}
	return lacking
}

// zones returns the instances of each zone, sorted.
func (s scene) zones() map[string][]string {
	zones := map[string][]string{}
	for _, instance := range slices.Sorted(maps.Keys(s.in.Zones)) {
		if zone := s.in.Zones[instance]; zone != "" {
			zones[zone] = append(zones[zone], instance)
		}
	}
	return zones
}

// outage returns the first stretch in which all instances were broken, empty where there is none.
func (s scene) outage(instances []string) window {
	var first window
	for _, sp := range s.spans {
		common := window{sp.inject, s.t.end}
		for _, instance := range instances {
			common.to = min(common.to, s.brokenUntil(instance, instances, sp.inject))
		}
		if !common.empty() && (first.empty() || common.from < first.from) {
			first = common
		}
	}
	return first
}

// brokenUntil returns until when an instance of a zone stays broken that is broken at a time, 0 where it is not.
func (s scene) brokenUntil(instance string, zone []string, at time.Duration) (until time.Duration) {
	for _, sp := range s.spans {
		if sp.inject <= at && at < s.healed(sp) && s.breaks(sp, instance, zone) {
			until = max(until, s.healed(sp))
		}
	}
	return until
}

// breaks says whether a fault took an instance out: it was dead or stopped, or cut off from everyone outside its zone.
func (s scene) breaks(sp span, instance string, zone []string) bool {
	switch sp.kind {
	case "kill", "pause":
		return slices.Contains(sp.observedOn(), instance)
	case "cut", "refuse":
		if sp.partial {
			return false
		}
		for other := range s.in.Zones {
			away := fmt.Sprintf("%s -> %s", instance, other)
			back := fmt.Sprintf("%s -> %s", other, instance)
			if !slices.Contains(zone, other) && !(slices.Contains(sp.targets, away) && slices.Contains(sp.targets, back)) {
				return false
			}
		}
		return slices.Contains(broken(sp), instance)
	}
	return false
}
