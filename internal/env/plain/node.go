package plain

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/system"
)

// A node is one instance. What is done to it is done one thing at a time.
type node struct {
	env     *Env
	inst    system.Instance
	svc     system.Service
	ip      netip.Addr
	data    string // its private folder
	log     string // the file its output goes to
	launch  launch
	probes  map[string]question
	oneShot bool     // others wait for its successful end
	group   *group   // nil where nobody leads
	rank    question // Lead.Progress

	busy chan struct{} // held by whoever starts, stops or breaks it; a channel, so that waiting ends with a context

	mu    sync.Mutex
	state system.State
	up    bool // virtual addresses pick it
	proc  *process
	ended bool           // a one-shot that ended well
	start []func() error // settle the ledger's entries of starts

	seen    time.Time // when it last was ready, or ended
	follows string    // the instance it was last told to follow; its own name when it leads
}

// A question is a probe that is ready to be asked.
type question struct {
	system.Probe
	value *expr.Program
}

func newNode(e *Env, inst system.Instance, svc system.Service) (*node, error) {
	ip, err := netip.ParseAddr(e.addrs.own(inst.Name))
	return &node{
		env: e, inst: inst, svc: svc, ip: ip, busy: make(chan struct{}, 1), state: system.Stopped,
		data: filepath.Join(e.opts.StateDir, "data", inst.Name), log: filepath.Join(e.opts.LogDir, inst.Name+".log"),
	}, err
}

// prepare says how the node is started and asked, and opens the fronts that it dials. All nodes are there by then, as
// a front may be dialled at once.
func (n *node) prepare(ctx context.Context) (err error) {
	r := &renderer{sys: n.env.sys, addrs: n.env.addrs, inst: n.inst, data: n.data, trust: trustPath(n.env.sys, n.env.opts.StateDir), open: n.env.openFront}
	if n.launch, err = r.launch(ctx, n.svc); err != nil {
		return err
	}
	if err := checkLaunch(n.launch, n.inst.Name); err != nil {
		return err
	}
	if n.probes, err = r.questions(ctx, n.svc); err != nil {
		return err
	}
	if n.svc.Lead != nil {
		if n.rank, err = r.question(ctx, "of progress", n.svc.Lead.Progress); err != nil {
			return err
		}
	}
	return os.MkdirAll(n.data, 0o755)
}

// Instance returns which instance it is.
func (n *node) Instance() system.Instance { return n.inst }

// State returns what the environment believes of the instance.
func (n *node) State(ctx context.Context) (system.State, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state, nil
}

// pickable says whether virtual addresses lead to it. A paused instance stays
// so until its checks fail twice, because a real balancer would not know earlier.
func (n *node) pickable() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up
}

func (n *node) process() *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.proc
}

// running returns the process that the instance is, or nil when it does not run.
func (n *node) running() *process {
	if p := n.process(); p != nil && p.running() {
		return p
	}
	return nil
}

// becomeLocked sets the state and whether it is picked, and tells of the change. The caller holds the lock.
func (n *node) becomeLocked(state system.State, up bool, text string) {
	n.up = up
	if up && state == system.IsReady {
		n.seen = time.Now()
	}
	if n.state == state {
		return
	}
	n.state = state
	n.env.note(history.Event{Kind: history.State, Name: string(state), Target: n.inst.Name, Text: text})
}

// becomeWhile is become if p is still what runs, and says whether it is.
func (n *node) becomeWhile(p *process, state system.State, up bool, text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.proc != p || !p.running() {
		return false
	}
	n.becomeLocked(state, up, text)
	return true
}

// take reserves the instance for one operation.
func (n *node) take(ctx context.Context) (release func(), err error) {
	select {
	case n.busy <- struct{}{}:
		return func() { <-n.busy }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s is busy with another operation: %w", n.inst.Name, context.Cause(ctx))
	}
}

// tryTake reserves the instance if nobody else has.
func (n *node) tryTake() (release func(), ok bool) {
	select {
	case n.busy <- struct{}{}:
		return func() { <-n.busy }, true
	default:
		return nil, false
	}
}

// do runs one operation on the instance alone, and names it in its error.
func (n *node) do(ctx context.Context, verb string, operation func(context.Context) error) error {
	ctx, cancel := n.env.alive(ctx)
	defer cancel()
	if n.env.life.Err() != nil {
		return fmt.Errorf("%s(%s): %w", verb, n.inst.Name, errClosed)
	}
	release, err := n.take(ctx)
	if err != nil {
		return fmt.Errorf("%s(%s): %w", verb, n.inst.Name, err)
	}
	defer release()
	if err := operation(ctx); err != nil {
		return fmt.Errorf("%s(%s): %w", verb, n.inst.Name, err)
	}
	return nil
}

// Kill kills the instance's process group and every other process with its mark,
// and returns when they are gone. An instance that does not run is no error.
func (n *node) Kill(ctx context.Context) error { return n.do(ctx, "kill", n.kill) }

func (n *node) kill(ctx context.Context) error {
	if p := n.running(); p != nil {
		p.expect(system.Exited, "killed")
		if err := p.signalGroup(sigKill); err != nil {
			return err
		}
		if err := p.wait(ctx); err != nil {
			return err
		}
	}
	return n.clear(ctx)
}

// clear kills what is left of earlier lives of the instance, and settles the ledger.
func (n *node) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killTime)
	defer cancel()
	if _, err := killUntilGone(ctx, func() ([]Marked, error) { return n.processes(true) }); err != nil {
		return err
	}
	return errors.Join(RemoveShared(n.data), n.settle(ctx))
}

