package experiment

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
)

// Names of the phases, as Phase events carry them.
const (
	phaseBefore = "before" // load runs, nothing is broken
	phaseFault  = "fault"  // from the first inject
	phaseHealed = "healed" // from the last heal
	phaseAfter  = "after"  // the window of steady after
	phaseDrain  = "drain"  // no new load
	phaseFinal  = "final"  // final steps
	phaseEnd    = "end"
)

// A span is one action's life on the axis: what was injected, when, and what was seen of it.
type span struct {
	fault    string
	kind     string
	partial  bool // it left out some of what passed by its own choice
	targets  []string
	inject   time.Duration
	heal     time.Duration // 0: never
	injected bool
	effects  []history.Event
}

// observed says whether the fault was seen to bite: on at least one target, and
// nowhere not, but where there was no occasion to see it, as on a link without traffic.
func (s span) observed() bool {
	seen := false
	for _, e := range s.effects {
		if !e.OK && !idle(e) {
			return false
		}
		seen = seen || e.OK
	}
	return seen
}

// idleMark is the value of an effect that nothing gave occasion to observe.
func idleMark() history.Value {
	return history.Map(history.Entry{Key: history.String("idle"), Val: history.Bool(true)})
}

func idle(e history.Event) bool { return e.Value.Equal(idleMark()) }

// observedOn returns the targets on which the fault was seen to bite.
func (s span) observedOn() []string {
	var targets []string
	for _, e := range s.effects {
		if e.OK && !slices.Contains(targets, e.Target) {
			targets = append(targets, e.Target)
		}
	}
	return targets
}

// A timeline is what the events say of an experiment's course.
type timeline struct {
	phases  map[string]time.Duration
	spans   []span // by action
	stopped *history.Event
	end     time.Duration
}

func readTimeline(x Experiment, events []history.Event) timeline {
	t := timeline{phases: map[string]time.Duration{}, spans: make([]span, len(x.Method))}
	for i, action := range x.Method {
		t.spans[i] = span{fault: action.Fault.String(), kind: action.Fault.Kind(), partial: fault.Partial(action.Fault)}
	}
	for i, e := range events {
		t.end = max(t.end, e.At)
		switch e.Kind {
		case history.Phase:
			t.phases[e.Name] = e.At
		case history.Stop:
			if t.stopped == nil {
				t.stopped = &events[i]
			}
		case history.Inject, history.Effect, history.Heal:
			if e.Fault >= 1 && e.Fault <= len(t.spans) {
				t.spans[e.Fault-1].add(e)
			}
		}
	}
	return t
}

func (s *span) add(e history.Event) {
	switch e.Kind {
	case history.Inject:
		if !s.injected {
			s.inject, s.injected = e.At, true
		}
		s.fault = e.Name // at full strength in a control run
		s.targets = append(s.targets, e.Target)
	case history.Heal:
		s.heal = max(s.heal, e.At)
	case history.Effect:
		// The last word on a target counts; the run asks last just before it heals.
		s.effects = slices.DeleteFunc(s.effects, func(old history.Event) bool { return old.Target == e.Target })
		s.effects = append(s.effects, e)
	}
}

// list returns the phases in order of time, each up to the next.
func (t timeline) list() []evidence.Phase {
	var phases []evidence.Phase
	for name, at := range t.phases {
		phases = append(phases, evidence.Phase{Name: name, From: at, To: t.end})
	}
	slices.SortFunc(phases, func(a, b evidence.Phase) int { return cmp.Compare(a.From, b.From) })
	for i := 1; i < len(phases); i++ {
		phases[i-1].To = phases[i].From
	}
	return phases
}

// window is a half-open stretch of the axis; an empty one holds nothing.
type window struct{ from, to time.Duration }

func (w window) empty() bool { return w.to <= w.from }

// between returns the window from one phase to another, empty where either did not happen.
func (t timeline) between(from, to string) window {
	a, okA := t.phases[from]
	b, okB := t.phases[to]
	if !okA || !okB {
		return window{}
	}
	return window{a, b}
}

// during runs from the first inject to the last heal, or to the end of the load where nothing was healed.
func (t timeline) during() window {
	if w := t.between(phaseFault, phaseHealed); !w.empty() {
		return w
	}
	return t.between(phaseFault, phaseDrain)
}

func (t timeline) whole() window {
	if w := t.between(phaseBefore, phaseDrain); !w.empty() {
		return w
	}
	return window{0, t.end}
}

// firstInject and lastHeal are when the first fault took hold and the last one went.
func (t timeline) firstInject() (time.Duration, bool) {
	var injected []span
	for _, s := range t.spans {
		if s.injected {
			injected = append(injected, s)
		}
	}
	if len(injected) == 0 {
		return 0, false
	}
	return slices.MinFunc(injected, func(a, b span) int { return cmp.Compare(a.inject, b.inject) }).inject, true
}

func (t timeline) lastHeal() (time.Duration, bool) {
	var last time.Duration
	for _, s := range t.spans {
		if s.injected && s.heal == 0 {
			return 0, false
		}
		last = max(last, s.heal)
	}
	return last, last > 0
}
