// Package fault says what can go wrong with a system, as values that print and parse.
//
//	f, err := fault.Parse("delay(orders -> payments, 3s)")
//	active, err := f.Inject(ctx, env, fault.Options{Seed: 7, ID: "payments-slow/1"})
//	...
//	effect, err := active.Effect(ctx) // did it bite? asked by another path than the injection
//	err = active.Heal(context.WithoutCancel(ctx))
package fault

import (
	"context"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// A Fault is something bad that can be done to a running system, and undone.
// Faults are values: equal text means equal fault.
type Fault interface {
	// String returns the fault in the form that Parse accepts.
	String() string
	// Kind returns the fault's name, such as "delay".
	Kind() string
	// Check reports, before anything starts, a target that sys does not have and a power
	// that env (nil: not known yet) does not offer.
	Check(sys system.System, env system.Env) error
	// Powers returns what it asks of an environment, such as "Killer".
	Powers() []string
	// Targets returns the instances, links ("a -> b") or journeys it would hit. A role is
	// asked of env at that moment; with a nil env a role selects "SERVICE[role=ROLE]", and "*" every journey.
	Targets(ctx context.Context, sys system.System, env system.Env, opts Options) ([]string, error)
	// Inject starts the fault and returns it active. On an error nothing stays injected.
	Inject(ctx context.Context, env system.Env, opts Options) (Active, error)
	// Worst returns the same fault at full strength, for control runs: every
	// target, a cut instead of a delay.
	Worst() Fault
}

// Options decide what a fault leaves open.
type Options struct {
	Seed uint64 // decides targets and amounts, keyed by the fault's text and ID
	ID   string // names this injection in the environment, unique in a run
}

// An Active is a fault that was injected.
type Active interface {
	// Targets returns what it hit.
	Targets() []string
	// Effect says what was observed of the fault since it was injected, by
	// another path than the injection. It may be asked often; it is asked last before Heal.
	Effect(ctx context.Context) ([]Effect, error)
	// Heal undoes the fault and returns when the targets are as before. A second call does nothing.
	Heal(ctx context.Context) error
}

// An Effect is what was observed on one target.
type Effect struct {
	Target   string `json:"target"`
	Observed bool   `json:"observed"`
	// Idle says that the target gave no occasion to observe anything, as a link
	// without traffic. It speaks neither for the fault nor against it.
	Idle     bool          `json:"idle,omitempty"`
	Text     string        `json:"text"`              // what was seen or what was missing, in one sentence
	Measured history.Value `json:"measured,omitzero"` // amounts by name
}

// Observed says whether effects prove a fault as a whole: it was seen on at
// least one target, and every target on which it was not seen was idle.
func Observed(effects []Effect) bool {
	seen := false
	for _, effect := range effects {
		if !effect.Observed && !effect.Idle {
			return false
		}
		seen = seen || effect.Observed
	}
	return seen
}

// Partial says that f leaves out some of what passes its targets by its own choice: it has a trigger or a match, and so what
// passed while it was there need not have met it.
func Partial(f Fault) bool {
	l, ok := f.(link)
	return ok && (l.triggered() || l.ofRequests())
}

// Kinds returns the names of all faults, sorted.
func Kinds() []string {
	kinds := append(linkKinds(), "kill", "pause", "restart", "surge")
	slices.Sort(kinds)
	return kinds
}
