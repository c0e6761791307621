package link

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
)

// A conn is one connection through a front: the dialler's half, the instance's
// half, and a pump for each direction.
type conn struct {
	mesh     *Mesh
	front    *front
	id       uint64
	src, dst string
	up, down *pump // up is src -> dst
	caller   *net.TCPConn
	tap      *tap
	editing  atomic.Pointer[editing] // of requests, nil: it is not
	done     chan struct{}           // closed when the connection is over
	kick     chan struct{}           // the effect of either lane changed
	ends     atomic.Int32            // directions that were closed properly
	wg       sync.WaitGroup

	sealed     *sealed // TLS that is taken off when it connects, nil: there is none
	uneditable bool    // by the reader of up alone: what it carries is no HTTP that could be edited

	mu       sync.Mutex
	admitted bool // the rules let it through; from here a refuse is a reset
	over     bool
	server   *net.TCPConn // nil until connected
}

// newConn registers a connection on both its lanes. It returns false when the mesh is closed.
func (m *Mesh) newConn(f *front, caller *net.TCPConn, src, dst string) (*conn, bool) {
	c := &conn{
		mesh: m, front: f, id: m.ids.Add(1), src: src, dst: dst, caller: caller,
		done: make(chan struct{}), kick: make(chan struct{}, 1),
	}
	c.tap = newTap(c)
	c.up = newPump(c, m.lane(src, dst), true)
	c.down = newPump(c, m.lane(dst, src), false)
	c.up.other, c.down.other = c.down, c.up
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || f.gone {
		return nil, false
	}
	m.conns[c] = struct{}{}
	c.up.lane.join(c.up)
	c.down.lane.join(c.down)
	c.up.lane.living.Add(1)
	return c, true
}

// serve moves the connection's bytes until it is over.
func (c *conn) serve(target netip.AddrPort) {
	defer c.leave()
	defer c.wg.Wait()
	if err := c.up.from(c.caller); err != nil {
		c.abort()
		return
	}
	if !c.awaitAdmission() || !c.connect(target) {
		c.abort()
		return
	}
	c.up.start()
	c.down.start()
	c.up.attend(c.up.bend.Load())
	c.down.attend(c.down.bend.Load())
}

func (c *conn) leave() {
	c.up.lane.leave(c.up)
	c.down.lane.leave(c.down)
	c.up.lane.living.Add(-1)
	c.tap.finish()
	c.up.unload()
	c.down.unload()
	if c.sealed != nil {
		c.sealed.drop()
	}
	c.mesh.mu.Lock()
	defer c.mesh.mu.Unlock()
	delete(c.mesh.conns, c)
}

type admission uint8

const (
	admit admission = iota
	stall
	refuse
)

// awaitAdmission holds a dial that a cut leaves unanswered. Meanwhile what the dialler
// says is read and kept, so that the tap sees its requests and a dialler that
// leaves is noticed.
func (c *conn) awaitAdmission() bool {
	for stalled := false; ; {
		switch c.admission() {
		case admit:
			return true
		case refuse:
			c.up.lane.refuse()
			hitAll(c.up.bend.Load().refuses)
			return false
		}
		if !stalled {
			stalled = true
			stallDial(c.up.lane, c.down.lane, c.up.bend.Load().cuts, c.down.bend.Load().cuts)
			c.up.start()
		}
		select {
		case <-c.kick:
		case <-c.done:
			return false
		}
	}
}

// admission asks the rules. A cut comes before a refuse: no reset gets through it.
func (c *conn) admission() admission {
	c.mu.Lock()
	defer c.mu.Unlock()
	there, back := c.up.bend.Load(), c.down.bend.Load()
	switch {
	case there.cut || back.cut:
		return stall
	case there.refuse:
		return refuse
	}
	c.admitted = true
	return admit
}

// connect dials the instance. One that does not answer counts as a refused dial.
func (c *conn) connect(target netip.AddrPort) bool {
	server, err := c.reach(target)
	if errors.Is(err, errUnopened) {
		return false
	}
	if err != nil {
		c.up.lane.refused.Add(1)
		if c.front.Gentle {
			c.close()
		}
		return false
	}
	c.mu.Lock()
	over := c.over
	c.server = server
	c.mu.Unlock()
	if over || c.down.from(server) != nil {
		reset(server)
		return false
	}
	c.down.to(c.caller)
	c.up.to(server)
	return true
}

