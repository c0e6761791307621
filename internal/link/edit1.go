package link

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// An edit1 bends the requests of an HTTP/1.1 connection. What no rule hits passes byte for byte.
//
// Each request has a turn, in order: its response is passed on, or made here, when those before it are
// whole. From the first thing that could be read in two ways, everything passes as it is.
type edit1 struct {
	*desk
	there, back message
	midHead     bool   // a part of the head being read had passed before the editing began
	held        []byte // of the request's head, until it is whole
	heldBack    []byte // of the response's head
	turns       []*turn
	sending     *turn // whose request is being read
	status      int   // of the response being read, 0: before its head
	ordinal     uint64
	seen        int64 // bytes from the caller
	rawThere    bool
	rawBack     bool

	first  string // of the head that was just read
	fields []field
}

// A turn is one request and its response.
type turn struct {
	method  string
	plan    *plan // nil: nothing is done
	made    bool  // the response is made here
	whole   bool  // of a made one: the request has come
	expects bool  // the caller waits for a 100
	last    bool  // the connection ends after it
	raw     bool  // from here on all passes
	left    int64 // of a body that is truncated
	swapped bool  // the body was replaced
}

// resume1 continues where a tap stands.
func resume1(d *desk, h *http1, before int64) *edit1 {
	e := &edit1{desk: d, there: h.there, back: h.back, ordinal: h.begun, seen: before}
	e.there.line, e.back.line = slices.Clone(h.there.line), slices.Clone(h.back.line)
	e.there.head, e.back.head = e.requestHead, e.responseHead
	e.midHead = e.there.state == inHead && len(e.there.line) > 0
	for _, f := range h.waiting {
		e.turns = append(e.turns, &turn{method: f.x.Method})
	}
	if len(e.turns) > 0 && !h.back.informed {
		e.status = h.waiting[0].x.Status
	}
	return e
}

func (e *edit1) request(data []byte, at time.Duration) bool {
	if e.tap != nil {
		e.tap.request(data, at)
	}
	for len(data) > 0 && !e.rawThere {
		head := e.there.state == inHead
		n, _, ok := e.there.read(data)
		if n == 0 && ok {
			return false
		}
		part := data[:n]
		if !ok {
			part = data
		}
		data = data[len(part):]
		e.seen += int64(len(part))
		e.requestPart(part, head, at)
		if !ok {
			e.giveUp()
		}
	}
	e.toServer.add(data)
	return true
}

// requestPart deals with bytes of one head or of one body.
func (e *edit1) requestPart(part []byte, head bool, at time.Duration) {
	switch {
	case !head && e.sending != nil && e.sending.made:
	case !head || e.midHead:
		e.toServer.add(part)
	default:
		e.held = append(e.held, part...)
		if e.there.state == inHead && !mayBeHead(e.there.line) { // nobody may wait for the rest
			e.giveUp()
		}
	}
	if head && e.first != "" {
		e.headWhole(at)
	}
	if e.there.whole() && e.sending != nil {
		e.sending.whole = true
		e.sending = nil
		e.answer(at)
	}
}

// mayBeHead says whether a request's head can begin so.
func mayBeHead(head []byte) bool {
	line, _, whole := bytes.Cut(head, []byte("\n"))
	return !whole || bytes.Contains(line, []byte(" HTTP/1."))
}

func (e *edit1) requestHead(head []byte) (framing, bool) {
	first, fields := fieldsOf(head)
	is, ok := lengthOf(fields)
	parts := strings.SplitN(first, " ", 3)
	if !ok || len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") || len(e.turns) >= maxPipelined {
		return framing{}, false
	}
	e.first, e.fields = first, fields
	return is, true
}

// headWhole decides about the request whose head was just read.
func (e *edit1) headWhole(at time.Duration) {
	parts := strings.SplitN(e.first, " ", 3)
	fields := e.fields
	e.first, e.fields = "", nil
	e.ordinal++
	t := &turn{method: parts[0]}
	e.turns = append(e.turns, t)
	e.sending = t
	if e.midHead {
		e.midHead = false
		return
	}
	head := e.held
	e.held = nil
	if unclear(head, fields, parts[2] == "HTTP/1.0") {
		e.held = head
		e.turns = e.turns[:len(e.turns)-1]
		e.giveUp()
		return
	}
	t.last = closes(fields, parts[2] == "HTTP/1.0")
	t.plan = e.judge(e.ordinal, request{method: parts[0], target: parts[1], fields: lowered(fields), ordinal: e.ordinal,
		before: e.seen - int64(len(head)), at: at})
	e.follow(t, head, fields, at)
	e.answer(at)
}

