package hold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/system"
)

// A Broken is something that is broken in an environment now.
type Broken struct {
	ID     string        `json:"id,omitempty"` // of a rule
	Fault  string        `json:"fault"`        // in its text form where who set it said it, else what was asked: "pause(orders-1)"
	Links  []system.Link `json:"links,omitempty"`
	Since  time.Time     `json:"since"`
	ByUser bool          `json:"guest,omitempty"` // by a client that attached, as assay fault does, and not by the run
}

// broken remembers which faults are in the environment, by whoever is meant to heal them,
// so that they can be healed when nobody is left who would.
type broken struct {
	mu     sync.Mutex
	rules  map[string]Broken // by id
	paused map[string]Broken // by instance
	killed map[string]Broken // by instance
}

func newBroken() *broken {
	return &broken{rules: map[string]Broken{}, paused: map[string]Broken{}, killed: map[string]Broken{}}
}

// before notes a fault when it is asked for, not when it has succeeded: one that failed half-way is healed too.
func (b *broken) before(verb string, a verbArgs, guest bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	entry := Broken{Fault: verb + "(" + a.Instance + ")", Since: time.Now().UTC(), ByUser: guest}
	switch verb {
	case "set-rule":
		entry.ID, entry.Links = a.ID, a.Links
		entry.Fault = cmp.Or(a.Rule.Text, string(a.Rule.Kind))
		b.rules[a.ID] = entry
	case "pause":
		b.paused[a.Instance] = entry
	case "kill":
		b.killed[a.Instance] = entry
	}
}

// after forgets a fault that was healed.
func (b *broken) after(verb string, a verbArgs) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch verb {
	case "clear-rule":
		delete(b.rules, a.ID)
	case "resume":
		delete(b.paused, a.Instance)
	case "start-instance":
		delete(b.killed, a.Instance)
	case "restart":
		delete(b.paused, a.Instance)
		delete(b.killed, a.Instance)
	case "restore":
		clear(b.rules)
		clear(b.paused)
		clear(b.killed)
	}
}

// list returns what is broken, the oldest first.
func (b *broken) list() []Broken {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []Broken
	for _, of := range []map[string]Broken{b.rules, b.paused, b.killed} {
		for _, entry := range of {
			all = append(all, entry)
		}
	}
	slices.SortFunc(all, func(x, y Broken) int { return cmp.Or(x.Since.Compare(y.Since), cmp.Compare(x.ID, y.ID)) })
	return all
}

// An undoing is a verb that heals something.
type undoing struct {
	verb string
	args verbArgs
}

// undoings heal everything: rules first, so that what is started afterwards gets ready.
func (b *broken) undoings() []undoing {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []undoing
	for id := range b.rules {
		all = append(all, undoing{"clear-rule", verbArgs{ID: id}})
	}
	for instance := range b.paused {
		all = append(all, undoing{"resume", verbArgs{Instance: instance}})
	}
	for instance := range b.killed {
		all = append(all, undoing{"start-instance", verbArgs{Instance: instance}})
	}
	return all
}

// heal clears every rule and continues every paused instance of an environment that is about to end. What fails is
// reported and does not stop the rest.
func (b *broken) heal(ctx context.Context, env system.Env) error {
	var errs error
	for _, u := range b.undoings() {
		if u.verb == "start-instance" {
			continue
		}
		if _, err := verbs()[u.verb](ctx, env, u.args); err != nil {
			errs = errors.Join(errs, fmt.Errorf("heal: %s %s%s: %w", u.verb, u.args.ID, u.args.Instance, err))
		}
	}
	return errs
}

// guestLimit is how long the heal of what a guest broke may take; an instance that was killed has to become ready.
const guestLimit = 2 * time.Minute

// healGuest undoes what a guest broke and did not heal before it went, however it went.
func (c *conn) healGuest() {
	c.working.Wait() // what it asked for last may break something still
	left := c.broken.undoings()
	if len(left) == 0 || c.h.enter() != nil {
		return // the teardown heals
	}
	defer c.h.requests.Done()
	ctx, cancel := context.WithTimeout(c.h.ctx, guestLimit)
	defer cancel()
	for _, u := range left {
		if _, err := c.act(ctx, u.verb, u.args); err != nil {
			c.h.complain("heal what a client left: %s %s%s: %v", u.verb, u.args.ID, u.args.Instance, err)
		}
	}
}
