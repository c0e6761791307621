package experiment

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/assay-dev/assay/system"
)

// fakeEnv is a system of one instance, orders-1, which is an HTTP server of
// this process. Killing it closes its listener.
type fakeEnv struct {
	mu       sync.Mutex
	server   *http.Server
	listener net.Listener
	pid      int
	stalled  chan struct{} // closed: requests are answered; nil too
	lame     bool          // injections do nothing
	left     []string      // link rules in snapshots, a planted leftover
	healErr  error
	slow     time.Duration // how long a start takes
	gone     bool          // the instance says that it exited
	kills    int
	starts   int
}

func newFakeEnv() *fakeEnv {
	e := &fakeEnv{}
	e.listen()
	return e
}

func (e *fakeEnv) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	e.pid++
	e.listener, e.server = l, &http.Server{Handler: http.HandlerFunc(e.serve)}
	go e.server.Serve(l)
}

func (e *fakeEnv) serve(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	stalled := e.stalled
	e.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-r.Context().Done():
		}
	}
}

func (e *fakeEnv) System() system.System {
	return system.System{Name: "fake", Services: []system.Service{{Name: "orders", Replicas: 1, Ports: []int{80}}}}
}

func (e *fakeEnv) Nodes() []system.Node { return []system.Node{&fakeNode{e}} }

func (e *fakeEnv) Addr(context.Context, string, string, int) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listener.Addr().String(), nil
}

func (e *fakeEnv) Snapshot(context.Context) (system.Snapshot, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	standing := system.Standing{State: system.IsReady, Running: 1}
	if e.server == nil {
		standing = system.Standing{State: system.Exited}
	}
	return system.Snapshot{Instances: map[string]system.Standing{"orders-1": standing}, Rules: e.left}, nil
}

func (e *fakeEnv) Close(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stalled != nil {
		close(e.stalled)
		e.stalled = nil
	}
	if e.server == nil {
		return nil
	}
	return e.server.Close()
}

// stall makes requests hang from now on.
func (e *fakeEnv) stall() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stalled = make(chan struct{})
}

type fakeNode struct{ env *fakeEnv }

func (n *fakeNode) Instance() system.Instance {
	return system.Instance{Name: "orders-1", Service: "orders", Ordinal: 1}
}

func (n *fakeNode) State(context.Context) (system.State, error) {
	n.env.mu.Lock()
	defer n.env.mu.Unlock()
	if n.env.gone {
		return system.Exited, nil
	}
	return system.IsReady, nil
}

func (n *fakeNode) Kill(context.Context) error {
	n.env.mu.Lock()
	defer n.env.mu.Unlock()
	n.env.kills++
	if n.env.lame {
		return nil
	}
	if n.env.server == nil {
		return errors.New("orders-1 does not run")
	}
	err := n.env.server.Close()
	n.env.server = nil
	return err
}

func (n *fakeNode) Start(context.Context) error {
	time.Sleep(n.env.slow) // a slow start is what is tested
	n.env.mu.Lock()
	defer n.env.mu.Unlock()
	n.env.starts++
	if n.env.healErr != nil {
		return n.env.healErr
	}
	if n.env.server == nil {
		n.env.listen()
	}
	return nil
}

func (n *fakeNode) Inspect(context.Context) (system.Inspection, error) {
	n.env.mu.Lock()
	defer n.env.mu.Unlock()
	if n.env.server == nil {
		return system.Inspection{}, nil
	}
	return system.Inspection{Processes: []system.Proc{{ID: system.ProcID{PID: n.env.pid}}}}, nil
}
