package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A gate is what a front does with new dials before anybody accepts them.
type gate uint8

const (
	gateOpen    gate = iota
	gateSilent       // SYNs get no answer
	gateRefused      // ECONNREFUSED
)

// A front listens for a Front.
type front struct {
	Front
	mesh     *Mesh
	listener *net.TCPListener

	// accepting is held by the accept loop while it accepts, and by the gate while it
	// is not open, so that nobody takes the fillers out of the backlog.
	accepting sync.Mutex

	mu      sync.Mutex
	gate    gate
	closed  bool
	targets []string                    // as settle saw them
	fillers map[netip.AddrPort]net.Conn // our own connections in the backlog, by their address
	drops   uint32                      // the kernel's count of dropped SYNs, as last seen
	dropped uint64                      // SYNs dealt to targets so far
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
	if f.mesh.closed {
		reset(c)
		return
	}
	f.mesh.wg.Go(func() { f.handle(c, n) })
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
	c, ok := f.mesh.newConn(caller, src, dst)
	if !ok {
		reset(caller)
		return
	}
	c.serve(target)
	f.refusedOne(c)
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

// asks says that only Pick knows whom the front could reach.
func (f *front) asks() bool {
	return f.Src != "" && f.Instances == nil && f.mesh.opts.ServiceOf(f.Host) == f.Host
}

// reachable returns the instances that the front could reach.
func (f *front) reachable() []string {
	if f.Instances != nil {
		return f.Instances
	}
	if !f.asks() {
		return []string{f.Host}
	}
	var found []string
	for n := uint64(1); n <= 64; n++ {
		if name, _, ok := f.Pick(f.Src, n); ok && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}

// settle brings the gate to what the rules want. The caller holds Mesh.arming.
func (f *front) settle() error {
	if f.Src == "" {
		return nil
	}
	targets := []string(nil)
	if len(f.mesh.rules) > 0 || f.isGated() {
		targets = f.reachable()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	want := f.wants(targets)
	if want == f.gate {
		return nil
	}
	if err := f.shift(want); err != nil {
		return fmt.Errorf("front %s of %s for %s: %w", f.Addr, f.Src, f.Host, err)
	}
	f.targets = targets
	return nil
}

func (f *front) isGated() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gate != gateOpen
}

// wants returns the gate that fits the rules towards all targets. Where they differ it is open,
// and each connection is judged after accept.
func (f *front) wants(targets []string) gate {
	all := func(holds func(there, back *lane) bool) bool {
		for _, t := range targets {
			if !holds(f.mesh.lane(f.Src, t), f.mesh.lane(t, f.Src)) {
				return false
			}
		}
		return len(targets) > 0
	}
	if all(func(there, back *lane) bool { return there.effect.Load().cut || back.effect.Load().cut }) {
		return gateSilent
	}
	if all(func(there, _ *lane) bool { return there.effect.Load().refuse && there.proven.Load() }) {
		return gateRefused
	}
	return gateOpen
}

// shift changes the gate. A gate that this system cannot close stays open, and
// connections are stalled or reset after accept instead.
func (f *front) shift(want gate) error {
	f.harvestLocked()
	if f.gate == gateOpen {
		f.pause()
	}
	var err error
	switch want {
	case gateSilent:
		err = f.silence()
	case gateRefused:
		err = f.refuseDials()
	}
	if err != nil {
		want = gateOpen
	}
	if want == gateOpen {
		if err := f.listenAgain(); err != nil {
			f.gate = gateRefused // what a socket that cannot listen does
			return err
		}
		f.resume()
	}
	f.gate = want
	return nil
}

// pause takes the accept loop off the listener.
func (f *front) pause() {
	_ = f.listener.SetDeadline(time.Unix(1, 0))
	f.accepting.Lock()
}

func (f *front) resume() {
	_ = f.listener.SetDeadline(time.Time{})
	f.accepting.Unlock()
}

// fill adds a connection of our own to the backlog.
func (f *front) fill() error {
	dialer := net.Dialer{Timeout: 100 * time.Millisecond, KeepAlive: -1}
	dialer.SetMultipathTCP(false)
	c, err := dialer.Dial("tcp", f.Addr.String())
	if err != nil {
		return err
	}
	if f.fillers == nil {
		f.fillers = map[netip.AddrPort]net.Conn{}
	}
	f.fillers[addrPort(c.LocalAddr())] = c
	return nil
}

// isFiller says whether c is the other end of a filler, and closes that filler.
func (f *front) isFiller(c *net.TCPConn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := addrPort(c.RemoteAddr())
	filler, ok := f.fillers[at]
	if ok {
		delete(f.fillers, at)
		reset(filler.(*net.TCPConn))
	}
	return ok
}

func (f *front) closeFillers() {
	for _, filler := range f.fillers {
		reset(filler.(*net.TCPConn))
	}
	f.fillers = nil
}

// harvest counts the dials that the kernel left unanswered, dealt to the targets in turn.
func (f *front) harvest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.harvestLocked()
}

func (f *front) harvestLocked() {
	if f.gate != gateSilent || f.closed {
		return
	}
	drops, ok := f.kernelDrops()
	if !ok {
		return
	}
	for range drops - f.drops {
		l := f.mesh.lane(f.Src, f.targets[f.dropped%uint64(len(f.targets))])
		l.dialled(1)
		l.stall(1)
		f.dropped++
	}
	f.drops = drops
}

func (f *front) close() error {
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
