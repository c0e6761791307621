package link

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	chunkBytes = 64 << 10
	holdBytes  = 4 << 20 // waits at most in one direction of a connection
	itemBytes  = 128     // what a queued item costs besides its data
)

type ending uint8

const (
	notEnd       ending = iota
	endOfData           // FIN
	resetByEnd          // RST
	closedHere          // both ends are closed after an answer that was made here
	closedByRule        // and because of a rule
)

// An item is a chunk of data, or the end of its stream, on its way.
type item struct {
	data  []byte
	buf   *[chunkBytes]byte // that data is in, nil for one of its own
	cargo cargo             // instead of data: bytes that are in the kernel
	end   ending
	at    time.Duration // when it was read
	due   time.Duration // not before, by a rule of requests
	plan  *plan         // that due is of
	n     uint64        // its ordinal in its direction
	held  bool          // a cut held it back, which was counted
}

// A pump moves one direction of a connection.
//
// While its link has no effect and nothing waits, its reader writes each chunk
// itself, as a plain proxy does. Else the reader appends to a queue that a
// second goroutine, started at first need, empties as the effect says.
type pump struct {
	conn    *conn
	lane    *lane
	other   *pump
	up      bool   // dialler -> instance
	ordinal uint64 // of the connection on the lane
	bend    atomic.Pointer[bend]
	starved atomic.Bool // bytes were thrown away
	noted   []*tally    // of rules whose choice is in the journal; guarded by lane.mu
	source  *source
	chunks  uint64 // read so far, by the reader alone
	started bool   // by serve alone

	srcBroken atomic.Bool // a write to the source's socket failed: the end of its data is a reset
	srcEnded  atomic.Bool // the source has sent FIN
	sentEnd   atomic.Bool // FIN was sent to dst
	connected atomic.Bool // dst is set

	writing sync.Mutex      // held while writing; guards what follows
	dst     *net.TCPConn    // nil until connected
	broken  bool            // dst is gone: what comes is dropped, its own reader reports
	passed  int64           // bytes that were written, or thrown away
	raw     syscall.RawConn // of dst
	flow    flow

	hand     sync.Mutex // held by the reader while it has data that is neither written nor queued
	mu       sync.Mutex
	queue    []item
	waiting  int // bytes in queue
	draining bool
	wake     chan struct{} // for the writer: look again
	space    chan struct{} // for the reader: the queue shrank
}

