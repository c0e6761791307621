package link

import "math"

// opaque returns how many of the next bytes of a direction nobody here needs to see: the rest of a body but for its last byte, or all
// of a protocol that the tap does not understand.
func (t *tap) opaque(up bool) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, isHTTP1 := t.parser.(*http1)
	switch {
	case t.off:
		return math.MaxInt64
	case !isHTTP1:
		return 0
	case up:
		return h.there.opaque()
	}
	return h.back.opaque()
}

// skip notes that bytes passed which opaque had offered.
func (t *tap) skip(up bool, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h, isHTTP1 := t.parser.(*http1)
	switch {
	case t.off || !isHTTP1:
	case up:
		h.there.skip(n)
		if h.sending != nil {
			h.sending.x.RequestBytes += n
		}
	default:
		h.back.skip(n)
		if len(h.waiting) > 0 {
			h.waiting[0].x.ResponseBytes += n
		}
	}
}

func (m *message) opaque() int64 {
	switch m.state {
	case inBody, inChunk:
		return max(m.left-m.crlf-1, 0)
	case inRest:
		return math.MaxInt64
	}
	return 0
}

func (m *message) skip(n int64) {
	if m.state != inRest {
		m.left -= n
	}
}
