package link

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

const (
	framePriority       = 0x2
	framePing           = 0x6
	frameWindowUpdate   = 0x8
	framePriorityUpdate = 0x10 // RFC 9218

	settingWindow   = 0x4
	settingMaxFrame = 0x5

	errorNone     = 0x0
	errorInternal = 0x2
	errorRefused  = 0x7
	errorCancel   = 0x8

	frameBytes    = 16 << 10  // every receiver takes frames of this size
	maxFrame      = 1<<24 - 1 // that can be said
	maxParts      = 1 << 10   // frames of one header block
	maxFieldBytes = 1 << 20   // of one header
)

// A half2 reads one direction of an HTTP/2 connection, frame by frame, and writes it again.
type half2 struct {
	out     *outbox
	later   []byte // to be sent when what passes has passed
	most    int    // bytes of a frame that the receiver takes, as far as is known
	pass    int    // bytes that pass as they are: of the preface, or of the frame that the editing began in
	carry   []byte // of a frame that is not whole
	gone    int    // bytes of it that had passed before
	unbegun bool   // no frame was sent yet: the first must be SETTINGS
	decoder *hpack.Decoder
	fields  []hpack.HeaderField
	size    int
	begun   []byte // the frame, without its payload, that began the header block being read
	parts   int    // frames of it
	block   []byte
	encoder *hpack.Encoder
	encoded bytes.Buffer
}

// A raw2 is a whole frame: its header and its payload.
type raw2 []byte

func (f raw2) kind() byte           { return f[3] }
func (f raw2) flags() byte          { return f[4] }
func (f raw2) has(flag byte) bool   { return f[4]&flag != 0 }
func (f raw2) stream() uint32       { return binary.BigEndian.Uint32(f[5:9]) &^ (1 << 31) }
func (f raw2) setStream(id uint32)  { binary.BigEndian.PutUint32(f[5:9], id) }
func (f raw2) payload() []byte      { return f[9:] }
func (f raw2) length() int          { return len(f) - 9 }
func lengthOfFrame(head []byte) int { return int(head[0])<<16 | int(head[1])<<8 | int(head[2]) }

// asFrame returns the frame as a tap has it.
func (f raw2) asFrame() *frame {
	return &frame{kind: f.kind(), flags: f.flags(), stream: f.stream(), length: f.length(), payload: f.payload()}
}

// resume makes the half continue with a decoder that has read all blocks before.
func (h *half2) resume(d *hpack.Decoder) {
	h.decoder, h.most = d, maxFrame
	d.SetMaxStringLength(maxFieldBytes)
	d.SetEmitFunc(func(f hpack.HeaderField) {
		if h.size += len(f.Name) + len(f.Value) + 32; h.size <= maxFieldBytes {
			h.fields = append(h.fields, f)
		}
	})
	h.encoder = hpack.NewEncoder(&h.encoded)
	h.encoder.SetMaxDynamicTableSize(0)
	_ = h.encoder.WriteField(hpack.HeaderField{}) // takes the size update with it, which each block has anyway
}

// read calls on for each whole frame. A frame is valid until on returns.
func (h *half2) read(data []byte, on func(raw2) bool) bool {
	n := min(h.pass, len(data))
	h.pass -= n
	h.out.add(data[:n])
	data = data[n:]
	h.catchUp()
	if len(h.carry) > 0 {
		h.carry = append(h.carry, data...)
		data = h.carry
		if len(data) >= 9 && len(data) < 9+lengthOfFrame(data) && lengthOfFrame(data) <= h.most {
			return true
		}
	}
	for len(data) >= 9 {
		size := 9 + lengthOfFrame(data)
		if size > 9+h.most { // which nothing mends: a header block would be sent in smaller frames
			return false
		}
		if len(data) < size {
			break
		}
		f := raw2(data[:size:size])
		if h.begun != nil != (f.kind() == frameContinuation) || h.unbegun && f.kind() != frameSettings || !on(f) {
			return false
		}
		data = data[size:]
		h.gone, h.unbegun = 0, false
		h.catchUp()
	}
	h.carry = append(h.carry[:0], data...)
	if len(h.carry) == 0 && cap(h.carry) > 4*frameBytes {
		h.carry = nil
	}
	return true
}

