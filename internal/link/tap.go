package link

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// How an exchange ended without a whole response.
const (
	gaveUp     = "caller gave up"
	wasReset   = "reset"
	wasClosed  = "closed"
	unfinished = "unfinished" // the record ended before the exchange
)

// maxEarly is how much an instance may say before its caller does.
const maxEarly = 4 << 10

// A tap reads along with one connection and reports its requests. What it does not
// understand ends the tap, never the connection.
type tap struct {
	mu     sync.Mutex
	log    exchanges
	parser parser // nil until the first bytes say the protocol
	prefix []byte // what the caller sent before that
	early  []byte // what it was sent before that: an HTTP/2 server may speak first
	sealed func() // told where the connection begins with TLS
	off    bool
	gaveUp bool          // the caller closed its direction or reset
	gaveAt time.Duration // when
}

// A parser understands one protocol. After it returned false it is not called again.
type parser interface {
	request(data []byte, at time.Duration) bool
	response(data []byte, at time.Duration) bool
	responseEnded(at time.Duration)
}

func newTap(c *conn) *tap {
	return &tap{sealed: func() { c.up.lane.sealed.Add(1) }, log: exchanges{
		template: history.Exchange{Src: c.src, Dst: c.dst, Conn: c.id},
		recorder: c.mesh.recorder.Load, now: c.mesh.now, faults: c.texts, names: &c.mesh.names,
		counting: func() bool { return c.mesh.attempts.Load() != nil },
		attempt:  func(f *flight) int { return c.mesh.attempts.Load().count(f, c.mesh.opts.ServiceOf) },
	}}
}

// request reads bytes that the caller sent.
func (t *tap) request(data []byte, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	if t.off {
		return
	}
	if t.parser == nil {
		data = t.detect(data)
	}
	if t.parser == nil {
		return
	}
	ok := t.parser.request(data, at)
	if len(t.early) > 0 {
		ok = ok && t.parser.response(t.early, at)
		t.early = nil
	}
	if !ok {
		t.stop()
	}
}

// response reads bytes that the caller was sent.
func (t *tap) response(data []byte, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	switch {
	case t.off:
	case t.parser == nil && len(t.early)+len(data) <= maxEarly:
		t.early = append(t.early, data...)
	case t.parser == nil:
		t.stop()
	case !t.parser.response(data, at):
		t.stop()
	}
}

// survive ends the tap where its parser is wrong about what can happen: the
// bytes of the system under test matter more.
func (t *tap) survive() {
	if recover() != nil {
		t.stop()
	}
}

// stop ends the tap. What was in flight has no end that we could see.
func (t *tap) stop() {
	t.off, t.parser, t.prefix, t.early = true, nil, nil, nil
	t.log.endAll(unfinished, t.log.now())
}

// detect chooses the parser by the caller's first bytes, and returns what it must read.
func (t *tap) detect(data []byte) []byte {
	t.prefix = append(t.prefix, data[:min(len(data), len(preface))]...)
	rest := data[min(len(data), len(preface)):]
	switch {
	case bytes.HasPrefix(t.prefix, preface):
		t.parser = newHTTP2(&t.log)
	case bytes.HasPrefix(preface, t.prefix): // too few yet
		return nil
	case startsRequest(t.prefix):
		t.parser = newHTTP1(&t.log)
	default:
		if t.prefix[0] == startOfTLS && t.sealed != nil {
			t.sealed()
		}
		t.stop()
		return nil
	}
	all := append(t.prefix, rest...)
	t.prefix = nil
	return all
}

// startsRequest says whether HTTP/1.1 could begin so: with a method of capitals.
func startsRequest(prefix []byte) bool {
	for i, b := range bytes.TrimLeft(prefix, "\r\n") {
		if b == ' ' {
			return i > 0
		}
		if (b < 'A' || b > 'Z') && b != '-' {
			return false
		}
	}
	return true
}

// callerEnded notes that the caller closed its direction, or reset.
func (t *tap) callerEnded(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.gaveUp {
		t.gaveUp, t.gaveAt = true, at
	}
}

