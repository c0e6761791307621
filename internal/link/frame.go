package link

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameRSTStream    = 0x3
	frameSettings     = 0x4
	framePushPromise  = 0x5
	frameGoAway       = 0x7
	frameContinuation = 0x9

	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20

	maxBlock  = 256 << 10 // of one header block, encoded, and again decoded
	maxTable  = 1 << 20   // of a dynamic table that a peer may ask for
	maxString = 64 << 10  // of one name or value
)

// A frame is an HTTP/2 frame. Its payload is kept only where it says something of the exchange, and until the next frame.
type frame struct {
	kind, flags byte
	stream      uint32
	length      int
	payload     []byte
}

func (f *frame) has(flag byte) bool { return f.flags&flag != 0 }

// framer cuts one direction of an HTTP/2 connection into frames, as it comes.
type framer struct {
	skip   int // bytes of the preface still to come
	header []byte
	frame  frame
	room   []byte // of payloads before, for the next
	left   int
	inside bool // in a payload
	first  bool // a frame was read
	blocks blocks
}

// read calls on for each frame that data completes. It returns false on what is no HTTP/2.
func (r *framer) read(data []byte, on func(*frame) bool) bool {
	n := min(r.skip, len(data))
	r.skip -= n
	data = data[n:]
	for len(data) > 0 {
		if !r.inside {
			n := min(9-len(r.header), len(data))
			r.header = append(r.header, data[:n]...)
			data = data[n:]
			if len(r.header) < 9 {
				return true
			}
			if !r.begin() {
				return false
			}
		}
		n := min(r.left, len(data))
		if keeps(r.frame.kind) {
			r.frame.payload = append(r.frame.payload, data[:n]...)
		}
		r.left -= n
		data = data[n:]
		if r.left > 0 {
			return true
		}
		r.inside = false
		if !on(&r.frame) {
			return false
		}
		r.keep(r.frame.payload)
	}
	return true
}

// keep keeps the room of a payload for the next, unless it is much.
func (r *framer) keep(payload []byte) {
	r.frame.payload = nil
	if cap(payload) <= 4<<10 {
		r.room = payload[:0]
	}
}

// begin reads a frame's header.
func (r *framer) begin() bool {
	h := r.header
	r.frame = frame{kind: h[3], flags: h[4], stream: binary.BigEndian.Uint32(h[5:]) &^ (1 << 31),
		length: int(h[0])<<16 | int(h[1])<<8 | int(h[2]), payload: r.room}
	r.header = h[:0]
	r.left, r.inside = r.frame.length, true
	if !r.first && r.frame.kind != frameSettings {
		return false
	}
	r.first = true
	return !keeps(r.frame.kind) || r.frame.length <= maxBlock
}

func keeps(kind byte) bool {
	switch kind {
	case frameHeaders, frameContinuation, framePushPromise, frameRSTStream, frameGoAway, frameSettings:
		return true
	}
	return false
}

// body returns the payload without padding and priority, and with a promise's stream cut off.
func (f *frame) body() ([]byte, bool) {
	p := f.payload
	pad, cut := 0, 0
	if f.has(flagPadded) {
		if len(p) == 0 {
			return nil, false
		}
		pad, p = int(p[0]), p[1:]
	}
	if f.kind == frameHeaders && f.has(flagPriority) {
		cut = 5
	}
	if f.kind == framePushPromise {
		cut = 4
	}
	if pad+cut > len(p) {
		return nil, false
	}
	return p[cut : len(p)-pad], true
}

// blocks puts header blocks together and decodes them. Every block must be decoded,
// since each changes the table of the next.
type blocks struct {
	decoder *hpack.Decoder
	begun   frame // the HEADERS or PUSH_PROMISE that is not ended
	open    bool  // there is one
	block   []byte
	fields  []field
	bytes   int
}

func (b *blocks) init() {
	b.decoder = hpack.NewDecoder(4096, func(f hpack.HeaderField) {
		if b.bytes += len(f.Name) + len(f.Value); b.bytes <= maxBlock && len(b.fields) < 4*maxHeaders {
			b.fields = append(b.fields, field{f.Name, f.Value})
		}
	})
	b.decoder.SetAllowedMaxDynamicTableSize(maxTable)
	b.decoder.SetMaxStringLength(maxString)
}

// add adds a frame. When its block is whole it returns the frame that began it and its fields, both valid until the next frame.
func (b *blocks) add(f *frame) (begun *frame, fields []field, ok bool) {
	part := f.payload
	if f.kind == frameContinuation {
		if !b.open || b.begun.stream != f.stream {
			return nil, nil, false
		}
	} else {
		if part, ok = f.body(); !ok || b.open {
			return nil, nil, false
		}
		b.begun, b.open = *f, true
		b.begun.payload = nil
		if b.block = b.block[:0]; cap(b.block) > 4<<10 {
			b.block = nil
		}
	}
	if b.block = append(b.block, part...); len(b.block) > maxBlock {
		return nil, nil, false
	}
	if !f.has(flagEndHeaders) {
		return nil, nil, true
	}
	b.open, b.bytes = false, 0
	if b.fields = b.fields[:0]; cap(b.fields) > maxHeaders {
		b.fields = nil
	}
	if _, err := b.decoder.Write(b.block); err != nil {
		return nil, nil, false
	}
	return &b.begun, b.fields, b.decoder.Close() == nil
}
