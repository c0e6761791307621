package link

import (
	"strings"
	"time"

	"golang.org/x/net/http2/hpack"
)

// An editor bends the requests of one connection. It gets the bytes of both directions and leaves in the desk's
// outboxes what is to be sent. It is not safe for concurrent use.
type editor interface {
	// request and response return false when the connection cannot go on: what is meant by the bytes is not known,
	// and they cannot pass as they are any more.
	request(data []byte, at time.Duration) bool
	response(data []byte, at time.Duration) bool
	requestEnded()
	responseEnded()
	// release sends requests that fell due, and returns when it must be called again, 0: need not.
	release(now time.Duration) (next time.Duration)
}

// A desk is what every editor has.
type desk struct {
	toServer, toClient outbox
	bench              *bench
	over               bool   // the editor has ended the connection
	tap                *tap   // reads along; nil: none
	unclear            func() // counts what could not be edited
}

// judge makes a plan for a request, nil where nothing is done. The tap knows it by key.
func (d *desk) judge(key uint64, q request) *plan {
	q.stream = key
	if d.tap != nil {
		q.flight, q.attempt = d.tap.find(key)
	}
	return d.bench.judge(q)
}

// lowered returns fields as HTTP/2 has them.
func lowered(fields []field) []hpack.HeaderField {
	all := make([]hpack.HeaderField, len(fields))
	for i, f := range fields {
		all[i] = hpack.HeaderField{Name: strings.ToLower(f.name), Value: f.value}
	}
	return all
}
