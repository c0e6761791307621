package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"
)

// A front listens for a Front.
type front struct {
	Front
	mesh     *Mesh
	listener *net.TCPListener
	ctx      context.Context // of its dials
	cancel   context.CancelFunc
	serving  sync.WaitGroup // its connections
	gone     bool           // guarded by Mesh.mu

	// accepting is held by the accept loop while it accepts, and by the gate while it
	// is not open, so that nobody takes the fillers out of the backlog.
	accepting sync.Mutex

	mu      sync.Mutex
	gate    gate
	closed  bool
	targets []string                        // as settle saw them
	fillers map[netip.AddrPort]*net.TCPConn // our own connections in the backlog, by their address; nil for one whose dial timed out
	drops   uint32                          // the kernel's count of dropped SYNs, as last seen
	dropped uint64                          // SYNs dealt to targets so far
}

func newFront(m *Mesh, f Front, l *net.TCPListener) *front {
	ctx, cancel := context.WithCancel(m.ctx)
	return &front{Front: f, mesh: m, listener: l, ctx: ctx, cancel: cancel}
}

// accept runs until the listener is closed.
func (f *front) accept() {
	defer f.mesh.wg.Done()
	for {
		f.accepting.Lock()
		c, err := f.listener.AcceptTCP()
		f.accepting.Unlock()
		switch {
		case err == nil:
			f.accepted(c)
		case errors.Is(err, net.ErrClosed):
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			runtime.Gosched() // the gate wants accepting
		default: // such as no file descriptors left
			select {
			case <-f.mesh.ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
}

func (f *front) accepted(c *net.TCPConn) {
	if f.isFiller(c) {
		reset(c)
		return
	}
	var n uint64
	if f.Src != "" {
		n = f.mesh.nextDial(f.Src, f.Host) // here, so that the order of accepts is the order of n
	}
	f.mesh.mu.Lock()
	defer f.mesh.mu.Unlock()
	if f.mesh.closed || f.gone {
		reset(c)
		return
	}
	f.serving.Add(1)
	f.mesh.wg.Go(func() {
		defer f.serving.Done()
		f.handle(c, n)
	})
}

// handle serves one accepted connection.
func (f *front) handle(caller *net.TCPConn, n uint64) {
	src := f.Src
	if src == "" {
		src = f.mesh.owner(caller)
		n = f.mesh.nextDial(src, f.Host)
	}
	dst, target, ok := f.Pick(src, n)
	if !ok {
		l := f.mesh.lane(src, f.Host)
		l.dialled(1)
		l.refused.Add(1)
		reset(caller)
		return
	}
	f.mesh.lane(src, dst).dialled(1)
	c, ok := f.admit(caller, src, dst)
	if !ok {
		reset(caller)
		return
	}
	c.serve(target)
	f.refusedOne(c)
}

// admit makes a connection of the caller's, with its TLS still on.
func (f *front) admit(caller *net.TCPConn, src, dst string) (*conn, bool) {
	if f.TLS == nil {
		return f.mesh.newConn(f, caller, src, dst)
	}
	s, err := newSealed(f, caller)
	if err != nil {
		return nil, false
	}
	c, ok := f.mesh.newConn(f, s.inner, src, dst)
	if !ok {
		reset(s.inner)
		s.drop()
		return nil, false
	}
	c.sealed = s
	return c, true
}

// refusedOne closes the gate once a refuse has shown its effect.
func (f *front) refusedOne(c *conn) {
	l := c.up.lane
	if f.Src == "" || !l.effect.Load().refuse || !l.proven.Load() || f.isGated() {
		return
	}
	if f.mesh.arming.TryLock() { // else whoever holds it settles
		defer f.mesh.arming.Unlock()
		_ = f.settle() // the next ClearRule settles again, and reports
	}
}

func (m *Mesh) owner(caller *net.TCPConn) string {
	if m.opts.Owner == nil {
		return Unknown
	}
	local, remote := addrPort(caller.RemoteAddr()), addrPort(caller.LocalAddr())
	if name, ok := m.opts.Owner(local, remote); ok {
		return name
	}
	return Unknown
}

func addrPort(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// dial connects to the instance that was picked.
func (f *front) dial(target netip.AddrPort) (*net.TCPConn, error) {
	if f.Dial != nil {
		return f.Dial(f.ctx)
	}
	dialer := net.Dialer{KeepAlive: -1}
	dialer.SetMultipathTCP(false)
	c, err := dialer.DialContext(f.ctx, "tcp", target.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

func (f *front) close() error {
	f.cancel()
	f.harvest()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	err := f.listener.Close()
	f.closeFillers()
	if f.gate != gateOpen {
		f.accepting.Unlock()
	}
	return err
}