// settle tells the ledger that nothing of the instance's starts is left.
func (n *node) settle(ctx context.Context) error {
	n.mu.Lock()
	settle := n.start
	n.start = nil
	n.mu.Unlock()
	var errs error
	for _, done := range settle {
		errs = errors.Join(errs, done())
	}
	return errs
}

// Start starts the instance and returns when it is ready. One that runs is only waited for.
func (n *node) Start(ctx context.Context) error { return n.do(ctx, "start", n.startReady) }

func (n *node) startReady(ctx context.Context) error {
	p := n.running()
	if p == nil {
		var err error
		if p, err = n.startProcess(ctx); err != nil {
			return err
		}
	}
	return n.waitReady(ctx, p)
}

// Pause stops every process of the instance in its tracks, and returns when they stand.
func (n *node) Pause(ctx context.Context) error { return n.do(ctx, "pause", n.pause) }

func (n *node) pause(ctx context.Context) error {
	p := n.running()
	if p == nil {
		return errors.New("it does not run")
	}
	n.mu.Lock()
	n.becomeLocked(system.Paused, n.up, "")
	n.mu.Unlock()
	if err := n.signalAll(ctx, sigStop, true); err != nil {
		return errors.Join(err, n.signalAll(context.WithoutCancel(ctx), sigCont, false))
	}
	return nil
}

// Resume continues what Pause stopped. If the instance was ready then, it returns when it is again.
func (n *node) Resume(ctx context.Context) error { return n.do(ctx, "resume", n.resume) }

func (n *node) resume(ctx context.Context) error {
	p := n.running()
	if p == nil {
		return errors.New("it does not run")
	}
	if n.deposed() { // continued, it would lead beside the one that took over
		if err := n.kill(ctx); err != nil {
			return err
		}
		return n.startReady(ctx)
	}
	if err := n.signalAll(ctx, sigCont, false); err != nil {
		return err
	}
	if !n.becomeWhile(p, system.Unready, n.pickable(), "continued") {
		return fmt.Errorf("it ended while paused (%s)", p.status())
	}
	return n.waitReady(ctx, p)
}

// signalAll signals all processes of the instance, and again, until all that
// are found are stopped, or all run. A process may fork while it is being signalled.
func (n *node) signalAll(ctx context.Context, sig signal, stopped bool) error {
	ctx, cancel := context.WithTimeout(ctx, killTime)
	defer cancel()
	return poll(ctx, func() (bool, error) {
		processes, err := n.processes(false)
		if err != nil {
			return false, err
		}
		done := true
		for _, p := range processes {
			if p.Stopped == stopped {
				continue
			}
			done = false
			if err := signalProc(p.ProcID, sig); err != nil {
				return false, err
			}
		}
		return done, nil
	})
}

// Restart stops the instance as its operator would and starts it again; it returns when it is ready.
func (n *node) Restart(ctx context.Context) error {
	return n.do(ctx, "restart", func(ctx context.Context) error {
		if err := n.stop(ctx); err != nil {
			return err
		}
		return n.startReady(ctx)
	})
}

// stop asks the instance to end, kills it when its grace is over, and clears what is left.
func (n *node) stop(ctx context.Context) error {
	if err := n.askToStop(ctx); err != nil {
		return err
	}
	return n.clear(ctx)
}

// askToStop sends the stop signal, and SIGKILL after the grace or when ctx ends.
// It returns when the main process is gone.
func (n *node) askToStop(ctx context.Context) error {
	p := n.running()
	if p == nil {
		return nil
	}
	p.expect(system.Stopped, "")
	sig, err := parseSignal(n.svc.Process.Signal)
	if err != nil {
		return err
	}
	err = p.signalGroup(sig)
	if n.isPaused() { // a stopped process takes no signal but SIGKILL and SIGCONT
		err = errors.Join(err, n.signalAll(ctx, sigCont, false))
	}
	grace, cancel := context.WithTimeout(ctx, n.grace())
	defer cancel()
	if err == nil && p.wait(grace) == nil {
		return nil
	}
	if err := p.signalGroup(sigKill); err != nil {
		return err
	}
	killed, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	return p.wait(killed)
}

func (n *node) isPaused() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state == system.Paused
}

func (n *node) grace() time.Duration {
	if n.svc.Process.Grace > 0 {
		return n.svc.Process.Grace
	}
	return 5 * time.Second
}

// processes returns the instance's processes, and its probes' where they are asked for.
func (n *node) processes(probes bool) ([]Marked, error) {
	all, err := n.env.scan()
	if err != nil {
		return nil, err
	}
	var mine []Marked
	for _, p := range all {
		if p.Instance == n.inst.Name && (probes || !p.Probe) {
			mine = append(mine, p)
		}
	}
	return mine, nil
}

// Inspect returns what the operating system says of the instance's processes.
func (n *node) Inspect(ctx context.Context) (system.Inspection, error) {
	processes, err := n.processes(false)
	if err != nil {
		return system.Inspection{}, fmt.Errorf("inspect(%s): %w", n.inst.Name, err)
	}
	found := make([]system.Proc, len(processes))
	for i, p := range processes {
		found[i] = system.Proc{ID: p.ProcID, Stopped: p.Stopped, Command: p.Command}
	}
	return system.Inspection{Processes: found}, nil
}
