// Package plain runs a system as local processes on loopback: no containers, no
// privileges, one network 127.S.0.0/16 for each environment.
//
// Every instance has an address of its own, so all instances of a service use
// their usual port, and whoever dials another does so through a front: a proxy
// at an address that only this dialler was told. What passes a front is counted,
// recorded and can be bent.
//
//	127.S.0.i    instance i itself; it binds to this, as {{ip}}
//	127.S.d.h    the front by which dialler d reaches host h (a service or an instance), at h's usual port
//	127.S.254.i  the front that instance i may advertise to any peer
//
//	env, err := plain.Start(ctx, sys, plain.Options{ID: "run-7", StateDir: state, LogDir: logs})
//	defer env.Close(context.WithoutCancel(ctx))
//	addr, err := env.Addr(ctx, system.Client, "orders", 8080)
//
// The TLS of services that say so ends at their fronts, by an authority made for the environment: {{ca}} is what to trust.
//
// Every process carries a mark in its environment and is found by it, so
// daemonised and stopped ones are killed too. The kernel kills the instances
// when the process that called Start dies.
package plain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/ledger"
	"github.com/assay-dev/assay/internal/link"
	"github.com/assay-dev/assay/system"
)

// Options say where an environment keeps things and whom it tells.
type Options struct {
	ID       string       // the environment's id, part of the mark of its processes
	StateDir string       // its private folder, which Close removes
	LogDir   string       // INSTANCE.log is appended to here, and stays
	Ledger   *ledger.Log  // has an entry "start" for each instance while it may run; nil in tests
	Client   int          // pid of the process that drives the load, whose use of resources is recorded too; 0 for none
	Progress func(string) // one line of story, such as "orders-1 is ready after 120ms"; called concurrently; may be nil
}

// An Env is a system that runs as local processes. Its nodes are Killers,
// Pausers, Restarters, Probers and Inspectors.
type Env struct {
	sys   system.System
	opts  Options
	addrs *addresses
	guard net.Listener
	mesh  *link.Mesh
	own   *link.Owners
	spawn *spawner

	life context.Context // ends when Close begins
	end  context.CancelCauseFunc
	work sync.WaitGroup // all goroutines but those of the mesh and the spawner

	nodes  []*node
	byName map[string]*node
	groups []*group // of services of which one instance leads
	fronts fronts
	rules  rules
	tls    opened
	rec    recorder
	pids   pidTable

	whole     chan struct{} // one Checkpoint, Restore or Close at a time
	hasGolden bool          // guarded by whole

	closing sync.Once
	closed  error
}

var errClosed = errors.New("the environment is closed")

// Start starts the instances of sys, each as soon as what it depends on is where
// it needs it, and returns when all are ready. Nothing is built. On an error, and when ctx ends,
// everything is torn down; the error names the instance and shows its last log lines.
func Start(ctx context.Context, sys system.System, opts Options) (*Env, error) {
	e, err := prepare(ctx, sys, opts)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", sys.Name, err)
	}
	err = e.startAll(ctx)
	if err == nil {
		err = e.checkBinds()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", sys.Name, err), e.Close(context.WithoutCancel(ctx)))
	}
	for _, g := range e.groups {
		e.work.Go(g.watch)
	}
	return e, nil
}

// prepare does all that comes before the first process.
func prepare(ctx context.Context, sys system.System, opts Options) (*Env, error) {
	if err := checkOptions(sys, opts); err != nil {
		return nil, err
	}
	if err := prepareHost(); err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Join(opts.StateDir, "data"), opts.LogDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make folders: %w", err)
		}
	}
	prefix, guard, err := claimSlot(opts.ID)
	if err != nil {
		return nil, err
	}
	e := &Env{sys: sys, opts: opts, guard: guard, byName: map[string]*node{}, whole: make(chan struct{}, 1)}
	e.life, e.end = context.WithCancelCause(context.Background())
	e.own = link.NewOwners(e.instanceOf)
	e.mesh = link.NewMesh(link.Options{Seed: sys.Seed, ServiceOf: sys.ServiceOf, Now: system.Monotonic, Owner: e.own.Owner})
	e.spawn = newSpawner()
	if err = e.openTLS(); err == nil {
		e.addrs, err = newAddresses(sys, prefix)
	}
	if err == nil {
		err = e.makeNodes(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close(context.WithoutCancel(ctx)))
	}
	e.work.Go(e.reapOrphans)
	for _, n := range e.nodes {
		e.work.Go(n.watchReady)
	}
	return e, nil
}

