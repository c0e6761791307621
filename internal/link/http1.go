package link

import (
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
func (h *http1) requestHead(first string, fields []field) (framing, bool) {
	parts := strings.SplitN(first, " ", 3)
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") || len(h.waiting) >= maxPipelined {
		return framing{}, false
	}
	f := h.log.begin(h.start)
	if f == nil {
		return framing{}, false
	}
	f.x.Protocol, f.x.Method = "http/1.1", clip(parts[0], 32)
	f.setPath(parts[1])
	for _, field := range fields {
		f.header(field.name, field.value)
	}
	f.x.Deadline, f.x.Protocol = 0, "http/1.1" // a gRPC header means nothing here
	h.begun++
	f.key, f.attempt = h.begun, h.log.attemptOf(f)
	h.sending = f
	h.waiting = append(h.waiting, f)
	return lengthOf(fields)
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
	h.waiting = h.waiting[1:]
	h.log.end(f, err, at)
}

// responseHead says how long the body of the response to the oldest request is.
func (h *http1) responseHead(first string, fields []field) (framing, bool) {
	parts := strings.SplitN(first, " ", 3)
	if len(parts) < 2 || !strings.HasPrefix(parts[0], "HTTP/1.") || len(parts[1]) != 3 {
		return framing{}, false
	}
	status, ok := digits(parts[1], 10)
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
	length, ok := lengthOf(fields)
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

// lengthOf reads the body's length from the header. Two lengths that differ are refused.
func lengthOf(fields []field) (framing, bool) {
	var is framing
	for _, f := range fields {
		switch strings.ToLower(f.name) {
		case "transfer-encoding":
			is.chunked = is.chunked || strings.HasSuffix(strings.ToLower(f.value), "chunked")
		case "content-length":
			n, ok := digits(f.value, 10)
			if !ok || n < 0 || is.known && n != is.bytes {
				return is, false
			}
			is.bytes, is.known = n, true
		}
	}
	return is, true
}

// fieldsOf splits a head into its first line and its fields.
func fieldsOf(head []byte) (first string, fields []field) {
	first, rest, _ := strings.Cut(string(head), "\n") // one copy for all, which lives as long as anything that is kept of it
	long := len(head) > 4<<10
	if long {
		first = strings.Clone(first)
	}
	fields = make([]field, 0, min(strings.Count(rest, "\n"), 2*maxHeaders))
	for line := range strings.Lines(rest) {
		if long {
			line = strings.Clone(line)
		}
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			fields = append(fields, field{name, strings.Trim(value, " \t")})
		}
	}
	return strings.TrimRight(first, "\r"), fields
}
