package link

import (
	"encoding/binary"
	"strings"
	"time"

	"golang.org/x/net/http2/hpack"

	"github.com/assay-dev/assay/system"
)

func (e *edit2) response(data []byte, at time.Duration) bool {
	e.at = at
	ok := e.back.read(data, e.fromServer)
	e.settle()
	return ok
}

func (e *edit2) fromServer(f raw2) bool {
	id := f.stream()
	switch f.kind() {
	case frameHeaders, frameContinuation, framePushPromise:
		begun, ok := e.back.headers(f)
		if ok && begun != nil {
			ok = e.serverHeaders(begun)
		}
		return ok
	case frameGoAway:
		return e.goAway(f)
	case frameSettings:
		e.there.takes(f)
		return e.back.forward(f)
	case framePing: // of the connection, whatever stream they name
		return e.back.forward(f)
	case framePriority:
		return e.shifted || e.back.forward(f)
	}
	if e.old(id) {
		return e.back.forward(f)
	}
	s := e.byServer[id]
	if s == nil && id <= e.lastServer && e.late(f, &e.cuts) {
		return e.back.forward(f)
	}
	if s == nil { // one that is over, or never was
		e.swallowed(int64(flowOf(f)))
		return id <= e.lastServer || f.kind() > frameContinuation
	}
	if f.kind() == frameData {
		return e.serverData(s, f)
	}
	f.setStream(s.caller)
	e.back.forward(f)
	if f.kind() == frameRSTStream {
		e.forget(s)
	}
	return true
}

// swallowed gives back to the server what the caller did not get, as far as the caller did not get other bytes instead.
func (e *edit2) swallowed(n int64) {
	pay := min(n, e.debt)
	e.debt -= pay
	e.owedServer += uint32(n - pay)
}

// serverHeaders deals with a header block: a response's head, its trailer, or a promise.
func (e *edit2) serverHeaders(begun raw2) bool {
	id, end, fields := begun.stream(), begun.flags()&flagEndStream, e.back.fields
	s := e.byServer[id]
	switch {
	case begun.kind() == framePushPromise:
		return e.promise(begun, s)
	case e.old(id):
		e.back.sendHeaders(frameHeaders, end, id, nil, fields)
		return true
	case s == nil && id <= e.lastServer && e.late(begun, &e.cuts):
		e.back.sendHeaders(frameHeaders, end, id, nil, fields)
		return true
	case s == nil:
		return id <= e.lastServer
	}
	s.serverEnded = s.serverEnded || end != 0
	status := statusIn(fields)
	switch {
	case !s.plan.touchesResponse() || strings.HasPrefix(status, "1"):
		e.back.sendHeaders(frameHeaders, end, s.caller, nil, fields)
	case !s.answered:
		s.answered = true
		e.head(s, status, end, fields)
	default:
		fields = edited2(fields, s.plan.edits(), true)
		if s.swapped {
			s.tail = e.back.encode(s.tail, frameHeaders, end, s.caller, nil, fields)
			e.sendBody(s)
			return true
		}
		e.back.sendHeaders(frameHeaders, end, s.caller, nil, fields)
	}
	e.endIfWhole(s)
	return true
}

func statusIn(fields []hpack.HeaderField) string {
	for _, f := range fields {
		if f.Name == ":status" {
			return f.Value
		}
	}
	return ""
}

// promise passes on a PUSH_PROMISE. One on a stream that was ended here cannot be answered for, and ends the connection.
func (e *edit2) promise(begun raw2, s *stream) bool {
	id, payload := begun.stream(), begun.payload()
	if begun.has(flagPadded) {
		payload = payload[1:]
	}
	if !e.old(id) {
		if s == nil {
			return false
		}
		id = s.caller
	}
	e.back.sendHeaders(framePushPromise, 0, id, payload[:4], e.back.fields)
	return true
}

