package link

import (
	"bytes"
	"slices"
	"time"

	"golang.org/x/net/http2/hpack"
)

// find returns the exchange that the connection knows by key, and the attempt that it is.
func (t *tap) find(key uint64) (*flight, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.log.open) - 1; i >= 0; i-- {
		if f := t.log.open[i]; f.key == key {
			return f, f.attempt
		}
	}
	return nil, 0
}

// hit notes that a rule had its effect on the exchange.
func (t *tap) hit(f *flight, text string, made bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.fault([]string{text})
	f.x.ByFault = f.x.ByFault || made
}

// lose notes that a rule lost a chunk of the connection.
func (t *tap) lose(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, f := range t.log.open {
		if !slices.Contains(f.x.Lost, text) {
			f.x.Lost = append(f.x.Lost, text)
		}
	}
}

// called reads a frame of an HTTP/2 caller that the editor has decoded.
func (t *tap) called(f *frame, fields []hpack.HeaderField, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	h, ok := t.parser.(*http2)
	if t.off || !ok {
		return
	}
	h.at = at
	if f.kind != frameHeaders {
		ok = h.fromCaller(f)
	} else {
		plain := make([]field, len(fields))
		for i, field := range fields {
			plain[i].name, plain[i].value = field.Name, field.Value
		}
		ok = h.asked(f.stream, plain)
	}
	if !ok {
		t.stop()
	}
}

// begin makes the tap read the protocol that the editor has found.
func (t *tap) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	if t.off || t.parser != nil {
		return
	}
	t.parser = newHTTP2(&t.log)
	if len(t.early) > 0 && !t.parser.response(t.early, t.log.now()) {
		t.stop()
	}
	t.early = nil
}

// resume returns an editor that goes on where the tap stands, which is in the caller's bytes where they were read, and in the
// server's where they were written. It returns nil where that cannot be, with later where it may be after more bytes.
func (t *tap) resume(d *desk, before int64) (e editor, later bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.tap = t
	switch p := t.parser.(type) {
	case *http1:
		return resume1(d, p, before), false
	case *http2:
		if !p.there.divisible() || !p.back.divisible() {
			return nil, true
		}
		return p.resume(d, before), false
	}
	if t.off {
		return nil, false
	}
	if len(t.prefix) > 0 {
		return nil, true
	}
	return &fresh{desk: d, early: bytes.Clone(t.early)}, false
}

// divisible says that an editor can take over here.
func (r *framer) divisible() bool {
	return r.skip == 0 && len(r.header) == 0 && !r.blocks.open && (!r.inside || !keeps(r.frame.kind))
}

// resume gives the decoders to an editor. What the caller is sent from then on needs none that knows what was before.
func (h *http2) resume(d *desk, before int64) *edit2 {
	e := newEdit2(d, h.last, h.window, h.there.blocks.decoder, h.back.blocks.decoder)
	e.seen, e.tapped = before, true
	if h.there.inside {
		e.there.pass = h.there.left
	}
	if h.back.inside {
		e.back.pass = h.back.left
	}
	h.back.blocks.init()
	return e
}

// fresh edits a connection whose protocol is not known yet.
type fresh struct {
	*desk
	prefix []byte // what the caller sent so far, held: it may be the beginning of HTTP/2's preface
	early  []byte // what it was sent: an HTTP/2 server may speak first
	inner  editor
	raw    bool
}

func (e *fresh) request(data []byte, at time.Duration) bool {
	switch {
	case e.inner != nil:
		return e.inner.request(data, at)
	case e.raw:
		e.toServer.add(data)
		return true
	}
	e.prefix = append(e.prefix, data...)
	switch {
	case bytes.HasPrefix(e.prefix, preface):
		if !e.beginHTTP2() {
			return false
		}
	case bytes.HasPrefix(preface, e.prefix): // too few yet
		return true
	case startsRequest(e.prefix) && len(e.early) == 0:
		h := newHTTP1(nil)
		e.inner = resume1(e.desk, h, 0)
	default:
		e.raw = true
		e.unclear()
	}
	all := e.prefix
	e.prefix = nil
	if e.raw && e.tap != nil {
		e.tap.request(all, at)
	}
	return e.request(all, at)
}

func (e *fresh) beginHTTP2() bool {
	if e.tap != nil {
		e.tap.begin()
	}
	var there, back blocks
	there.init()
	back.init()
	inner := newEdit2(e.desk, 0, 1<<16-1, there.decoder, back.decoder)
	inner.there.pass = len(preface)
	inner.there.unbegun, inner.back.unbegun = true, true
	inner.there.most, inner.back.most = frameBytes, frameBytes
	var sent outbox
	inner.back.out = &sent
	ok := inner.back.read(e.early, inner.fromServer)
	inner.back.out, inner.back.gone = &e.toClient, len(inner.back.carry)
	e.inner, e.early = inner, nil
	return ok
}

func (e *fresh) response(data []byte, at time.Duration) bool {
	if e.inner != nil {
		return e.inner.response(data, at)
	}
	e.toClient.add(data)
	if e.early = append(e.early, data...); len(e.early) > maxEarly && !e.raw {
		e.raw = true
		e.unclear()
		e.requestEnded()
	}
	if e.raw {
		e.early = nil
	}
	return true
}

func (e *fresh) requestEnded() {
	if e.inner != nil {
		e.inner.requestEnded()
	}
	e.toServer.add(e.prefix)
	e.prefix = nil
}

func (e *fresh) responseEnded() {
	if e.inner != nil {
		e.inner.responseEnded()
	}
}

func (e *fresh) release(now time.Duration) time.Duration {
	if e.inner == nil {
		return 0
	}
	return e.inner.release(now)
}
