package link

import (
	"bytes"
	"strings"
)

// A field is one line of a header.
type field struct{ name, value string }

// A framing says where a body ends.
type framing struct {
	bytes   int64
	known   bool // bytes was said
	chunked bool
	toEnd   bool // at the end of the connection
}

type messageState uint8

const (
	inHead    messageState = iota
	inBody                 // left bytes of it
	inSize                 // the line that says a chunk's size
	inChunk                // left bytes of it, line end included
	inTrailer              // lines after the last chunk
	inRest                 // all that comes
)

// A message reads one direction of an HTTP/1.1 connection as it comes, message after message.
type message struct {
	state    messageState
	line     []byte // of the head, the chunk's size or the trailer, as far as it came
	left     int64
	crlf     int64                             // of left, the line end after a chunk
	informed bool                              // the head read last was a 1xx, and another follows
	head     func(head []byte) (framing, bool) // what it is given it must not keep
}

// whole says that the next byte belongs to another message.
func (m *message) whole() bool { return m.state == inHead && len(m.line) == 0 }

// read reads a part of data that does not reach into the next message, and returns its
// length and how much of it is body. It returns false on what is no HTTP.
func (m *message) read(data []byte) (n, body int, ok bool) {
	switch m.state {
	case inHead:
		n, ok = m.readHead(data)
		return n, 0, ok
	case inBody, inChunk:
		n = int(min(m.left, int64(len(data))))
		before := max(m.left-m.crlf, 0)
		m.left -= int64(n)
		body = int(before - max(m.left-m.crlf, 0))
		m.bodyRead()
		return n, body, true
	case inSize, inTrailer:
		n, ok = m.readLine(data)
		return n, 0, ok
	}
	return len(data), len(data), true
}

func (m *message) bodyRead() {
	switch {
	case m.left > 0:
	case m.state == inChunk:
		m.state = inSize
	default:
		m.state = inHead
	}
}

// readHead collects up to the empty line, then asks how long the body is. A head that comes whole, as nearly all do, is read where it is.
func (m *message) readHead(data []byte) (int, bool) {
	begin := 0
	if len(m.line) == 0 {
		begin = len(data) - len(bytes.TrimLeft(data, "\r\n")) // some send an empty line between messages
	}
	for n := begin; ; {
		end := bytes.IndexByte(data[n:], '\n')
		if end < 0 {
			m.line = append(m.line, data[begin:]...)
			return len(data), len(m.line) <= maxHead
		}
		n += end + 1
		head := data[begin:n]
		if len(m.line) > 0 {
			m.line = append(m.line, head...)
			head, begin = m.line, n
		}
		if len(head) > maxHead {
			return 0, false
		}
		if endsHead(head) {
			return n, m.headRead(head)
		}
	}
}

func endsHead(head []byte) bool {
	return bytes.HasSuffix(head, []byte("\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n"))
}

func (m *message) headRead(head []byte) bool {
	is, ok := m.head(head)
	m.line = nil
	m.left, m.crlf = 0, 0
	switch {
	case is.chunked:
		m.state = inSize
	case is.toEnd:
		m.state = inRest
	case is.bytes > 0:
		m.state, m.left = inBody, is.bytes
	}
	return ok
}

// readLine collects one line of chunked framing.
func (m *message) readLine(data []byte) (int, bool) {
	end := bytes.IndexByte(data, '\n')
	n := end + 1
	if end < 0 {
		n = len(data)
	}
	if m.line = append(m.line, data[:n]...); len(m.line) > maxHead {
		return 0, false
	}
	if end < 0 {
		return n, true
	}
	text := strings.TrimRight(string(m.line), "\r\n")
	m.line = m.line[:0]
	if m.state == inSize {
		return n, m.sizeRead(text)
	}
	if text == "" {
		m.state = inHead
	}
	return n, true
}

func (m *message) sizeRead(text string) bool {
	text, _, _ = strings.Cut(text, ";")
	size, ok := digits(strings.TrimSpace(text), 16)
	if !ok || size > 1<<40 {
		return false
	}
	if size == 0 {
		m.state = inTrailer
		return true
	}
	m.state, m.left, m.crlf = inChunk, size+2, 2
	return true
}
