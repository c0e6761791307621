package link

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"golang.org/x/net/http2/hpack"
)

const (
	heldStreamBytes = 1 << 20 // of one delayed request; a longer one is sent early
	heldStreams     = 1 << 10 // delayed requests of one connection; of more the oldest is sent early
)

// An edit2 bends the requests of an HTTP/2 connection, frame by frame.
//
// Header blocks are decoded and encoded again, since one that is left out, or sent later, would change what all
// after it mean. All other frames pass as they are, with the stream's number changed where a delayed request was overtaken:
// a receiver wants streams to begin in order. Streams that were open before pass untouched.
type edit2 struct {
	*desk
	there, back half2
	base        uint32 // streams up to it began before the editing
	lastCaller  uint32 // the highest stream that the caller began
	lastServer  uint32 // and that the server saw
	shifted     bool   // some streams have another number at the server
	leaving     bool   // the server said GOAWAY
	streams     map[uint32]*stream
	byServer    map[uint32]*stream
	held        []*stream // in order of due
	window      int64     // of a new stream, as the caller wants it
	debt        int64     // bytes of body made here, of which the server does not know that the connection's window has shrunk
	owedCaller  uint32    // flow control to give back: bytes that were swallowed
	owedServer  uint32
	ended, cuts closed // streams that were ended here, by the caller's numbers and by the server's
	ordinal     uint64
	seen        int64 // bytes from the caller
	at          time.Duration
	tapped      bool // the tap was in the middle of a frame that passes
}

// A stream is one that began since the connection is edited.
type stream struct {
	caller, server           uint32 // its numbers; server is 0 while it did not begin there
	plan                     *plan
	due                      time.Duration
	held                     []byte // frames that wait for due
	heldData                 uint32 // of them, what counts for flow control
	callerEnded, serverEnded bool
	answered                 bool // the head of the response has come
	cutting                  bool // the body is truncated
	left                     int64
	swapped                  bool   // the body is replaced
	pending                  []byte // of the new body
	window                   int64  // how much of it the caller takes
	tail                     []byte // frames that follow it
}

// newEdit2 begins where a connection stands. base is the highest stream that the caller had begun.
func newEdit2(d *desk, base uint32, window int64, there, back *hpack.Decoder) *edit2 {
	e := &edit2{desk: d, base: base, lastCaller: base, lastServer: base, window: window,
		streams: map[uint32]*stream{}, byServer: map[uint32]*stream{}}
	e.there.out, e.back.out = &d.toServer, &d.toClient
	e.there.resume(there)
	e.back.resume(back)
	return e
}

func (e *edit2) request(data []byte, at time.Duration) bool {
	e.at = at
	if n := min(e.there.pass, len(data)); n > 0 && e.tapped && e.tap != nil {
		e.tap.request(data[:n], at)
	}
	ok := e.there.read(data, e.fromCaller)
	e.seen += int64(len(data))
	e.settle()
	return ok
}

// settle gives back the flow control of what was swallowed.
func (e *edit2) settle() {
	if e.owedCaller > 0 {
		e.back.word(frameWindowUpdate, 0, e.owedCaller)
	}
	if e.owedServer > 0 {
		e.there.word(frameWindowUpdate, 0, e.owedServer)
	}
	e.owedCaller, e.owedServer = 0, 0
}

// old says that a stream is not ours to bend.
func (e *edit2) old(id uint32) bool { return id <= e.base || id%2 == 0 }

func (e *edit2) fromCaller(f raw2) bool {
	id := f.stream()
	switch f.kind() {
	case frameHeaders, frameContinuation:
		begun, ok := e.there.headers(f)
		if ok && begun != nil {
			ok = e.callerHeaders(begun)
		}
		return ok
	case framePushPromise:
		return false
	case frameSettings:
		e.there.forward(f)
		e.settings(f)
		return true
	case framePing, frameGoAway: // of the connection, whatever stream they name
		return e.there.forward(f)
	case framePriority, framePriorityUpdate: // a hint, whose numbers mean something else at the server
		return e.shifted || e.there.forward(f)
	case frameData, frameRSTStream:
		e.tell(f, nil)
	}
	switch {
	case id == 0 && f.kind() == frameWindowUpdate:
		return e.callerGives(f)
	case e.old(id):
		return e.there.forward(f)
	case id > e.lastCaller:
		return f.kind() > frameContinuation // of which nobody knows what it means
	}
	s := e.streams[id]
	switch {
	case s != nil:
		return e.callerFrame(s, f)
	case e.late(f, &e.ended):
		return e.there.forward(f)
	}
	e.owedCaller += flowOf(f)
	return true
}