// inside says that what passes now must go first: the rest of a frame, or the connection's beginning.
func (h *half2) inside() bool { return h.pass > 0 || h.gone > 0 || h.unbegun }

func (h *half2) catchUp() {
	if len(h.later) > 0 && !h.inside() {
		h.out.add(h.later)
		h.later = nil
	}
}

// forward sends the frame that is being read as it is.
func (h *half2) forward(f raw2) bool {
	h.out.add(f[h.gone:])
	return true
}

// send sends whole frames.
func (h *half2) send(frames []byte) {
	if h.inside() {
		h.later = append(h.later, frames...)
		return
	}
	h.out.add(frames)
}

// word sends a RST_STREAM or WINDOW_UPDATE.
func (h *half2) word(kind byte, stream, word uint32) {
	var space [13]byte
	h.send(appendWord(space[:0], kind, stream, word))
}

// sendHeaders sends a header block.
func (h *half2) sendHeaders(kind, flags byte, stream uint32, before []byte, fields []hpack.HeaderField) {
	if h.inside() {
		h.later = h.encode(h.later, kind, flags, stream, before, fields)
		return
	}
	last := h.out.last()
	last.data = h.encode(last.data, kind, flags, stream, before, fields)
}

// headers adds a frame of a header block. When the block is whole it returns the header of the frame that began it.
func (h *half2) headers(f raw2) (begun raw2, ok bool) {
	part := f.payload()
	if h.gone > 0 {
		return nil, false
	}
	h.parts++
	if f.kind() == frameContinuation {
		if h.parts > maxParts || f.stream() != raw2(h.begun).stream() {
			return nil, false
		}
	} else {
		if part, ok = f.asFrame().body(); !ok {
			return nil, false
		}
		h.parts = 1
		h.begun = append([]byte(nil), f[:9]...)
		if f.kind() == framePushPromise {
			h.begun = append(h.begun, f.payload()...)
		}
	}
	if h.block = append(h.block, part...); len(h.block) > maxFieldBytes {
		return nil, false
	}
	if !f.has(flagEndHeaders) {
		return nil, true
	}
	begun, h.begun = h.begun, nil
	h.fields, h.size = nil, 0
	_, err := h.decoder.Write(h.block)
	h.block = h.block[:0]
	return begun, err == nil && h.decoder.Close() == nil && h.size <= maxFieldBytes
}

// encode appends a header block to out: frames of kind, begun by what comes before the block.
//
// The receiver's table is emptied and never used: each block begins with a size update to 0 (RFC 7541, 6.3), and so any
// block can be sent at any time, whatever was sent or left out before.
func (h *half2) encode(out []byte, kind, flags byte, stream uint32, before []byte, fields []hpack.HeaderField) []byte {
	h.encoded.Reset()
	h.encoded.Write(before)
	h.encoded.WriteByte(0x20)
	for _, f := range fields {
		_ = h.encoder.WriteField(f) // into memory
	}
	block := h.encoded.Bytes()
	for {
		n := min(len(block), frameBytes)
		if n == len(block) {
			flags |= flagEndHeaders
		}
		out = append(appendFrame(out, kind, flags, stream, n), block[:n]...)
		if block = block[n:]; len(block) == 0 {
			return out
		}
		kind, flags = frameContinuation, 0
	}
}

// takes notes how long a frame the receiver of this half takes, by its settings. It is not noted when that gets less: frames may be under way.
func (h *half2) takes(settings raw2) {
	if most, ok := setting(settings.flags(), settings.payload(), settingMaxFrame); ok {
		h.most = max(h.most, int(min(most, maxFrame)))
	}
}

// appendFrame appends the header of a frame.
func appendFrame(out []byte, kind, flags byte, stream uint32, length int) []byte {
	out = append(out, byte(length>>16), byte(length>>8), byte(length), kind, flags)
	return binary.BigEndian.AppendUint32(out, stream)
}

// appendWord appends a frame whose payload is one number: a RST_STREAM or WINDOW_UPDATE.
func appendWord(out []byte, kind byte, stream, word uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(out, kind, 0, stream, 4), word)
}
