package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
	id     string
	linker system.Linker
	links  []system.Link

	before    stats // read before the rule was set: a refuse resets while it is set
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
	if err := a.linker.ClearRule(ctx, a.id); err != nil {
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

// Effect compares the links' counters with those at the inject. What was seen of
// a delay or a refuse stays seen; a cut is seen only as long as nothing passed.
func (a *activeLink) Effect(ctx context.Context) ([]Effect, error) {
	a.looking.Lock()
	defer a.looking.Unlock()
	now, err := statsOf(ctx, a.linker)
	err = errors.Join(a.beforeErr, a.armedErr, err)
	effects := make([]Effect, len(a.links))
	for i, l := range a.links {
		if err != nil {
			effects[i] = Effect{Target: l.String(), Text: fmt.Sprintf("the counters of links cannot be read: %v", err)}
			continue
		}
		if seen := a.seen[l]; !seen.Observed || a.fault.kind == "cut" {
			a.seen[l] = a.look(l, now[l])
		}
		effects[i] = a.seen[l]
	}
	return effects, ctx.Err()
}

func (a *activeLink) look(l system.Link, now system.LinkStats) Effect {
	effect := Effect{Target: l.String()}
	switch a.fault.kind {
	case "delay":
		a.lookDelay(&effect, a.before[l], a.armed[l], now)
	case "cut":
		lookCut(&effect, minus(now, a.armed[l]))
	case "refuse":
		lookRefuse(&effect, minus(now, a.before[l]), minus(now, a.armed[l]))
	}
	return effect
}

func lookCut(effect *Effect, grown system.LinkStats) {
	effect.Measured = amounts("bytes_in", grown.BytesIn, "bytes_out", grown.BytesOut, "dials", grown.Dials, "stalled", grown.Stalled)
	switch {
	case grown.BytesOut > 0:
		effect.Text = fmt.Sprintf("%d bytes passed on %s since the inject", grown.BytesOut, effect.Target)
	case grown.BytesIn == 0 && grown.Stalled == 0:
		// A dial alone proves nothing: it is counted where it is answered too.
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes and no unanswered dial on %s since the inject", effect.Target)
	default:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d bytes were offered and %d dials left unanswered, none passed", grown.BytesIn, grown.Stalled)
	}
}

func lookRefuse(effect *Effect, sinceBefore, sinceArmed system.LinkStats) {
	effect.Measured = amounts("refused", sinceBefore.Refused, "reset", sinceBefore.Reset, "bytes_out", sinceArmed.BytesOut)
	switch {
	case sinceBefore.Refused > 0 || sinceBefore.Reset > 0:
		effect.Observed = true
		effect.Text = fmt.Sprintf("%d dials were refused and %d connections reset", sinceBefore.Refused, sinceBefore.Reset)
	case sinceArmed.BytesOut > 0:
		effect.Text = fmt.Sprintf("nothing was refused or reset, and %d bytes passed on %s since the inject", sinceArmed.BytesOut, effect.Target)
	default:
		effect.Idle, effect.Text = true, fmt.Sprintf("no bytes passed and no dial was made on %s since the inject", effect.Target)
		if sinceArmed.Dials > 0 {
			effect.Idle, effect.Text = false, fmt.Sprintf("%d dials were made on %s since the inject, and none refused", sinceArmed.Dials, effect.Target)
		}
	}
}

// minus returns how much the counters grew.
func minus(now, then system.LinkStats) system.LinkStats {
	now.BytesIn -= then.BytesIn
	now.BytesOut -= then.BytesOut
	now.Dials -= then.Dials
	now.Stalled -= then.Stalled
	now.Refused -= then.Refused
	now.Reset -= then.Reset
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
