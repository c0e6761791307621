package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// undoLimit bounds the undoing of an inject that failed half way.
const undoLimit = time.Minute

// activeProcess is a fault of instances that was injected.
type activeProcess struct {
	fault  process
	nodes  []system.Node
	before []inspected // of each node, before the inject

	healing sync.Mutex
	healed  []bool // of each node

	looking sync.Mutex // its own: a look that hangs must not hold up the heal
	seen    []Effect   // of each node, once observed
}

func (a *activeProcess) Targets() []string {
	targets := make([]string, len(a.nodes))
	for i, node := range a.nodes {
		targets[i] = node.Instance().Name
	}
	return targets
}

func (a *activeProcess) Heal(ctx context.Context) error {
	a.healing.Lock()
	defer a.healing.Unlock()
	errs := each(a.nodes, func(i int, node system.Node) error {
		if a.healed[i] {
			return nil
		}
		return a.fault.heal(ctx, node)
	})
	for i, err := range errs {
		a.healed[i] = err == nil
	}
	return errors.Join(errs...)
}

// undo heals after an inject that failed: the targets that were hit, and those
// that were hit although their inject reports an error.
func (a *activeProcess) undo(ctx context.Context, injected []error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	for i, err := range injected {
		if err == nil {
			continue
		}
		state, stateErr := a.nodes[i].State(ctx)
		a.healed[i] = stateErr != nil || (state != system.Exited && state != system.Paused)
	}
	return a.Heal(ctx)
}

// Effect asks the operating system, which is not how the fault was injected. A
// target that was seen hit once stays so: another fault may start it again.
func (a *activeProcess) Effect(ctx context.Context) ([]Effect, error) {
	a.looking.Lock()
	defer a.looking.Unlock()
	effects := make([]Effect, len(a.nodes))
	each(a.nodes, func(i int, node system.Node) error {
		if !a.seen[i].Observed {
			a.seen[i] = a.look(ctx, i, node)
		}
		effects[i] = a.seen[i]
		return nil
	})
	return effects, ctx.Err()
}

func (a *activeProcess) look(ctx context.Context, i int, node system.Node) Effect {
	effect := Effect{Target: node.Instance().Name}
	before, now := a.before[i], inspect(ctx, node)
	switch {
	case before.err != nil:
		effect.Text = fmt.Sprintf("its processes could not be inspected before the inject: %v", before.err)
	case now.err != nil:
		effect.Text = fmt.Sprintf("its processes cannot be inspected: %v", now.err)
	case len(before.procs) == 0:
		effect.Text = "it had no process before the inject"
	default:
		effect.Observed, effect.Text = a.fault.compare(before.procs, now.procs)
		effect.Measured = history.Map(
			history.Entry{Key: history.String("before"), Val: history.Int(int64(len(before.procs)))},
			history.Entry{Key: history.String("left"), Val: history.Int(int64(len(common(before.procs, now.procs))))},
			history.Entry{Key: history.String("stopped"), Val: history.Int(int64(stopped(now.procs)))},
			history.Entry{Key: history.String("now"), Val: history.Int(int64(len(now.procs)))})
	}
	return effect
}

// compare says what the processes before the inject and now tell of the fault.
func (f process) compare(before, now []system.Proc) (bool, string) {
	left := common(before, now)
	switch {
	case f.kind == "pause":
		return comparePause(before, now)
	case len(left) > 0:
		return false, "still alive since before the inject: " + list(left)
	case f.kind == "restart" && len(now) == 0:
		return false, "gone, and none started since: " + list(before)
	case f.kind == "restart":
		return true, fmt.Sprintf("gone: %s; new: %s", list(before), list(now))
	}
	return true, "gone from the process table: " + list(before)
}

func comparePause(before, now []system.Proc) (bool, string) {
	switch {
	case stopped(before) == len(before):
		return false, "was stopped before the inject already: " + list(before)
	case len(now) == 0:
		return false, "it has no process"
	case stopped(now) < len(now):
		running := slices.DeleteFunc(slices.Clone(now), func(p system.Proc) bool { return p.Stopped })
		return false, "not stopped: " + list(running)
	}
	return true, "stopped by a signal: " + list(now)
}

// common returns the processes of before that are alive now.
func common(before, now []system.Proc) []system.Proc {
	var both []system.Proc
	for _, p := range now {
		if slices.ContainsFunc(before, func(q system.Proc) bool { return p.ID == q.ID }) {
			both = append(both, p)
		}
	}
	return both
}

func stopped(procs []system.Proc) int {
	n := 0
	for _, p := range procs {
		if p.Stopped {
			n++
		}
	}
	return n
}

// list names up to three processes.
func list(procs []system.Proc) string {
	var parts []string
	for i, p := range procs {
		if i == 3 {
			parts = append(parts, fmt.Sprintf("%d more", len(procs)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("pid %d (%s)", p.ID.PID, p.Command))
	}
	return strings.Join(parts, ", ")
}

// inspected is what an Inspector said, or why it did not.
type inspected struct {
	procs []system.Proc
	err   error
}

func inspect(ctx context.Context, node system.Node) inspected {
	inspector, ok := node.(system.Inspector)
	if !ok {
		return inspected{err: &system.UnsupportedError{Target: node.Instance().Name, Power: "Inspector"}}
	}
	found, err := inspector.Inspect(ctx)
	return inspected{procs: found.Processes, err: err}
}

// each calls do for all nodes at once, and returns their errors in order: faults of
// several instances hit them together, as a zone's power does.
func each(nodes []system.Node, do func(int, system.Node) error) []error {
	errs := make([]error, len(nodes))
	var all sync.WaitGroup
	for i, node := range nodes {
		all.Go(func() { errs[i] = do(i, node) })
	}
	all.Wait()
	return errs
}