// follow does to the request what its plan says.
func (e *edit1) follow(t *turn, head []byte, fields []field, at time.Duration) {
	p := t.plan
	if p != nil && p.abort != nil {
		t.made, t.expects = true, expects(fields)
		return
	}
	if p != nil && p.delay > 0 {
		e.bench.did(&p.request, p.delays...)
		e.toServer.next(at+p.delay, p)
	}
	e.toServer.add(head)
}

// answer sends what is made here and whose turn it is.
func (e *edit1) answer(at time.Duration) {
	for len(e.turns) > 0 && e.turns[0].made && !e.over {
		t := e.turns[0]
		if !t.whole {
			if t.expects {
				t.expects = false
				e.toClient.add([]byte("HTTP/1.1 100 Continue\r\n\r\n"))
			}
			return
		}
		e.turns = e.turns[1:]
		if due := t.plan.at + t.plan.delay; due > at {
			e.toClient.next(due, t.plan)
			e.bench.did(&t.plan.request, t.plan.delays...)
		}
		e.bench.did(&t.plan.request, t.plan.abort)
		e.toClient.add(answer1(t.plan.abort, t.last))
		if t.last {
			e.finish(closedHere)
		}
	}
}

func (e *edit1) response(data []byte, at time.Duration) bool {
	for len(data) > 0 && !e.rawBack && !e.over {
		if len(e.turns) == 0 || e.turns[0].raw || e.turns[0].made { // an answer to nothing
			e.rawBack = true
			e.giveUp()
			break
		}
		t, head := e.turns[0], e.back.state == inHead
		n, body, ok := e.back.read(data)
		if !ok || n == 0 {
			e.rawBack = true
			e.toClient.add(e.heldBack)
			e.giveUp()
			break
		}
		e.responsePart(t, data[:n], body, head)
		data = data[n:]
		e.responseWhole(t, at)
	}
	if !e.over {
		e.toClient.add(data)
	}
	return true
}

// responsePart deals with bytes of one head or of one body.
func (e *edit1) responsePart(t *turn, part []byte, body int, head bool) {
	switch {
	case !t.plan.touchesResponse():
		e.toClient.add(part)
	case head:
		e.heldBack = append(e.heldBack, part...)
		if e.back.state != inHead || len(e.back.line) == 0 {
			e.headBack(t)
		}
	case t.swapped:
	case t.plan.truncate != nil && int64(body) > t.left:
		e.toClient.add(part[:t.left])
		e.bench.did(&t.plan.request, t.plan.truncate)
		if e.back.state == inRest {
			e.finish(resetByEnd) // a proper end would say that the body is whole
			return
		}
		e.finish(closedByRule)
	default:
		t.left -= int64(body)
		e.toClient.add(part)
	}
}

// headBack changes the head of a response.
func (e *edit1) headBack(t *turn) {
	head := e.heldBack
	e.heldBack = nil
	if e.back.informed || e.status == 101 || t.method == "CONNECT" {
		e.toClient.add(head)
		return
	}
	p := t.plan
	hasBody := t.method != "HEAD" && e.status != 204 && e.status != 304
	if p.truncate != nil {
		t.left = p.truncate.Bytes
	}
	edits := p.edits()
	e.bench.did(&p.request, p.headers...)
	if p.body != nil && hasBody {
		edits = append(edits, ofBody(p.body.Value)...)
	}
	head = edited1(head, edits)
	e.toClient.add(head)
	if p.body == nil || !hasBody {
		return
	}
	t.swapped = true
	e.bench.did(&p.request, p.body)
	body := []byte(p.body.Value)
	if p.truncate != nil && p.truncate.Bytes < int64(len(body)) {
		e.toClient.add(body[:p.truncate.Bytes])
		e.bench.did(&p.request, p.truncate)
		e.finish(closedByRule)
		return
	}
	e.toClient.add(body)
}

