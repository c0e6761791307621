package simsystem

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/system"
)

// An Action is one of a plan: a fault, when it begins, counted from Run, and for how long. With For 0 it stays until the simulation ends.
type Action struct {
	At, For time.Duration
	Fault   fault.Fault
}

// String returns the action as ParsePlan reads it.
func (a Action) String() string {
	if a.For == 0 {
		return fmt.Sprintf("{at: %v, fault: %q}", a.At, a.Fault)
	}
	return fmt.Sprintf("{at: %v, for: %v, fault: %q}", a.At, a.For, a.Fault)
}

// ParsePlan reads the method of an experiment, one action a line, as the files of experiments have it:
//
//   - {at: 5s, for: 2s, fault: "kill(orders, mode=one)"}
//
// The dash may be left out. Errors name line and column.
func ParsePlan(text string) ([]Action, error) {
	var plan []Action
	for i, line := range strings.Split(text, "\n") {
		body := strings.TrimSpace(line)
		body = strings.TrimSpace(strings.TrimPrefix(body, "-"))
		if body == "" || strings.HasPrefix(body, "#") {
			continue
		}
		a, at, err := parseAction(body)
		if err != nil {
			return nil, fmt.Errorf("plan:%d:%d: %w", i+1, strings.Index(line, body)+at+1, err)
		}
		plan = append(plan, a)
	}
	if len(plan) == 0 {
		return nil, errors.New("plan:1:1: it has no action, such as {at: 5s, for: 2s, fault: \"kill(orders)\"}")
	}
	return plan, nil
}

// parseAction reads one action. Where it cannot, it returns the place.
func parseAction(body string) (a Action, at int, err error) {
	if !strings.HasPrefix(body, "{") || !strings.HasSuffix(body, "}") {
		return a, 0, fmt.Errorf("an action is written {at: 5s, for: 2s, fault: \"kill(orders)\"}, not %s", body)
	}
	rest, at := body[1:len(body)-1], 1
	seen := map[string]bool{}
	for strings.TrimSpace(rest) != "" {
		lead := len(rest) - len(strings.TrimLeft(rest, " ,"))
		rest, at = rest[lead:], at+lead
		key, value, found := strings.Cut(rest, ":")
		if !found || seen[key] {
			return a, at, fmt.Errorf("want a key that was not there yet and its value (at, for, fault), not %q", rest)
		}
		seen[key] = true
		value, length := scalar(value)
		switch key {
		case "at":
			a.At, err = amount(value)
		case "for":
			a.For, err = amount(value)
		case "fault":
			a.Fault, err = fault.Parse(value)
		default:
			err = fmt.Errorf("an action has no key %q (allowed: at, for, fault)", key)
		}
		if err != nil {
			return a, at, err
		}
		step := len(key) + 1 + length
		rest, at = rest[step:], at+step
	}
	if a.Fault == nil || !seen["at"] {
		return a, 0, errors.New("an action needs at and fault")
	}
	return a, 0, nil
}

// scalar is the value that a text begins with, and how long it is there.
func scalar(text string) (value string, length int) {
	trimmed := strings.TrimLeft(text, " ")
	lead := len(text) - len(trimmed)
	if trimmed != "" && strings.ContainsRune("\"'", rune(trimmed[0])) {
		if end := strings.IndexByte(trimmed[1:], trimmed[0]); end >= 0 {
			return trimmed[1 : end+1], lead + end + 2
		}
	}
	end := strings.IndexByte(trimmed, ',')
	if end < 0 {
		end = len(trimmed)
	}
	return strings.TrimSpace(trimmed[:end]), lead + end
}

func amount(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%v is before the plan begins", d)
	}
	return d, err
}

// A Running is a plan under way.
type Running struct {
	all  sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// Run runs a plan. Before anything begins, it asks of every action whether its targets are there and whether a simulation can do it; the
// error names all that cannot be. Each action is decided by the simulation's seed and its place in the plan.
//
// A fault whose effect is not observed in any seed makes the test's verdict unknown: of each there is a sim.Sometimes.
func (e *Env) Run(plan []Action) (*Running, error) {
	var errs []error
	for i, a := range plan {
		if err := e.can(a.Fault, i); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Running{}
	for i, a := range plan {
		r.all.Go(func() {
			time.Sleep(a.At)
			if err := e.act(i, a); err != nil {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.errs = append(r.errs, err)
			}
		})
	}
	return r, nil
}

// Wait returns when every action with an end is healed, and what went wrong.
func (r *Running) Wait() error {
	r.all.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.errs...)
}

// can asks a dry environment, to which nothing happens.
func (e *Env) can(f fault.Fault, i int) error {
	if err := f.Check(e.sys, e); err != nil {
		return err
	}
	for _, power := range f.Powers() {
		if power != "Linker" {
			continue
		}
		if _, err := f.Inject(context.Background(), dry{e}, e.options(i)); err != nil {
			return err
		}
	}
	return nil
}

func (e *Env) options(i int) fault.Options {
	return fault.Options{Seed: e.s.Seed(), ID: fmt.Sprintf("plan/%d", i+1)}
}

// dry is an environment to which nothing happens.
type dry struct{ *Env }

func (d dry) SetRule(_ context.Context, _ string, _ []system.Link, rule system.Rule) error {
	return supported(rule)
}

func (d dry) ClearRule(context.Context, string) error { return nil }

// act injects one fault, looks for its effect at its end, and heals it.
func (e *Env) act(i int, a Action) error {
	ctx := context.Background()
	e.s.Event("inject %s", a.Fault)
	active, err := a.Fault.Inject(ctx, e, e.options(i))
	if err != nil {
		return err
	}
	if a.For > 0 {
		time.Sleep(a.For)
	}
	effects, err := active.Effect(ctx)
	if err != nil {
		return err
	}
	sim.Sometimes(fault.Observed(effects), fmt.Sprintf("effect of %s (action %d)", a.Fault, i+1))
	if a.For == 0 {
		return nil
	}
	e.s.Event("heal %s", a.Fault)
	return active.Heal(ctx)
}