// tell lets the tap know of a frame from the caller.
func (e *edit2) tell(f raw2, fields []hpack.HeaderField) {
	if e.tap != nil {
		e.tap.called(f.asFrame(), fields, e.at)
	}
}

// flowOf returns what the frame takes of flow control.
func flowOf(f raw2) uint32 {
	if f.kind() != frameData {
		return 0
	}
	return uint32(f.length())
}

// settings notes the window that the caller's streams begin with, by which those that are open grow, too.
func (e *edit2) settings(f raw2) {
	e.back.takes(f)
	window, ok := setting(f.flags(), f.payload(), settingWindow)
	if !ok {
		return
	}
	more := window - e.window
	e.window = window
	for _, id := range slices.Sorted(maps.Keys(e.streams)) {
		if s := e.streams[id]; s.swapped {
			s.window += more
			e.sendBody(s)
		}
	}
}

// setting reads one of SETTINGS. An acknowledgement has none.
func setting(flags byte, payload []byte, id uint16) (value int64, ok bool) {
	for p := payload; len(p) >= 6 && flags&1 == 0; p = p[6:] {
		if binary.BigEndian.Uint16(p) == id {
			value, ok = int64(binary.BigEndian.Uint32(p[2:])), true
		}
	}
	return value, ok
}

// callerGives passes on flow control of the connection, less what was used here.
func (e *edit2) callerGives(f raw2) bool {
	if e.debt == 0 || f.length() != 4 {
		return e.there.forward(f)
	}
	given := int64(binary.BigEndian.Uint32(f.payload()) &^ (1 << 31))
	pay := min(given, e.debt)
	e.debt -= pay
	if given > pay {
		e.there.word(frameWindowUpdate, 0, uint32(given-pay))
	}
	return true
}

// callerHeaders begins a stream, or ends one with the request's trailer.
func (e *edit2) callerHeaders(begun raw2) bool {
	id, end, fields := begun.stream(), begun.flags()&flagEndStream, e.there.fields
	e.tell(begun, fields)
	if id%2 == 0 {
		return false
	}
	if e.old(id) {
		e.there.sendHeaders(frameHeaders, end, id, nil, fields)
		return true
	}
	s := e.streams[id]
	if id > e.lastCaller {
		return e.begin(&stream{caller: id, callerEnded: end != 0}, fields)
	}
	if s == nil {
		if e.late(begun, &e.ended) {
			e.there.sendHeaders(frameHeaders, end, id, nil, fields)
		}
		return true
	}
	s.callerEnded = s.callerEnded || end != 0
	switch {
	case s.server != 0:
		e.there.sendHeaders(frameHeaders, end, s.server, nil, fields)
		e.endIfWhole(s)
	case s.plan.abort == nil:
		s.held = e.there.encode(s.held, frameHeaders, end, id, nil, fields)
	}
	return true
}

// begin decides about a new request.
func (e *edit2) begin(s *stream, fields []hpack.HeaderField) bool {
	e.lastCaller = s.caller
	e.streams[s.caller] = s
	e.ordinal++
	q := request{fields: fields, ordinal: e.ordinal, before: e.seen, at: e.at}
	for _, f := range fields {
		switch f.Name {
		case ":method":
			q.method = f.Value
		case ":path":
			q.target = f.Value
		}
	}
	s.plan = e.judge(uint64(s.caller), q)
	end := byte(0)
	if s.callerEnded {
		end = flagEndStream
	}
	switch {
	case s.plan != nil && s.plan.delay > 0 && !e.leaving:
		s.held = e.there.encode(nil, frameHeaders, end, s.caller, nil, fields)
		e.hold(s)
	case s.plan != nil && s.plan.abort != nil:
		e.answer(s)
	default:
		e.number(s)
		e.there.sendHeaders(frameHeaders, end, s.server, nil, fields)
	}
	return true
}

