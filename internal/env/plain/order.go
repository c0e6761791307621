package plain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/assay-dev/assay/system"
)

// checkOrder finds dependencies that no order of starts can satisfy.
func checkOrder(sys system.System) error {
	done := map[string]bool{}
	for _, service := range sys.Services {
		if err := visit(sys, service.Name, nil, done); err != nil {
			return err
		}
	}
	return nil
}

func visit(sys system.System, name string, path []string, done map[string]bool) error {
	if slices.Contains(path, name) {
		return fmt.Errorf("services depend on each other in a circle: %s", strings.Join(append(path, name), " -> "))
	}
	service, ok := sys.Service(name)
	if !ok {
		return fmt.Errorf("%s depends on %s, and there is no such service", path[len(path)-1], name)
	}
	if done[name] {
		return nil
	}
	for _, dep := range service.DependsOn {
		if err := visit(sys, dep.Service, append(path, name), done); err != nil {
			return err
		}
	}
	done[name] = true
	return nil
}

// completedServices are those that others wait to complete: one-shots.
func completedServices(sys system.System) map[string]bool {
	completed := map[string]bool{}
	for _, service := range sys.Services {
		for _, dep := range service.DependsOn {
			if dep.Condition == system.Completed {
				completed[dep.Service] = true
			}
		}
	}
	return completed
}

// A milestone is reached when all instances of a service have arrived.
type milestone struct {
	missing atomic.Int32
	reached chan struct{}
}

func newMilestone(instances int) *milestone {
	m := &milestone{reached: make(chan struct{})}
	m.missing.Store(int32(instances))
	if instances == 0 {
		close(m.reached)
	}
	return m
}

func (m *milestone) arrive() {
	if m.missing.Add(-1) == 0 {
		close(m.reached)
	}
}

// progress is how far the services have got in one start of all.
type progress struct{ started, ready map[string]*milestone }

func (e *Env) newProgress() progress {
	p := progress{map[string]*milestone{}, map[string]*milestone{}}
	for _, service := range e.sys.Services {
		p.started[service.Name] = newMilestone(max(service.Replicas, 1))
		p.ready[service.Name] = newMilestone(max(service.Replicas, 1))
	}
	return p
}

// await returns when the dependency has got where it must. For a one-shot, ready means completed.
func (p progress) await(ctx context.Context, dep system.Dependency) error {
	m := p.ready[dep.Service]
	if dep.Condition == system.Started {
		m = p.started[dep.Service]
	}
	select {
	case <-m.reached:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startAll starts every instance as soon as what it depends on is where it needs
// it. The first error ends the others' waiting. Checks that go on start with the first call.
func (e *Env) startAll(ctx context.Context) error {
	ctx, cancel := e.alive(ctx)
	defer cancel()
	p := e.newProgress()
	group, ctx := errgroup.WithContext(ctx)
	for _, n := range e.nodes {
		group.Go(func() error {
			if err := n.bring(ctx, p); err != nil {
				return fmt.Errorf("%s: %w", n.inst.Name, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return e.checkAlive()
}

// bring starts one instance in its turn.
func (n *node) bring(ctx context.Context, p progress) error {
	for _, dep := range n.svc.DependsOn {
		if err := p.await(ctx, dep); err != nil {
			return err
		}
	}
	release, err := n.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	started, ready := p.started[n.inst.Service], p.ready[n.inst.Service]
	if n.completed() {
		started.arrive()
		ready.arrive()
		return nil
	}
	running, err := n.startProcess(ctx)
	if err != nil {
		return err
	}
	started.arrive()
	if err := n.waitReady(ctx, running); err != nil {
		return err
	}
	ready.arrive()
	return nil
}

// completed says whether it is a one-shot whose effect the golden copy already holds.
func (n *node) completed() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ended
}

// checkAlive finds an instance that ended after it was ready and before all were:
// what has no check is ready as soon as it runs. Ending well is allowed.
func (e *Env) checkAlive() error {
	for _, n := range e.nodes {
		if p := n.process(); !p.running() && !p.succeeded() {
			return fmt.Errorf("%s: %w", n.inst.Name, n.withLog(p, fmt.Errorf("ended while the others were starting: %s", p.status())))
		}
	}
	return nil
}

// stopAll stops every instance once all that depend on it have stopped. When ctx
// ends, the rest is stopped without waiting for one another.
func (e *Env) stopAll(ctx context.Context, stop func(*node, context.Context) error) error {
	stopped := map[string]*milestone{}
	for _, service := range e.sys.Services {
		stopped[service.Name] = newMilestone(e.instancesOf(service.Name))
	}
	var mu sync.Mutex
	var errs error
	var group sync.WaitGroup
	for _, n := range e.nodes {
		group.Go(func() {
			defer stopped[n.inst.Service].arrive()
			if err := n.stopAfter(ctx, e.dependents(n.inst.Service, stopped), stop); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = errors.Join(errs, fmt.Errorf("stop %s: %w", n.inst.Name, err))
			}
		})
	}
	group.Wait()
	return errs
}

// instancesOf counts the nodes that were made: fewer than there are instances, where a start failed early.
func (e *Env) instancesOf(service string) int {
	count := 0
	for _, n := range e.nodes {
		if n.inst.Service == service {
			count++
		}
	}
	return count
}

func (n *node) stopAfter(ctx context.Context, dependents []*milestone, stop func(*node, context.Context) error) error {
	for _, m := range dependents {
		select {
		case <-m.reached:
		case <-ctx.Done():
		}
	}
	release, err := n.take(ctx)
	if err != nil {
		return err
	}
	defer release()
	return stop(n, ctx)
}

// dependents returns the milestones of the services that depend on service.
func (e *Env) dependents(service string, all map[string]*milestone) []*milestone {
	var found []*milestone
	for _, other := range e.sys.Services {
		if slices.ContainsFunc(other.DependsOn, func(dep system.Dependency) bool { return dep.Service == service }) {
			found = append(found, all[other.Name])
		}
	}
	return found
}