// callerGone ends what is in flight: the caller that had closed is not there any more.
func (t *tap) callerGone() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log.endAll(gaveUp, t.gaveAt)
}

// responseEnded notes that the caller was told the end of the instance's direction.
func (t *tap) responseEnded(at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	if t.parser != nil {
		t.parser.responseEnded(at)
	}
	t.endAll(wasClosed, at)
}

// endAll ends what is in flight, by the caller's doing where it left first.
func (t *tap) endAll(err string, at time.Duration) {
	if t.gaveUp {
		err, at = gaveUp, t.gaveAt
	}
	t.log.endAll(err, at)
}

// finish ends what is in flight when the connection is over.
func (t *tap) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endAll(wasReset, t.log.now())
	t.off, t.parser = true, nil
}

// flush ends what is in flight for a recorder that is being switched off.
func (t *tap) flush(r *recorder[history.Exchange]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.log.now()
	for _, f := range slices.Clone(t.log.open) {
		if f.recorder == r {
			f.recorder = nil
			f.x.Error, f.x.End = unfinished, now
			f.put(r)
		}
	}
}

// faulted notes that rules came into force.
func (t *tap) faulted(texts []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.log.open {
		f.fault(texts)
	}
}

// exchanges are the requests of a connection that have begun and not ended.
type exchanges struct {
	template history.Exchange
	recorder func() *recorder[history.Exchange]
	now      func() time.Duration
	faults   func() []string
	names    *names
	counting func() bool
	attempt  func(*flight) int
	open     []*flight // in order of begin
}

// reads says whether anybody wants to know the header of the flight.
func (e *exchanges) reads(f *flight) bool {
	return f.recorder != nil || e.counting != nil && e.counting()
}

// attemptOf returns the how manieth attempt the flight is, 0 where nobody counts.
func (e *exchanges) attemptOf(f *flight) int {
	if e.attempt == nil {
		return 0
	}
	return e.attempt(f)
}

// maxFlights is how many requests one connection may have in flight for the tap.
const maxFlights = 4096

// A flight is one exchange that has begun. Its times are the mesh's.
type flight struct {
	x        history.Exchange
	recorder *recorder[history.Exchange] // nil: nobody records
	key      uint64                      // of its connection: the stream, or the how manieth request
	attempt  int                         // as far as rules count them, else 0
}

// begin adds a request, or returns nil when there are too many.
func (e *exchanges) begin(at time.Duration) *flight {
	if len(e.open) >= maxFlights {
		return nil
	}
	f := &flight{x: e.template, recorder: e.recorder()}
	f.x.Start = at
	f.fault(e.faults())
	e.open = append(e.open, f)
	return f
}

// end reports the exchange and forgets it.
func (e *exchanges) end(f *flight, err string, at time.Duration) {
	if i := slices.Index(e.open, f); i >= 0 {
		e.open = slices.Delete(e.open, i, i+1)
	}
	f.x.Error, f.x.End = err, at
	if f.recorder != nil && f.recorder == e.recorder() {
		f.put(f.recorder)
	}
}

func (e *exchanges) endAll(err string, at time.Duration) {
	for len(e.open) > 0 {
		e.end(e.open[0], err, at)
	}
}

// put hands the exchange over, in the times of the recorder's clock.
func (f *flight) put(r *recorder[history.Exchange]) {
	x := f.x
	x.Request = f.key
	x.Start += r.offset
	x.End = max(x.End+r.offset, x.Start)
	if x.First != 0 {
		x.First += r.offset
	}
	r.put(x)
}

func (f *flight) fault(texts []string) {
	for _, text := range texts {
		if !slices.Contains(f.x.Faults, text) {
			f.x.Faults = append(f.x.Faults, text)
		}
	}
}

// answered notes a byte of the response.
func (f *flight) answered(at time.Duration) {
	if f.x.First == 0 {
		f.x.First = max(at, 1)
	}
}