func newPump(c *conn, l *lane, up bool) *pump {
	return &pump{conn: c, lane: l, up: up, wake: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// from sets the socket to read from.
func (p *pump) from(t *net.TCPConn) error {
	s, err := newSource(p.conn.mesh, t)
	p.source = s
	return err
}

// to sets the socket to write to.
func (p *pump) to(t *net.TCPConn) {
	p.writing.Lock()
	p.dst = t
	p.raw, _ = t.SyscallConn() // it fails only for a connection that is none
	p.connected.Store(true)
	p.writing.Unlock()
	p.poke()
}

// start starts the reader, once.
func (p *pump) start() {
	if !p.started {
		p.started = true
		p.conn.wg.Go(p.read)
	}
}

// poke makes whoever waits on the effect look again.
func (p *pump) poke() {
	notify(p.wake)
	p.conn.poke()
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// read moves chunks from the source until its end.
func (p *pump) read() {
	for ; ; p.chunks++ {
		n := p.chunks
		data, err := p.source.read()
		at := p.conn.mesh.now()
		if err != nil || len(data) == 0 {
			p.readEnd(item{end: p.ending(err), at: at, n: n})
			return
		}
		p.lane.bytesIn.Add(int64(len(data)))
		many := len(data) == chunkBytes
		ok := p.take(item{data: data, at: at, n: n})
		p.source.release()
		if !ok || many && !p.splice() {
			return
		}
	}
}

// ending tells FIN from RST. The write that hit the reset takes its error away,
// and then the reader sees what looks like FIN. A connection is also gone when both
// sides have sent FIN, so whether we did is asked last.
func (p *pump) ending(err error) ending {
	if err != nil || p.srcBroken.Load() || p.source.aborted() && !p.other.sentEnd.Load() {
		return resetByEnd
	}
	return endOfData
}

// readEnd sends the end of the stream after the data, and after a FIN waits for the
// reset that may follow, of which nobody would hear before the next write.
func (p *pump) readEnd(it item) {
	select {
	case <-p.conn.done: // the end is ours
		return
	default:
	}
	if e := p.conn.editing.Load(); e != nil {
		e.ended(p, &it)
	}
	if p.up {
		p.conn.tap.callerEnded(it.at)
		if !p.connected.Load() { // the dialler gave up on a dial that is held
			p.conn.abort()
			return
		}
	}
	p.srcEnded.Store(true)
	if !p.send(it) || it.end == resetByEnd {
		return
	}
	if p.source.awaitAbort() && !p.other.sentEnd.Load() {
		p.send(item{end: resetByEnd, at: p.conn.mesh.now(), n: it.n + 1})
	}
}

// send passes the item on: at once when nothing holds it, else through the queue.
// It returns false when the connection is over.
func (p *pump) send(it item) bool {
	if p.sendNow(&it) {
		return true
	}
	return p.push(p.kept(it))
}

// kept returns the item with data that stays valid: in the reader's buffer, which is given away, or where that is mostly empty a copy.
func (p *pump) kept(it item) item {
	if len(it.data) >= chunkBytes/4 {
		it.buf = p.source.steal()
	} else {
		it.data = append([]byte(nil), it.data...)
	}
	return it
}

func (p *pump) sendNow(it *item) bool {
	if p.holds() { // do not wait for the writer, which may be in a long write
		return false
	}
	p.writing.Lock()
	defer p.writing.Unlock()
	return !p.holds() && p.deliver(it)
}

// holds says whether an item must go through the queue. Only the reader appends, and the
// writer removes an item when it is written, so for the reader, holding
// writing, an empty queue means that nothing is on its way.
func (p *pump) holds() bool {
	return !p.connected.Load() || p.conn.editing.Load() != nil || !p.bend.Load().free() || p.queued()
}

// deliver writes the item, and returns false when an interrupt left a rest of it.
// The caller holds writing.
func (p *pump) deliver(it *item) bool {
	switch {
	case it.end == resetByEnd:
		p.conn.abort()
		return true
	case p.broken:
		return true
	case it.end == endOfData:
		p.sendEnd(it.at)
		return true
	case it.end != notEnd:
		p.endHere(it.end)
		return true
	}
	n, err := p.write(it)
	p.wrote(it, n)
	it.skip(n)
	if err == nil {
		return true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return it.size() == 0
	}
	p.broken = true
	p.other.srcBroken.Store(true)
	return true
}

func (p *pump) write(it *item) (n int, err error) {
	if it.cargo.n > 0 {
		return it.cargo.write(p.raw)
	}
	return p.dst.Write(it.data)
}

// size returns how many bytes of data the item still has.
func (it *item) size() int { return len(it.data) + it.cargo.n }

// first returns the item with its first n bytes alone.
func (it *item) first(n int) item {
	part := *it
	if it.cargo.n > 0 {
		part.cargo.n = n
	} else {
		part.data = it.data[:n]
	}
	return part
}

// skip leaves out the first n bytes, which have gone.
func (it *item) skip(n int) {
	if it.cargo.n > 0 {
		it.cargo.n -= n
	} else {
		it.data = it.data[n:]
	}
}

func (p *pump) wrote(it *item, n int) {
	if n == 0 {
		return
	}
	now := p.conn.mesh.now()
	p.passed += int64(n)
	p.lane.wrote(n, now-it.at)
	if p.up {
		return
	}
	// A caller that closed before it had its response gave up, unless it only
	// half-closed. The kernel tells at the first byte that reaches nobody.
	if p.other.srcEnded.Load() && !p.sentEnd.Load() && p.other.source.aborted() {
		p.conn.tap.callerGone()
		return
	}
	if it.cargo.n > 0 {
		p.conn.tap.skip(p.up, int64(n))
		return
	}
	p.conn.tap.response(it.data[:n], now)
}

func (p *pump) sendEnd(at time.Duration) {
	now := p.conn.mesh.now()
	if !p.up {
		p.conn.tap.responseEnded(now)
	}
	p.lane.ends.Add(1)
	p.lane.endWait.Add(int64(now - at))
	p.sentEnd.Store(true)
	ends := p.conn.ends.Add(1)
	_ = p.dst.CloseWrite()
	if ends == 2 {
		p.conn.close()
	}
}

// interrupt makes a write that is under way return.
func (p *pump) interrupt() {
	if t := p.conn.receiver(p); t != nil {
		_ = t.SetWriteDeadline(time.Unix(1, 0))
	}
}

// quiesce returns when the interrupted write has returned. Every later write sees the new effect.
func (p *pump) quiesce() {
	p.writing.Lock()
	defer p.writing.Unlock()
	if t := p.conn.receiver(p); t != nil {
		_ = t.SetWriteDeadline(time.Time{})
	}
}

// receiver returns the socket that p writes to, nil before it is connected.
func (c *conn) receiver(p *pump) *net.TCPConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.up {
		return c.server
	}
	return c.caller
}