// number gives a stream the number that it has at the server.
func (e *edit2) number(s *stream) {
	s.server = s.caller
	if s.server <= e.lastServer {
		s.server = e.lastServer + 2
		e.shifted = true
	}
	e.lastServer = s.server
	e.byServer[s.server] = s
}

// answer makes the response to a request that the server never sees.
func (e *edit2) answer(s *stream) {
	e.owedCaller += s.heldData
	e.back.sendHeaders(frameHeaders, flagEndStream, s.caller, nil, answer2(s.plan.abort, s.plan.isGRPC()))
	if !s.callerEnded {
		e.back.word(frameRSTStream, s.caller, errorNone)
	}
	e.bench.did(&s.plan.request, s.plan.abort)
	e.endHere(s)
}

// endHere forgets a stream that was ended here, of which its ends may not know yet.
func (e *edit2) endHere(s *stream) {
	e.ended.add(s.caller)
	e.cuts.add(s.server)
	e.forget(s)
}

// late says that a frame of a stream that is over passes, since its receiver knows better what it thinks of that. It
// does not where the stream was ended here, or its number at the receiver is not known any more.
func (e *edit2) late(f raw2, ended *closed) bool {
	return !e.shifted && (f.kind() == frameData || f.kind() == frameHeaders) && !ended.has(f.stream())
}

func (e *edit2) forget(s *stream) {
	delete(e.streams, s.caller)
	delete(e.byServer, s.server)
	if i := slices.Index(e.held, s); i >= 0 {
		e.held = slices.Delete(e.held, i, i+1)
	}
}

func (e *edit2) endIfWhole(s *stream) {
	if s.callerEnded && s.serverEnded && len(s.pending)+len(s.tail) == 0 {
		e.forget(s)
	}
}

// hold lets a request wait.
func (e *edit2) hold(s *stream) {
	s.due = e.at + s.plan.delay
	i, _ := slices.BinarySearchFunc(e.held, s.due+1, func(h *stream, due time.Duration) int { return int(h.due - due) })
	e.held = slices.Insert(e.held, i, s)
	if len(e.held) > heldStreams {
		e.letGo(e.held[0])
	}
}

func (e *edit2) release(now time.Duration) (next time.Duration) {
	for _, s := range slices.Clone(e.held) {
		if s.due <= now || !s.plan.waits() {
			e.letGo(s)
		}
	}
	e.settle()
	if len(e.held) > 0 {
		next = e.held[0].due
	}
	return next
}

// letGo sends a request that waited.
func (e *edit2) letGo(s *stream) {
	e.held = slices.DeleteFunc(e.held, func(h *stream) bool { return h == s })
	e.bench.did(&s.plan.request, s.plan.delays...)
	if s.plan.abort != nil {
		e.answer(s)
		return
	}
	e.number(s)
	for rest := s.held; len(rest) > 0; {
		f := raw2(rest[:9+lengthOfFrame(rest)])
		f.setStream(s.server)
		rest = rest[len(f):]
	}
	e.there.send(s.held)
	s.held, s.heldData = nil, 0
}

// callerFrame deals with a frame of a stream that is not over.
func (e *edit2) callerFrame(s *stream, f raw2) bool {
	if f.kind() == frameData && f.has(flagEndStream) {
		s.callerEnded = true
	}
	switch {
	case s.server == 0 && f.kind() == frameRSTStream:
		e.owedCaller += s.heldData
		e.endHere(s)
		return true
	case s.server == 0 && s.plan.abort != nil:
		e.owedCaller += flowOf(f)
		return true
	case s.server == 0:
		s.held = append(s.held, f...)
		s.heldData += flowOf(f)
		if len(s.held) > heldStreamBytes {
			e.letGo(s)
		}
		return true
	case s.swapped && f.kind() == frameWindowUpdate && f.length() == 4:
		s.window += int64(binary.BigEndian.Uint32(f.payload()) &^ (1 << 31))
		e.sendBody(s)
		return true
	}
	f.setStream(s.server)
	e.there.forward(f)
	if f.kind() == frameRSTStream {
		e.forget(s)
	} else {
		e.endIfWhole(s)
	}
	return true
}

// requestEnded lets go what waits: nothing can follow the end.
func (e *edit2) requestEnded() {
	for _, s := range slices.Clone(e.held) {
		e.letGo(s)
	}
	e.settle()
}

func (e *edit2) responseEnded() {}
