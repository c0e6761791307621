package link

import (
	"slices"
	"strings"
	"time"
)

const (
	maxHead      = 64 << 10 // of one message, and of a chunk's line
	maxPipelined = 1024     // requests that wait for their response
)

// http1 reads both directions of an HTTP/1.1 connection.
type http1 struct {
	log     *exchanges
	there   message
	back    message
	sending *flight   // the request being read
	waiting []*flight // requests without a whole response, in order
	start   time.Duration
	begun   uint64 // requests
}

func newHTTP1(log *exchanges) *http1 {
	h := &http1{log: log}
	h.there.head, h.back.head = h.requestHead, h.responseHead
	return h
}

func (h *http1) request(data []byte, at time.Duration) bool {
	for len(data) > 0 {
		if h.there.state == inHead && len(h.there.line) == 0 {
			h.start = at
		}
		n, body, ok := h.there.read(data)
		if !ok {
			return false
		}
		if h.sending != nil {
			h.sending.x.RequestBytes += int64(body)
		}
		data = data[n:]
	}
	return true
}

// requestHead begins an exchange and says how long the request's body is.
func (h *http1) requestHead(head []byte) (framing, bool) {
	text := string(head) // one copy for all, which lives as long as anything that is kept of it
	kept := func(s string) string { return s }
	if len(text) > 4<<10 {
		kept = strings.Clone
	}
	first, rest := firstLine(text)
	method, first, _ := strings.Cut(first, " ")
	target, version, _ := strings.Cut(first, " ")
	if !strings.HasPrefix(version, "HTTP/1.") || len(h.waiting) >= maxPipelined {
		return framing{}, false
	}
	f := h.log.begin(h.start)
	if f == nil {
		return framing{}, false
	}
	f.x.Method = clip(kept(method), 32)
	f.setPath(kept(target))
	is, ok, reads := framing{}, true, h.log.reads(f)
	for rest != "" {
		var line field
		var has bool
		if line, rest, has = nextField(rest); has {
			ok = is.told(line.name, line.value) && ok
			if reads {
				f.header(h.log.names.of(line.name), kept(line.value))
			}
		}
	}
	f.x.Deadline, f.x.Protocol = 0, "http/1.1" // a gRPC header means nothing here
	h.begun++
	f.key, f.attempt = h.begun, h.log.attemptOf(f)
	h.sending = f
	h.waiting = append(h.waiting, f)
	return is, ok
}

func (h *http1) response(data []byte, at time.Duration) bool {
	for len(data) > 0 {
		if len(h.waiting) == 0 {
			return false // an answer to nothing
		}
		f := h.waiting[0]
		n, body, ok := h.back.read(data)
		if !ok {
			return false
		}
		f.x.ResponseBytes += int64(body)
		data = data[n:]
		if !h.answered(f, at) {
			return false
		}
	}
	return true
}

// answered looks at where the response is, and ends its exchange at its end. It
// returns false when no more HTTP follows.
func (h *http1) answered(f *flight, at time.Duration) bool {
	if f.x.Status == 0 || h.back.informed {
		return true
	}
	f.answered(at)
	if !h.back.whole() {
		return true
	}
	h.end(f, "", at)
	return f.x.Status != 101 && (f.x.Method != "CONNECT" || f.x.Status/100 != 2)
}

func (h *http1) end(f *flight, err string, at time.Duration) {
	h.waiting = slices.Delete(h.waiting, 0, 1) // in place: a new room for each request would cost more
	h.log.end(f, err, at)
}

// responseHead says how long the body of the response to the oldest request is.
func (h *http1) responseHead(head []byte) (framing, bool) {
	first, rest := firstLine(string(head))
	version, code, _ := strings.Cut(first, " ")
	code, _, _ = strings.Cut(code, " ")
	if !strings.HasPrefix(version, "HTTP/1.") || len(code) != 3 {
		return framing{}, false
	}
	status, ok := digits(code, 10)
	if !ok || status < 100 {
		return framing{}, false
	}
	h.back.informed = status < 200 && status != 101
	if h.back.informed {
		return framing{}, true
	}
	f := h.waiting[0]
	f.x.Status = int(status)
	if f.x.Method == "HEAD" || status == 101 || status == 204 || status == 304 || f.x.Method == "CONNECT" && status/100 == 2 {
		return framing{}, true
	}
	length, ok := framingOf(rest)
	if !length.chunked && !length.known {
		length.toEnd = true
	}
	return length, ok
}

// responseEnded ends a response whose length is that of its connection.
func (h *http1) responseEnded(at time.Duration) {
	if h.back.state == inRest && len(h.waiting) > 0 {
		h.end(h.waiting[0], "", at)
	}
}

// told takes in one field of the header. It returns false at lengths that are none, or differ.
func (is *framing) told(name, value string) bool {
	switch {
	case len(name) < len("content-length"):
	case strings.EqualFold(name, "transfer-encoding"):
		is.chunked = is.chunked || strings.HasSuffix(strings.ToLower(value), "chunked")
	case strings.EqualFold(name, "content-length"):
		n, ok := digits(value, 10)
		if !ok || n < 0 || is.known && n != is.bytes {
			return false
		}
		is.bytes, is.known = n, true
	}
	return true
}

// framingOf reads the body's length from the lines of a header.
func framingOf(lines string) (is framing, ok bool) {
	ok = true
	for lines != "" {
		var line field
		line, lines, _ = nextField(lines)
		ok = is.told(line.name, line.value) && ok
	}
	return is, ok
}

// lengthOf reads the body's length from the fields of a header.
func lengthOf(fields []field) (is framing, ok bool) {
	ok = true
	for _, f := range fields {
		ok = is.told(f.name, f.value) && ok
	}
	return is, ok
}

// firstLine splits a head behind its first line.
func firstLine(head string) (first, rest string) {
	first, rest, _ = strings.Cut(head, "\n")
	return strings.TrimRight(first, "\r"), rest
}

// nextField splits lines behind their first, which has a field or not.
func nextField(lines string) (f field, rest string, ok bool) {
	line, rest := lines, ""
	if end := strings.IndexByte(lines, '\n'); end >= 0 {
		line, rest = lines[:end], lines[end+1:]
	}
	line = strings.TrimRight(line, "\r")
	colon := strings.IndexByte(line, ':')
	if colon < 0 {
		return field{name: line}, rest, false
	}
	return field{line[:colon], strings.Trim(line[colon+1:], " \t")}, rest, true
}

// fieldsOf splits a head into its first line and its fields.
func fieldsOf(head []byte) (first string, fields []field) {
	first, rest := firstLine(string(head))
	fields = make([]field, 0, min(strings.Count(rest, "\n"), 2*maxHeaders))
	for rest != "" {
		var f field
		var ok bool
		if f, rest, ok = nextField(rest); ok {
			fields = append(fields, f)
		}
	}
	return first, fields
}
