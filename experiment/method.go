package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
)

// method waits until the first action, makes sure the system is healthy, then
// injects and heals each action at its time. It returns when all are healed.
func (r *run) method(ctx context.Context) error {
	if len(r.x.Method) == 0 {
		return errors.New("the method has no action")
	}
	if err := r.sleep(ctx, phaseBefore, r.x.Method[0].At); err != nil {
		return err
	}
	r.rec.phase(phaseFault)
	if !r.healthy(ctx) {
		return ErrStopped
	}
	errs := make([]error, len(r.x.Method))
	var all sync.WaitGroup
	for i, end := range r.x.ends() {
		all.Go(func() {
			if errs[i] = r.act(ctx, i, r.zero+end); errs[i] != nil {
				r.cause(errs[i])
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.rec.phase(phaseHealed)
	return nil
}

// healthy judges the steady state before the first inject. A system that is not
// steady by itself, or that nobody could measure, is not broken further.
func (r *run) healthy(ctx context.Context) bool {
	now := r.rec.now()
	in := check.Input{Ops: r.live(0, now), From: r.zero, To: now + 1}
	s := &signals{ctx: ctx, in: in, whole: in, journeys: journeyNames(r.x)}
	for _, e := range r.x.Steady {
		for _, result := range s.answer(ask(e)) {
			if result.Verdict != verdict.Pass {
				r.rec.event(history.Event{Kind: history.Stop, Name: "not healthy before the fault", Text: result.Reason})
				return false
			}
		}
	}
	return true
}

// act injects one action at its time, watches its effect, and heals it.
func (r *run) act(ctx context.Context, i int, end time.Duration) error {
	action := r.x.Method[i]
	if err := r.sleep(ctx, phaseFault, r.zero+action.At-r.rec.now()); err != nil {
		return err
	}
	active, err := r.inject(ctx, i, action)
	if err != nil {
		return err
	}
	// On the way out healAll heals what is active, the last injected first.
	if err := r.observe(ctx, i, active, end); err != nil || r.opts.Control {
		return err
	}
	return r.heal(ctx, i)
}

func (r *run) inject(ctx context.Context, i int, action Action) (fault.Active, error) {
	f := action.Fault
	if r.opts.Control {
		f = f.Worst()
	}
	id := ActionID(r.x.Name, i)
	began := r.rec.now() // not when Inject returns: a restart returns when all is over
	active, err := f.Inject(ctx, r.under(i, f), fault.Options{Seed: r.opts.Seed, ID: id})
	if err != nil {
		return nil, fmt.Errorf("inject %s: %w", f, err)
	}
	r.mu.Lock()
	r.active[i] = active
	r.order = append(r.order, i)
	r.within(active)
	r.mu.Unlock()
	for _, target := range active.Targets() {
		r.rec.eventAt(began, history.Event{Kind: history.Inject, Name: f.String(), Fault: i + 1, Target: target})
	}
	r.tell(phaseFault, fmt.Sprintf("%s on %s", f, strings.Join(active.Targets(), ", ")))
	return active, nil
}

// observe asks for the fault's effect until its end, and a last time at the end.
func (r *run) observe(ctx context.Context, i int, active fault.Active, end time.Duration) error {
	seen := map[string]fault.Effect{}
	for {
		r.look(ctx, i, active, seen, false)
		left := end - r.rec.now()
		if left <= 0 {
			break
		}
		if err := r.sleep(ctx, phaseFault, min(left, watchEvery)); err != nil {
			r.look(context.WithoutCancel(ctx), i, active, seen, true)
			return err
		}
	}
	r.look(ctx, i, active, seen, true)
	return nil
}

// look writes an effect when it is first observed, and when it is no longer: a
// cut that leaks later was none. The last look writes what was never observed, too.
func (r *run) look(ctx context.Context, i int, active fault.Active, seen map[string]fault.Effect, last bool) {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	effects, err := active.Effect(limited)
	if err != nil && last && len(seen) == 0 {
		r.rec.event(history.Event{Kind: history.Effect, Name: r.x.Method[i].Fault.String(), Fault: i + 1, Text: err.Error()})
	}
	for _, e := range effects {
		was, had := seen[e.Target]
		if had && was.Observed == e.Observed || !had && !e.Observed && !last {
			continue
		}
		seen[e.Target] = e
		if e.Idle {
			e.Measured = idleMark()
		}
		r.rec.event(history.Event{Kind: history.Effect, Name: r.x.Method[i].Fault.String(), Fault: i + 1,
			Target: e.Target, OK: e.Observed, Text: e.Text, Value: e.Measured})
	}
}

// heal undoes one action with a deadline of its own, also when ctx has ended.
// Heals come one after the other: two at once could wait for each other's instance.
func (r *run) heal(ctx context.Context, i int) error {
	r.healing.Lock()
	defer r.healing.Unlock()
	r.mu.Lock()
	active := r.active[i]
	delete(r.active, i)
	r.mu.Unlock()
	if active == nil {
		return nil
	}
	cleanup, cancel := lasting(ctx)
	defer cancel()
	name := r.x.Method[i].Fault.String()
	r.tell(phaseFault, "healing "+name)
	began := r.rec.now() // not when Heal returns: it waits until what was killed is ready
	if err := active.Heal(cleanup); err != nil {
		return r.notHealed(cleanup, name, active, err)
	}
	for _, target := range active.Targets() {
		r.rec.eventAt(began, history.Event{Kind: history.Heal, Name: name, Fault: i + 1, Target: target})
	}
	return nil
}

// notHealed tells a system that does not come back, which is a failure of the
// system, from an environment that cannot heal, which is ours.
func (r *run) notHealed(ctx context.Context, name string, active fault.Active, err error) error {
	for _, node := range r.env.Nodes() {
		if !slices.Contains(active.Targets(), node.Instance().Name) {
			continue
		}
		if state, asked := node.State(ctx); asked == nil && state != system.IsReady && state != system.Paused {
			r.rec.event(history.Event{Kind: history.Stop, Name: "it did not come back", OK: true,
				Text: fmt.Sprintf("%s did not come back after %s: it is %s: %v", node.Instance().Name, name, state, err)})
			return ErrStopped
		}
	}
	r.rec.note("heal failed", fmt.Sprintf("%s: %v", name, err))
	return fmt.Errorf("heal %s: %w", name, err)
}

// healAll undoes what is still active, the last injected first.
func (r *run) healAll(ctx context.Context) error {
	r.mu.Lock()
	left := slices.Clone(r.order)
	r.mu.Unlock()
	slices.Reverse(left)
	var errs []error
	for _, i := range left {
		errs = append(errs, r.heal(ctx, i))
	}
	return errors.Join(errs...)
}
