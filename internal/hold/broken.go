package hold

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/assay-dev/assay/system"
)

// broken remembers which faults are in the environment, whoever put them there,
// so that they can be healed when nobody is left who would.
type broken struct {
	mu     sync.Mutex
	rules  map[string]bool // ids
	paused map[string]bool // instances
}

func newBroken() *broken { return &broken{rules: map[string]bool{}, paused: map[string]bool{}} }

// before notes a fault when it is asked for, not when it has succeeded: one that failed half-way is healed too.
func (b *broken) before(name string, a verbArgs) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "set-rule":
		b.rules[a.ID] = true
	case "pause":
		b.paused[a.Instance] = true
	}
}

// after forgets a fault that was healed.
func (b *broken) after(name string, a verbArgs) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "clear-rule":
		delete(b.rules, a.ID)
	case "resume", "restart":
		delete(b.paused, a.Instance)
	}
}

// heal clears every rule and continues every paused instance. What fails is
// reported and does not stop the rest.
func (b *broken) heal(ctx context.Context, env system.Env) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs error
	if linker, ok := env.(system.Linker); ok {
		for id := range b.rules {
			if err := linker.ClearRule(ctx, id); err != nil {
				errs = errors.Join(errs, fmt.Errorf("heal: clear rule %s: %w", id, err))
			}
		}
	}
	for instance := range b.paused {
		pauser, err := nodePower[system.Pauser](env, instance, "Pauser")
		if err == nil {
			err = pauser.Resume(ctx)
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("heal: resume %s: %w", instance, err))
		}
	}
	return errs
}
