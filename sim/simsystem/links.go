package simsystem

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/system"
)

// links are the rules that are set.
type links struct {
	s *sim.Sim

	mu    sync.Mutex
	rules []*armed // in the order in which they were set
}

// armed is a rule that is set.
type armed struct {
	id   string
	on   []system.Link
	rule system.Rule
	then map[system.Link]sim.Traffic // when it was set
	heal []func()
}

func newLinks(s *sim.Sim) *links { return &links{s: s} }

// kinds that a simulation can do.
func kinds() []system.RuleKind {
	return []system.RuleKind{system.Delay, system.Throttle, system.Drop, system.Cut}
}

// supported says what a simulation cannot do of a rule.
func supported(r system.Rule) error {
	switch {
	case !slices.Contains(kinds(), r.Kind):
		return fmt.Errorf("simulated links cannot %s: they can %v", r.Kind, kinds())
	case r.Match != nil:
		return fmt.Errorf("simulated links know no requests, so %s of some is not possible", r.Kind)
	case r.When != system.Trigger{}:
		return fmt.Errorf("simulated links bend all that passes, always: %s takes no nth, first, after, p, from or for", r.Kind)
	case r.Each:
		return fmt.Errorf("simulated links have one rate for all connections, not one for each")
	}
	return r.Check()
}

func (l *links) hosts(link system.Link) (from, to *sim.Host) {
	return l.s.Host(link.From), l.s.Host(link.To)
}

func (l *links) set(id string, on []system.Link, rule system.Rule) {
	l.drop(id)
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &armed{id: id, on: on, rule: rule, then: map[system.Link]sim.Traffic{}}
	for _, link := range on {
		from, to := l.hosts(link)
		a.then[link] = l.s.Traffic(from, to)
		if rule.Kind == system.Cut {
			l.s.Cut(from, to)
			a.heal = append(a.heal, func() { l.s.Mend(from, to) })
			continue
		}
		a.heal = append(a.heal, l.s.Bend(from, to, func(l *sim.Link) { bend(l, rule) }))
	}
	l.rules = append(l.rules, a)
	l.s.Event("rule %s is set: %s", id, rule.Text)
}

func (l *links) drop(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.rules, func(a *armed) bool { return a.id == id })
	if i < 0 {
		return
	}
	a := l.rules[i]
	l.rules = slices.Delete(l.rules, i, i+1)
	for _, heal := range a.heal {
		heal()
	}
	l.s.Event("rule %s is cleared", id)
}

func (l *links) clear() {
	l.mu.Lock()
	rules := slices.Clone(l.rules)
	l.mu.Unlock()
	for _, a := range slices.Backward(rules) {
		l.drop(a.id)
	}
}

// bend is what a rule makes of a link.
func bend(l *sim.Link, r system.Rule) {
	switch r.Kind {
	case system.Delay:
		least, more := max(r.Delay-r.Jitter, 0), r.Delay+r.Jitter-max(r.Delay-r.Jitter, 0)
		switch r.Dist {
		case system.Normal:
			least, more, l.Spread = max(r.Delay-2*r.Jitter, 0), r.Jitter, sim.Normal
		case system.Pareto:
			least, more, l.Spread = r.Delay, r.Jitter, sim.Pareto
		}
		l.Latency += least
		l.Jitter += more
	case system.Drop:
		l.Loss = 1 - (1-l.Loss)*(1-r.Loss)
	case system.Throttle:
		if l.Rate == 0 || r.Rate < l.Rate {
			l.Rate = r.Rate
		}
	}
}

// stats are those of all links among instances.
func (l *links) stats(names []string) (all []system.LinkStats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, from := range names {
		for _, to := range names {
			if from == to {
				continue
			}
			link := system.Link{From: from, To: to}
			now := l.s.Traffic(l.hosts(link))
			one := system.LinkStats{Link: link, BytesIn: now.BytesIn, BytesOut: now.BytesOut, Dials: now.Dials, Stalled: now.Stalled, Residence: now.Residence}
			for _, a := range l.rules {
				if slices.Contains(a.on, link) {
					one.Rules = append(one.Rules, system.RuleStats{ID: a.id, Hit: hits(a.rule.Kind, now, a.then[link])})
					one.Lost, one.Throttled, one.Bent = bentBy(a.rule.Kind, now, one)
				}
			}
			slices.SortFunc(one.Rules, func(a, b system.RuleStats) int { return cmp.Compare(a.ID, b.ID) })
			all = append(all, one)
		}
	}
	return all
}

// hits is what a rule did something to, by what the network counted since it was set.
func hits(kind system.RuleKind, now, then sim.Traffic) int64 {
	switch kind {
	case system.Delay:
		return now.Chunks - then.Chunks
	case system.Throttle:
		return now.Waits - then.Waits
	case system.Drop:
		return now.Lost - then.Lost
	}
	return now.Held - then.Held + now.Stalled - then.Stalled
}

// bentBy are the counters that only grow where a rule is: a link that loses by itself is no leak of a fault.
func bentBy(kind system.RuleKind, now sim.Traffic, was system.LinkStats) (lost int64, throttled time.Duration, bent int64) {
	lost, throttled, bent = was.Lost, was.Throttled, was.Bent
	switch kind {
	case system.Drop:
		lost = now.Lost
	case system.Throttle:
		throttled = now.Waited
	case system.Cut:
		bent = now.Held
	}
	return lost, throttled, bent
}
