package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// stats are an environment's counters by link.
type stats map[system.Link]system.LinkStats

func statsOf(ctx context.Context, linker system.Linker) (stats, error) {
	all, err := linker.LinkStats(ctx)
	if err != nil {
		return nil, err
	}
	byLink := stats{}
	for _, s := range all {
		byLink[s.Link] = s
	}
	return byLink, nil
}

// activeLink is a fault of links that was injected.
type activeLink struct {
	fault  link
	ids    []string // of its rules
	linker system.Linker
	links  []system.Link
	began  time.Time // after the rules were set, before armed was read

	before    stats // read before the rule was set
	beforeErr error
	armed     stats // read after the rule was set: nothing older is in flight any more
	armedErr  error

	healing sync.Mutex
	healed  bool

	looking sync.Mutex // its own: a look that hangs must not hold up the heal
	seen    map[system.Link]Effect
}

func (a *activeLink) Targets() []string { return linkNames(a.links) }

func (a *activeLink) Heal(ctx context.Context) error {
	a.healing.Lock()
	defer a.healing.Unlock()
	if a.healed {
		return nil
	}
	var errs []error
	for _, id := range a.ids {
		errs = append(errs, a.linker.ClearRule(ctx, id))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%s: clear the rule: %w", a.fault, err)
	}
	a.healed = true
	return nil
}

func (a *activeLink) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	return a.Heal(ctx)
}

// Links returns the links that the fault bends: its radius.
func (a *activeLink) Links() []system.Link { return a.links }

// Rules returns the ids of the rules that the fault set.
func (a *activeLink) Rules() []string { return a.ids }

// Effect compares the links' counters with those at the inject. What was seen stays seen, by the amounts of the last look
// that saw it, also where the counters cannot be read any more; only of a fault that must let nothing pass it is asked anew.
func (a *activeLink) Effect(ctx context.Context) ([]Effect, error) {
	a.looking.Lock()
	defer a.looking.Unlock()
	now, err := statsOf(ctx, a.linker)
	err = errors.Join(a.beforeErr, a.armedErr, err)
	elapsed := time.Since(a.began)
	effects := make([]Effect, len(a.links))
	for i, l := range a.links {
		if seen := a.seen[l]; err != nil && seen.Observed && !a.fault.strict() {
			effects[i] = seen
			continue
		}
		if err != nil {
			effects[i] = Effect{Target: l.String(), Text: fmt.Sprintf("the counters of links cannot be read: %v", err)}
			continue
		}
		if e := a.look(l, now, elapsed); e.Observed || !a.seen[l].Observed || a.fault.strict() {
			a.seen[l] = e
		}
		effects[i] = a.seen[l]
	}
	return effects, ctx.Err()
}

// look looks at one link for the fault, or for each part of a profile.
func (a *activeLink) look(l system.Link, now stats, elapsed time.Duration) Effect {
	back := system.Link{From: l.To, To: l.From}
	s := sight{fault: a.fault, link: l, before: a.before[l], elapsed: elapsed,
		sinceArmed: minus(now[l], a.armed[l]),
		dials:      now[l].Dials - a.armed[l].Dials + now[back].Dials - a.armed[back].Dials}
	s.conns = s.dials + a.armed[l].Live + a.armed[back].Live
	look := func(f link, id string) Effect {
		s.fault, s.rule = f, now[l].Rule(id)
		s.ends = s.rule.Hit + now[back].Rule(id).Hit
		return s.look()
	}
	if a.fault.kind != profileKind {
		return look(a.fault, a.ids[0])
	}
	var parts []Effect
	for i, part := range a.fault.parts() {
		parts = append(parts, look(part, a.ids[i]))
	}
	return whole(l.String(), parts)
}

// minus returns how much the counters of the link grew. Those of rules are left alone: they begin when a rule is set.
func minus(now, then system.LinkStats) system.LinkStats {
	now.BytesIn -= then.BytesIn
	now.BytesOut -= then.BytesOut
	now.Dials -= then.Dials
	now.Stalled -= then.Stalled
	now.Refused -= then.Refused
	now.Reset -= then.Reset
	now.Ends -= then.Ends
	now.EndWait -= then.EndWait
	now.Bent -= then.Bent
	now.Lost -= then.Lost
	now.Discarded -= then.Discarded
	now.Throttled -= then.Throttled
	now.Slices -= then.Slices
	now.Closed -= then.Closed
	now.Requests -= then.Requests
	now.Matched -= then.Matched
	now.Hit -= then.Hit
	now.Unedited -= then.Unedited
	now.Sealed -= then.Sealed
	now.Unopened -= then.Unopened
	for i := range now.Residence {
		now.Residence[i] -= then.Residence[i]
	}
	return now
}

// amounts makes a map of pairs of name and count.
func amounts(pairs ...any) history.Value {
	var entries []history.Entry
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, history.Entry{Key: history.String(pairs[i].(string)), Val: history.Int(pairs[i+1].(int64))})
	}
	return history.Map(entries...)
}
