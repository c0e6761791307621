// Package trace carries a W3C trace context through the shop: in an HTTP header, in gRPC metadata and in event headers.
//
//	parent, ok := trace.Parse(r.Header.Get(trace.Header))
//	next := parent.Child() // same trace, a new span
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// Header is the name under which a context travels, in HTTP, gRPC and events alike.
const Header = "traceparent"

// Context is one position in a trace. The zero value belongs to no trace.
type Context struct {
	TraceID string // 32 hex digits
	SpanID  string // 16 hex digits
}

type contextKey struct{}

// New starts a trace.
func New() Context { return Context{TraceID: randomHex(16), SpanID: randomHex(8)} }

// Child is a new span in the same trace; of the zero Context, a new trace.
func (c Context) Child() Context {
	if c.TraceID == "" {
		return New()
	}
	return Context{TraceID: c.TraceID, SpanID: randomHex(8)}
}

// String is the traceparent text, or "" for the zero Context.
func (c Context) String() string {
	if c.TraceID == "" {
		return ""
	}
	return "00-" + c.TraceID + "-" + c.SpanID + "-01"
}

// Parse reads traceparent text. What is malformed or all zero is no context.
func Parse(text string) (Context, bool) {
	parts := strings.Split(text, "-")
	if len(parts) < 4 || len(parts[0]) != 2 || !isID(parts[1], 32) || !isID(parts[2], 16) {
		return Context{}, false
	}
	return Context{TraceID: parts[1], SpanID: parts[2]}, true
}

// With returns ctx carrying c.
func With(ctx context.Context, c Context) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns what With put there, or the zero Context.
func From(ctx context.Context) Context {
	c, _ := ctx.Value(contextKey{}).(Context)
	return c
}

func isID(text string, digits int) bool {
	return len(text) == digits && strings.Trim(text, "0123456789abcdef") == "" && strings.Trim(text, "0") != ""
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: it crashes the program rather than return an error
	return hex.EncodeToString(b)
}