// head changes the head of a response that a rule hits.
func (e *edit2) head(s *stream, status string, end byte, fields []hpack.HeaderField) {
	p, grpc := s.plan, s.plan.isGRPC()
	edits := p.edits()
	e.bench.did(&p.request, p.headers...)
	hasBody := p.method != "HEAD" && status != "204" && status != "304" && !(grpc && end != 0)
	if p.truncate != nil {
		s.cutting, s.left = true, p.truncate.Bytes
	}
	if p.body == nil || !hasBody {
		e.back.sendHeaders(frameHeaders, end, s.caller, nil, edited2(fields, edits, false))
		return
	}
	if grpc { // whose messages say how long they are
		edits = append(edits, system.Rule{Name: "content-length"})
	} else {
		edits = append(edits, ofBody(p.body.Value)...)
	}
	s.swapped, s.pending, s.window = true, []byte(p.body.Value), e.window
	e.bench.did(&p.request, p.body)
	e.back.sendHeaders(frameHeaders, 0, s.caller, nil, edited2(fields, edits, false))
	if end != 0 {
		s.tail = endOf(s)
	}
	if s.cutting && s.left < int64(len(s.pending)) {
		s.pending = s.pending[:s.left]
	} else {
		s.cutting = false
	}
	e.sendBody(s)
}

// endOf is an empty frame that ends the response.
func endOf(s *stream) []byte { return appendFrame(nil, frameData, flagEndStream, s.caller, 0) }

// sendBody sends of a new body what the caller takes, and after it what follows.
func (e *edit2) sendBody(s *stream) {
	for len(s.pending) > 0 && s.window > 0 {
		n := min(int64(len(s.pending)), s.window, frameBytes)
		e.back.send(append(appendFrame(nil, frameData, 0, s.caller, int(n)), s.pending[:n]...))
		s.pending = s.pending[n:]
		s.window -= n
		e.debt += n
	}
	if len(s.pending) > 0 {
		return
	}
	if s.cutting {
		e.cut(s)
		return
	}
	e.back.send(s.tail)
	s.tail = nil
	e.endIfWhole(s)
}

// cut ends a response before its end.
func (e *edit2) cut(s *stream) {
	e.back.word(frameRSTStream, s.caller, errorInternal)
	if !s.serverEnded || !s.callerEnded {
		e.there.word(frameRSTStream, s.server, errorCancel)
	}
	e.bench.did(&s.plan.request, s.plan.truncate)
	e.endHere(s)
}

// serverData deals with a part of a response's body.
func (e *edit2) serverData(s *stream, f raw2) bool {
	s.serverEnded = s.serverEnded || f.has(flagEndStream)
	body, ok := f.asFrame().body()
	switch {
	case !ok:
		return false
	case s.swapped:
		e.swallowed(int64(f.length()))
		if f.has(flagEndStream) {
			s.tail = endOf(s)
			e.sendBody(s)
		} else if f.length() > 0 {
			e.there.word(frameWindowUpdate, s.server, uint32(f.length()))
		}
		return true
	case s.cutting && int64(len(body)) > s.left:
		if s.left > 0 {
			e.back.send(append(appendFrame(nil, frameData, 0, s.caller, int(s.left)), body[:s.left]...))
		}
		e.swallowed(int64(f.length()) - s.left)
		e.cut(s)
		return true
	}
	s.left -= int64(len(body))
	f.setStream(s.caller)
	e.back.forward(f)
	e.endIfWhole(s)
	return true
}

// goAway passes on that the server begins no more streams, in the caller's numbers. Requests that it will not answer are
// refused, so that the caller knows that they may be sent again.
func (e *edit2) goAway(f raw2) bool {
	if f.length() < 8 {
		return false
	}
	last := binary.BigEndian.Uint32(f.payload()) &^ (1 << 31)
	if last == 1<<31-1 { // a warning
		return e.back.forward(f)
	}
	e.leaving = true
	highest := min(last, e.base)
	for _, s := range e.streams {
		if s.server == 0 || e.shifted && s.server > last {
			e.back.word(frameRSTStream, s.caller, errorRefused)
			e.owedCaller += s.heldData
			e.endHere(s)
		} else if s.server <= last {
			highest = max(highest, s.caller)
		}
	}
	if e.shifted {
		binary.BigEndian.PutUint32(f.payload(), highest)
	}
	return e.back.forward(f)
}
