package link

import (
	"encoding/binary"
	"time"
)

// preface is what an HTTP/2 connection without TLS begins with.
var preface = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

// http2 reads both directions of an HTTP/2 connection: gRPC, and HTTP with prior knowledge.
type http2 struct {
	log         *exchanges
	there, back framer
	streams     map[uint32]*flight
	last        uint32 // the highest stream the caller opened
	window      int64  // that the caller's streams begin with
	at          time.Duration
}

func newHTTP2(log *exchanges) *http2 {
	h := &http2{log: log, streams: map[uint32]*flight{}, window: 1<<16 - 1}
	h.there.skip = len(preface)
	h.there.blocks.init()
	h.back.blocks.init()
	return h
}

func (h *http2) request(data []byte, at time.Duration) bool {
	h.at = at
	return h.there.read(data, h.fromCaller)
}

func (h *http2) response(data []byte, at time.Duration) bool {
	h.at = at
	return h.back.read(data, h.fromInstance)
}

// responseEnded does nothing: a stream without its end is not whole.
func (h *http2) responseEnded(time.Duration) {}

func (h *http2) fromCaller(f *frame) bool {
	switch f.kind {
	case frameHeaders, frameContinuation:
		begun, fields, ok := h.there.blocks.add(f)
		if !ok || begun == nil {
			return ok
		}
		return h.asked(begun.stream, fields)
	case framePushPromise:
		return false
	case frameData:
		if x := h.streams[f.stream]; x != nil {
			x.x.RequestBytes += int64(f.length)
		}
	case frameRSTStream:
		h.end(f.stream, gaveUp)
	case frameSettings:
		if window, ok := setting(f.flags, f.payload, settingWindow); ok {
			h.window = window
		}
	}
	return true
}

// asked begins an exchange at a stream's first header block. A later one is the request's trailer.
func (h *http2) asked(stream uint32, fields []field) bool {
	if stream <= h.last {
		return true
	}
	if stream%2 == 0 {
		return false
	}
	h.last = stream
	f := h.log.begin(h.at)
	if f == nil {
		return false
	}
	f.x.Protocol = "http/2"
	reads := h.log.reads(f)
	for _, field := range fields {
		switch field.name {
		case ":method":
			f.x.Method = clip(field.value, 32)
		case ":path":
			f.setPath(field.value)
		case ":authority":
			f.keep(name{text: "host"}, field.value)
		case ":scheme", ":protocol":
		default:
			if !reads {
				break
			}
			f.header(h.log.names.of(field.name), field.value)
		}
	}
	h.streams[stream] = f
	f.key, f.attempt = uint64(stream), h.log.attemptOf(f)
	return true
}

func (h *http2) fromInstance(f *frame) bool {
	switch f.kind {
	case frameHeaders, frameContinuation, framePushPromise:
		begun, fields, ok := h.back.blocks.add(f)
		if !ok || begun == nil || begun.kind == framePushPromise {
			return ok
		}
		h.answered(begun, fields)
	case frameData:
		if x := h.streams[f.stream]; x != nil {
			x.answered(h.at)
			x.x.ResponseBytes += int64(f.length)
			h.endIf(f)
		}
	case frameRSTStream:
		h.end(f.stream, wasReset)
	case frameGoAway:
		return h.goAway(f.payload)
	}
	return true
}

// answered reads a header block of the response: its head or its trailer.
func (h *http2) answered(begun *frame, fields []field) {
	f := h.streams[begun.stream]
	if f == nil {
		return
	}
	for _, field := range fields {
		switch field.name {
		case ":status":
			status, _ := digits(field.value, 10)
			if status < 200 { // informational: another head follows
				return
			}
			f.x.Status = int(status)
		case "grpc-status":
			f.x.Code = grpcCode(field.value)
		}
	}
	f.answered(h.at)
	h.endIf(begun)
}

func (h *http2) endIf(f *frame) {
	if f.has(flagEndStream) {
		h.end(f.stream, "")
	}
}

func (h *http2) end(stream uint32, err string) {
	if f := h.streams[stream]; f != nil {
		delete(h.streams, stream)
		h.log.end(f, err, h.at)
	}
}

// goAway ends the requests that the instance says it never looked at.
func (h *http2) goAway(payload []byte) bool {
	if len(payload) < 8 {
		return false
	}
	last := binary.BigEndian.Uint32(payload) &^ (1 << 31)
	for stream := range h.streams {
		if stream > last {
			h.end(stream, wasClosed)
		}
	}
	return true
}