func checkOptions(sys system.System, opts Options) error {
	switch {
	case opts.ID == "" || opts.StateDir == "" || opts.LogDir == "":
		return errors.New("the environment needs an id, a state folder and a log folder")
	case !filepath.IsAbs(opts.StateDir) || !filepath.IsAbs(opts.LogDir):
		return fmt.Errorf("state folder %s and log folder %s must be absolute, because instances run elsewhere", opts.StateDir, opts.LogDir)
	case len(sys.Services) == 0:
		return fmt.Errorf("system %q has no services", sys.Name)
	}
	return checkOrder(sys)
}

func (e *Env) makeNodes(ctx context.Context) error {
	oneShot := completedServices(e.sys)
	for _, instance := range e.sys.Instances() {
		service, _ := e.sys.Service(instance.Service)
		n, err := newNode(e, instance, service)
		if err != nil {
			return err
		}
		n.oneShot = oneShot[service.Name]
		e.nodes = append(e.nodes, n)
		e.byName[instance.Name] = n
		e.join(n)
	}
	for _, n := range e.nodes {
		if err := n.prepare(ctx); err != nil {
			return err
		}
	}
	return nil
}

// System returns the topology that runs.
func (e *Env) System() system.System { return e.sys }

// Nodes returns one node for each instance, in the order of System.Instances.
func (e *Env) Nodes() []system.Node {
	nodes := make([]system.Node, len(e.nodes))
	for i, n := range e.nodes {
		nodes[i] = n
	}
	return nodes
}

// Close ends recording, clears all rules, stops the instances in reverse order of
// dependency, each by its signal and after its grace by SIGKILL, kills whatever else
// carries the mark, and removes the state folder. The graces run side by side:
// all of it takes little longer than the longest. A second call returns what the first did.
func (e *Env) Close(ctx context.Context) error {
	e.closing.Do(func() { e.closed = e.close(ctx) })
	return e.closed
}

func (e *Env) close(ctx context.Context) error {
	e.end(errClosed)
	// Whatever is under way has been told to end, and is waited for: a start that
	// went on would start a process behind the back of what kills them all.
	e.whole <- struct{}{}
	for _, n := range e.nodes {
		n.busy <- struct{}{}
		<-n.busy
	}
	err := e.rec.stop()
	err = errors.Join(err, e.clearRules())

	graceful, cancel := context.WithTimeout(ctx, e.longestGrace())
	stopErr := e.stopAll(graceful, (*node).askToStop)
	cancel()
	if ctx.Err() == nil && graceful.Err() == nil {
		err = errors.Join(err, stopErr) // else: those that took too long are killed now, as announced
	}
	e.spawn.close()
	err = errors.Join(err, e.killAll(context.WithoutCancel(ctx)), e.mesh.Close(), e.guard.Close())
	e.work.Wait()
	return errors.Join(err, RemoveShared(e.opts.StateDir), removeAll(e.opts.StateDir))
}

// killTime bounds how long a killed process may take to be gone.
const killTime = 10 * time.Second

// killAll kills every process of the environment and settles the ledger.
func (e *Env) killAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killTime)
	defer cancel()
	if _, err := killUntilGone(ctx, e.scan); err != nil {
		return err
	}
	var errs error
	for _, n := range e.nodes {
		errs = errors.Join(errs, n.settle(ctx))
	}
	return errs
}

func (e *Env) longestGrace() time.Duration {
	var longest time.Duration
	for _, n := range e.nodes {
		longest = max(longest, n.grace())
	}
	return longest
}

// scan returns the processes of the environment.
func (e *Env) scan() ([]Marked, error) { return scan(e.opts.ID, e.opts.StateDir, e.mains()) }

// mains returns the processes that instances were started as and that still run.
func (e *Env) mains() map[int]string {
	mains := map[int]string{}
	for _, n := range e.nodes {
		if p := n.process(); p != nil && p.running() {
			mains[p.id.PID] = n.inst.Name
		}
	}
	return mains
}

// alive returns a context that ends with ctx or when the environment closes.
func (e *Env) alive(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.life, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// exclusive waits until no other Checkpoint, Restore or Close is under way.
func (e *Env) exclusive(ctx context.Context) (release func(), err error) {
	if e.life.Err() != nil {
		return nil, errClosed
	}
	select {
	case e.whole <- struct{}{}:
		return func() { <-e.whole }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// tryExclusive is exclusive, if nobody else is at it.
func (e *Env) tryExclusive() (release func(), ok bool) {
	select {
	case e.whole <- struct{}{}:
		return func() { <-e.whole }, true
	default:
		return nil, false
	}
}

func (e *Env) progress(format string, args ...any) {
	if e.opts.Progress != nil {
		e.opts.Progress(fmt.Sprintf(format, args...))
	}
}

// note writes an event, if anyone is recording.
func (e *Env) note(event history.Event) { e.rec.event(event) }