// responseWhole goes on to the next turn where a response has ended.
func (e *edit1) responseWhole(t *turn, at time.Duration) {
	if e.back.informed || e.status == 0 || !e.back.whole() {
		return
	}
	status := e.status
	e.status = 0
	e.turns = e.turns[1:]
	if status == 101 || t.method == "CONNECT" && status/100 == 2 {
		e.rawBack = true
		e.letPass()
		return
	}
	e.answer(at)
}

func (e *edit1) responseHead(head []byte) (framing, bool) {
	first, fields := fieldsOf(head)
	parts := strings.SplitN(first, " ", 3)
	if len(parts) < 2 || !strings.HasPrefix(parts[0], "HTTP/1.") || len(parts[1]) != 3 {
		return framing{}, false
	}
	status, ok := digits(parts[1], 10)
	if !ok || status < 100 {
		return framing{}, false
	}
	if e.back.informed = status < 200 && status != 101; e.back.informed {
		return framing{}, true
	}
	e.status = int(status)
	method := e.turns[0].method
	if method == "HEAD" || status == 101 || status == 204 || status == 304 || method == "CONNECT" && status/100 == 2 {
		return framing{}, true
	}
	length, ok := lengthOf(fields)
	if doubtful(fields, false) {
		return framing{}, false
	}
	length.toEnd = !length.chunked && !length.known
	return length, ok
}

// giveUp lets all pass from now on, since it could be read in different ways. Where the request being read is
// swallowed nobody can know what is still of it, and the connection ends.
func (e *edit1) giveUp() {
	if e.rawThere {
		return
	}
	e.unclear()
	if e.sending != nil && e.sending.made {
		e.finish(resetByEnd)
	}
	e.letPass()
}

// letPass lets all that the caller sends from now on pass.
func (e *edit1) letPass() {
	e.rawThere, e.sending = true, nil
	e.toServer.add(e.held)
	e.held = nil
	e.turns = append(e.turns, &turn{raw: true})
}

// finish ends the connection.
func (e *edit1) finish(how ending) {
	e.over = true
	e.toClient.end(how)
}

// requestEnded lets the beginning of a request go that was not ended.
func (e *edit1) requestEnded() {
	e.toServer.add(e.held)
	e.held = nil
}

// responseEnded lets the beginning of a response go that was not ended.
func (e *edit1) responseEnded() {
	e.toClient.add(e.heldBack)
	e.heldBack = nil
}

func (e *edit1) release(time.Duration) (next time.Duration) { return 0 }

// unclear says that receivers could read the head, and so what follows it, in different ways.
func unclear(head []byte, fields []field, old bool) bool {
	head = bytes.TrimLeft(head, "\r\n")
	for line := range bytes.SplitAfterSeq(head, []byte("\n")) {
		text, ends := bytes.CutSuffix(line, []byte("\r\n"))
		if len(line) > 0 && !ends || bytes.IndexByte(text, '\r') >= 0 || bytes.IndexByte(text, 0) >= 0 ||
			len(text) > 0 && (text[0] == ' ' || text[0] == '\t') {
			return true
		}
	}
	lines := bytes.Count(head, []byte("\n")) - 2
	return lines != len(fields) || doubtful(fields, old)
}

// doubtful says that the header does not say once how long the body is.
func doubtful(fields []field, old bool) bool {
	lengths, codings := 0, 0
	for _, f := range fields {
		if f.name == "" || strings.TrimRight(f.name, " \t") != f.name {
			return true
		}
		switch strings.ToLower(f.name) {
		case "content-length":
			lengths++
		case "transfer-encoding":
			codings++
			if !strings.EqualFold(f.value, "chunked") || old {
				return true
			}
		}
	}
	return lengths+codings > 1
}

// closes says whether the caller wants the connection to end after the response.
func closes(fields []field, old bool) bool {
	for _, f := range fields {
		if strings.EqualFold(f.name, "connection") {
			for token := range strings.SplitSeq(strings.ToLower(f.value), ",") {
				switch strings.TrimSpace(token) {
				case "close":
					return true
				case "keep-alive":
					old = false
				}
			}
		}
	}
	return old
}

func expects(fields []field) bool {
	return slices.ContainsFunc(fields, func(f field) bool {
		return strings.EqualFold(f.name, "expect") && strings.EqualFold(f.value, "100-continue")
	})
}