// reach returns a connection to the instance.
func (c *conn) reach(target netip.AddrPort) (*net.TCPConn, error) {
	if c.sealed != nil {
		return c.sealed.open(c, target)
	}
	return c.front.dial(target)
}

// refuseLive resets the connection because of a rule.
func (c *conn) refuseLive() {
	c.mu.Lock()
	admitted := c.admitted && !c.over
	c.mu.Unlock()
	if admitted {
		c.up.lane.reset()
		hitAll(c.up.bend.Load().refuses)
		c.abort()
	}
}

// resetByRule resets the connection because of a rule of the lane, nil: one that was cleared.
func (c *conn) resetByRule(l *lane, t *tally) {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if !over {
		l.reset()
		t.hit()
		c.abort()
	}
}

// closeByRule closes the connection because of a rule of the lane: what was written arrives, and then the end. The tally is
// nil for a rule that counts something else.
func (c *conn) closeByRule(l *lane, t *tally) {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if !over {
		l.closed.Add(1)
		t.hit()
		c.hangUp()
	}
}

// poke tells a dial that is held that the rules changed.
func (c *conn) poke() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// abort ends the connection with a reset of both halves.
func (c *conn) abort() { c.end(reset) }

// close ends the connection after both directions were closed properly.
func (c *conn) close() { c.end(func(t *net.TCPConn) { t.Close() }) }

func (c *conn) end(how func(*net.TCPConn)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.over = true
	close(c.done)
	how(c.caller)
	if c.server != nil {
		how(c.server)
	}
}

// reset closes t with a RST. Without a linger of 0 a close sends FIN, and RST only if data is unread.
func reset(t *net.TCPConn) {
	_ = t.SetLinger(0)
	_ = t.Close()
}

// texts returns the rules on both directions.
func (c *conn) texts() []string {
	there, back := c.up.bend.Load().texts, c.down.bend.Load().texts
	return append(there[:len(there):len(there)], back...)
}

// A source reads a socket without holding a buffer while there is nothing to read,
// so that thousands of idle connections cost no buffers.
type source struct {
	raw  syscall.RawConn
	mesh *Mesh
	try  func(fd uintptr) bool
	buf  *[chunkBytes]byte
	n    int
	err  error
}

func newSource(m *Mesh, t *net.TCPConn) (*source, error) {
	raw, err := t.SyscallConn()
	s := &source{raw: raw, mesh: m}
	s.try = s.tryRead
	return s, err
}

// read waits for data. It returns none at the end of the stream. The data is
// valid until release.
func (s *source) read() ([]byte, error) {
	if err := s.raw.Read(s.try); err != nil {
		return nil, err
	}
	if s.err != nil || s.n == 0 {
		s.release()
		return nil, s.err
	}
	return s.buf[:s.n], nil
}

func (s *source) tryRead(fd uintptr) bool {
	if s.buf == nil {
		s.buf = s.mesh.pool.Get().(*[chunkBytes]byte)
	}
	for {
		s.n, s.err = syscall.Read(int(fd), s.buf[:])
		switch s.err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			s.release()
			return false
		}
		return true
	}
}

// steal gives the buffer away: whoever has it puts it back.
func (s *source) steal() *[chunkBytes]byte {
	buf := s.buf
	s.buf = nil
	return buf
}

func (s *source) release() {
	if s.buf != nil {
		s.mesh.pool.Put(s.buf)
		s.buf = nil
	}
}

// awaitAbort waits, after the end of the stream, for a reset of the connection. It
// returns false when the connection was closed here instead.
func (s *source) awaitAbort() bool {
	return s.raw.Read(isAborted) == nil
}

// aborted says whether the connection has gone without our closing it.
func (s *source) aborted() bool {
	gone := false
	_ = s.raw.Control(func(fd uintptr) { gone = isAborted(fd) })
	return gone
}
