package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// Unknown is the dialler of a connection whose owner was not found.
const Unknown = "unknown"

// Options decide what a Mesh leaves open. The zero value works.
type Options struct {
	Seed      uint64                       // decides jitter, with the rule's own seed
	ServiceOf func(instance string) string // instance -> service, and the name itself for anything else; nil: every name is its own service
	Now       func() time.Duration         // the run's clock, for Exchanges; may be swapped by SetRecorder; nil: since NewMesh
	// Owner names the instance that owns the dialling socket, given that socket's own
	// addresses. It is asked at accept, before data. nil: unknown.
	Owner func(local, remote netip.AddrPort) (instance string, ok bool)
}

// A Front is one address that diallers use.
type Front struct {
	Src  string         // instance or system.Client; "": found by the socket's owner at accept (advertised addresses)
	Host string         // the service or instance it stands for
	Addr netip.AddrPort // where it listens, 127.x.y.z:port
	// Pick chooses the instance and its private address for the n-th (from 1)
	// connection of src to Host; ok is false when none is ready, and the dial is reset.
	// It is called from any goroutine, also with n that never connect, to learn
	// whom it could choose; it must not call the Mesh.
	Pick func(src string, n uint64) (instance string, target netip.AddrPort, ok bool)
	// Instances are all that Pick may choose. nil: Host where it is an instance, else
	// asked of Pick, again every 200 ms while a cut or refuse is set.
	Instances []string
	// Dial connects to what Pick chose, in place of a TCP dial of the target, such as where
	// its address is a name with several addresses. It ends with ctx. nil: the target is dialled.
	Dial func(ctx context.Context) (*net.TCPConn, error)
	// Gentle closes a connection whose instance cannot be reached with FIN in place of RST.
	Gentle bool
	TLS    *TLS // takes TLS off; nil: it passes as it is
}

// A Mesh is a set of fronts, the connections through them, and the rules that bend
// both. All methods are safe for concurrent use.
type Mesh struct {
	opts     Options
	start    time.Time
	pool     sync.Pool // of *[chunkBytes]byte
	pipes    pipes
	alarm    *alarm
	recorder atomic.Pointer[recorder[history.Exchange]]
	journal  atomic.Pointer[journal]
	attempts atomic.Pointer[attempts] // nil: nobody wants to know
	ids      atomic.Uint64            // of connections
	names    names
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup // accept loops, connections, the watcher

	arming sync.Mutex // one change of rules or recorder at a time
	rules  map[string]*armed
	gates  bool // one of them may close a gate

	mu     sync.Mutex
	closed bool
	fronts []*front
	lanes  map[system.Link]*lane
	conns  map[*conn]struct{}
	dials  map[system.Link]uint64 // connections of Src to Host so far
	lost   uint64                 // exchanges that no recorder took
}

// NewMesh returns a Mesh without fronts and rules. The caller closes it.
func NewMesh(opts Options) *Mesh {
	if opts.ServiceOf == nil {
		opts.ServiceOf = func(name string) string { return name }
	}
	m := &Mesh{
		opts: opts, start: time.Now(), rules: map[string]*armed{}, alarm: newAlarm(),
		lanes: map[system.Link]*lane{}, conns: map[*conn]struct{}{}, dials: map[system.Link]uint64{},
	}
	m.pool.New = func() any { return new([chunkBytes]byte) }
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.wg.Go(m.watch)
	return m
}

// Listen opens a front and returns when it listens. It stays open until Close.
func (m *Mesh) Listen(ctx context.Context, f Front) error {
	if f.Pick == nil {
		return fmt.Errorf("listen on %s for %s: no Pick", f.Addr, f.Host)
	}
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false) // its sockets cannot be shrunk, looked up or reset like TCP's
	l, err := config.Listen(ctx, "tcp", f.Addr.String())
	if err != nil {
		return fmt.Errorf("listen on %s for %s: %w", f.Addr, f.Host, err)
	}
	return m.open(newFront(m, f, l.(*net.TCPListener)))
}

func (m *Mesh) open(f *front) error {
	m.arming.Lock()
	defer m.arming.Unlock()
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return errors.Join(fmt.Errorf("listen on %s for %s: the mesh is closed", f.Addr, f.Host), f.listener.Close())
	}
	m.fronts = append(m.fronts, f)
	m.wg.Add(1)
	m.mu.Unlock()
	go f.accept()
	return f.settle()
}

// Close closes all fronts, resets all connections, flushes the recorder and waits
// for every goroutine. A second call does nothing.
func (m *Mesh) Close() error {
	m.arming.Lock()
	defer m.arming.Unlock()
	m.mu.Lock()
	again := m.closed
	m.closed = true
	fronts := m.fronts
	m.mu.Unlock()
	if again {
		return nil
	}
	var errs []error
	for _, f := range fronts {
		errs = append(errs, f.close())
	}
	m.swapRecorder(nil)
	m.swapJournal(nil)
	m.cancel()
	for _, c := range m.connections() {
		c.abort()
	}
	m.wg.Wait()
	m.alarm.close()
	m.pipes.close()
	return errors.Join(errs...)
}

// now is the mesh's own clock: monotonic, from NewMesh.
func (m *Mesh) now() time.Duration { return time.Since(m.start) }

func (m *Mesh) lane(from, to string) *lane {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.laneLocked(system.Link{From: from, To: to})
}

func (m *Mesh) laneLocked(link system.Link) *lane {
	l, ok := m.lanes[link]
	if !ok {
		l = newLane(link)
		m.lanes[link] = l
	}
	return l
}

func (m *Mesh) connections() []*conn {
	m.mu.Lock()
	defer m.mu.Unlock()
	conns := make([]*conn, 0, len(m.conns))
	for c := range m.conns {
		conns = append(conns, c)
	}
	return conns
}

// nextDial returns the ordinal, from 1, of a new connection of src to host.
func (m *Mesh) nextDial(src, host string) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := system.Link{From: src, To: host}
	m.dials[key]++
	return m.dials[key]
}

// Recount lets the ordinals of connections begin again, for a system that is
// put back to its beginning: what the seed decides for the n-th connection of an
// experiment must not depend on the experiments before. Counters of Stats go on.
func (m *Mesh) Recount() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.dials)
	for _, l := range m.lanes {
		l.conns.Store(0)
	}
	if m.attempts.Load() != nil {
		m.attempts.Store(newAttempts())
	}
}

// watch lets fronts look again at whom they could reach, since instances
// become ready and unready while a rule is set.
func (m *Mesh) watch() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
			m.settleAsked()
		}
	}
}

func (m *Mesh) settleAsked() {
	if !m.arming.TryLock() { // whoever arms settles
		return
	}
	defer m.arming.Unlock()
	if !m.mayGate() {
		return
	}
	for _, f := range m.openFronts() {
		if f.asks() {
			_ = f.settle() // the next ClearRule settles again, and reports
		}
	}
}

// mayGate says whether a rule is set that could close a front's gate. The caller holds arming.
func (m *Mesh) mayGate() bool { return m.gates }

// lookForGates brings mayGate up to date, once for all fronts: there may be thousands of fronts and of rules.
func (m *Mesh) lookForGates() {
	m.gates = false
	for _, a := range m.rules {
		m.gates = m.gates || a.rule.Kind == system.Cut || a.rule.Kind == system.Refuse
	}
}

func (m *Mesh) openFronts() []*front {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	return m.fronts[:len(m.fronts):len(m.fronts)]
}
