// Package history holds what happened in a run, in three record types.
//
// An [Op] is something a client did, an [Event] something that happened to the
// system or to the experiment, and an [Exchange] one request and response seen
// on a link. All times are nanoseconds since the start of the same run, read
// from one monotonic clock, so the three can be laid on one axis.
//
// Records are written as JSON lines and read back as a stream:
//
//	w := history.NewWriter(file)
//	w.Write(history.Op{ID: 1, Client: "c1", Kind: history.Model, Name: "write", Object: "x", Input: history.Int(1)})
package history

import (
	"fmt"
	"time"
)

// An Outcome says what the client knows about an operation's effect.
type Outcome uint8

const (
	Maybe  Outcome = iota // the effect is not known: timeout, reset, crash
	OK                    // the operation took effect, and met its expectation
	Failed                // for a model operation: it certainly did not take effect; else: its expectation was not met
)

var outcomes = [...]string{"maybe", "ok", "failed"}

// String returns the outcome's name.
func (o Outcome) String() string { return name(outcomes[:], uint8(o)) }

// MarshalText writes the outcome's name.
func (o Outcome) MarshalText() ([]byte, error) { return marshalName(outcomes[:], uint8(o)) }

// UnmarshalText reads the outcome's name.
func (o *Outcome) UnmarshalText(text []byte) error {
	return unmarshalName(outcomes[:], "outcome", text, (*uint8)(o))
}

// An OpKind says at which level an operation was recorded.
type OpKind uint8

const (
	Journey OpKind = iota // one run of a whole journey
	Step                  // one step of a journey
	Model                 // an operation on a named object, for checkers
)

var opKinds = [...]string{"journey", "step", "model"}

// String returns the kind's name.
func (k OpKind) String() string { return name(opKinds[:], uint8(k)) }

// MarshalText writes the kind's name.
func (k OpKind) MarshalText() ([]byte, error) { return marshalName(opKinds[:], uint8(k)) }

// UnmarshalText reads the kind's name.
func (k *OpKind) UnmarshalText(text []byte) error {
	return unmarshalName(opKinds[:], "operation", text, (*uint8)(k))
}

// An Op is one client operation. Call and Return are read from the run's
// clock, and the interval between them is closed at both ends. The interval of
// an operation whose outcome is Maybe never ends for a checker of effects: a
// write that timed out may still take effect later. Return is then when the client gave up.
type Op struct {
	ID        uint64        `json:"id"`               // unique in its history, from 1, in order of call
	Parent    uint64        `json:"parent,omitempty"` // the journey that a step or model operation belongs to
	Kind      OpKind        `json:"kind"`
	Client    string        `json:"client"`            // a logical process; its operations of one kind do not overlap
	Journey   string        `json:"journey,omitempty"` // the journey's name, empty for setup and final steps
	Name      string        `json:"name"`              // journey: its name; step: "POST http://api/orders"; model: "append", "read", …
	Object    string        `json:"object,omitempty"`  // model: the named object
	Key       Value         `json:"key,omitzero"`      // model: the part of the object, such as a register's key
	Input     Value         `json:"input,omitzero"`
	Output    Value         `json:"output,omitzero"`
	Outcome   Outcome       `json:"outcome"`
	Degraded  bool          `json:"degraded,omitempty"`  // ok, by the journey's degraded expectation
	Scheduled time.Duration `json:"scheduled,omitempty"` // when the open-loop schedule wanted the call; equal to Call if nobody scheduled it
	Call      time.Duration `json:"call"`
	Return    time.Duration `json:"return"`
	Error     string        `json:"error,omitempty"` // why it is not ok
	Trace     string        `json:"trace,omitempty"` // W3C trace-id, 32 hex digits
}

// Latency is the time from the scheduled arrival to the return, so a stalled
// client counts against the system and not for it (no coordinated omission).
func (o Op) Latency() time.Duration { return o.Return - o.Scheduled }

// An EventKind says what an Event tells.
type EventKind uint8

const (
	Note     EventKind = iota // anything worth a line
	Phase                     // the experiment entered the phase Name
	Inject                    // the fault Name took hold of Target
	Effect                    // the fault's effect was observed, or not, on Target
	Heal                      // the fault Name was healed on Target
	Stop                      // a stop condition was met, or the run was aborted
	State                     // the instance Target became Name: starting, ready, unready, exited, stopped
	Probe                     // the probe Name of the instance Target answered Value
	Leak                      // a connection between instances bypassed the links
	Snapshot                  // a difference between two snapshots of the environment
)

var eventKinds = [...]string{"note", "phase", "inject", "effect", "heal", "stop", "state", "probe", "leak", "snapshot"}

// String returns the kind's name.
func (k EventKind) String() string { return name(eventKinds[:], uint8(k)) }

// MarshalText writes the kind's name.
func (k EventKind) MarshalText() ([]byte, error) { return marshalName(eventKinds[:], uint8(k)) }

// UnmarshalText reads the kind's name.
func (k *EventKind) UnmarshalText(text []byte) error {
	return unmarshalName(eventKinds[:], "event", text, (*uint8)(k))
}

// An Event is something that happened to the system or to the experiment.
type Event struct {
	At     time.Duration `json:"at"`
	Kind   EventKind     `json:"kind"`
	Name   string        `json:"name"`             // phase, fault in its text form, state or probe
	Fault  int           `json:"fault,omitempty"`  // 1 + the index of the method's action, for inject, effect and heal
	Target string        `json:"target,omitempty"` // an instance, or a link "a -> b"
	OK     bool          `json:"ok,omitempty"`     // effect: it was observed
	Value  Value         `json:"value,omitzero"`   // probe: the answer; effect: the measured amounts
	Text   string        `json:"text,omitempty"`   // one sentence for a reader
}

// An Exchange is one request and its response, or the lack of one, as seen on
// the link from Src to Dst. A retry is a second Exchange of the same request.
type Exchange struct {
	Src      string        `json:"src"` // the instance that dialled
	Dst      string        `json:"dst"` // the instance that answered, or the service where none was reached
	Conn     uint64        `json:"conn"`
	Request  uint64        `json:"request,omitempty"` // of its connection: the how manieth, from 1, or over HTTP/2 the stream
	Protocol string        `json:"protocol"`          // "http/1.1", "http/2" or "grpc"
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	Start    time.Duration `json:"start"`           // the request's first byte
	First    time.Duration `json:"first,omitempty"` // the response's first byte, 0 if there was none
	End      time.Duration `json:"end"`             // the response's last byte, or when either side gave up
	Status   int           `json:"status,omitempty"`
	Code     string        `json:"code,omitempty"` // gRPC status name, such as "OK" or "UNAVAILABLE"
	// Deadline is what the caller said it would wait (grpc-timeout), 0 if it said nothing.
	Deadline      time.Duration     `json:"deadline,omitempty"`
	Error         string            `json:"error,omitempty"` // how it ended without a whole response: "caller gave up", "reset", "closed"
	RequestBytes  int64             `json:"request_bytes,omitempty"`
	ResponseBytes int64             `json:"response_bytes,omitempty"`
	Traceparent   string            `json:"traceparent,omitempty"`
	Idempotency   string            `json:"idempotency,omitempty"` // the idempotency key, hashed
	Attempt       int               `json:"attempt,omitempty"`     // 1 for the first Exchange of a request, set by NumberAttempts
	Header        map[string]string `json:"header,omitempty"`      // request headers, secrets redacted
	// Faults are the rules of bytes that were armed on the link while it lasted, and the rules of requests that hit it.
	Faults  []string `json:"faults,omitempty"`
	ByFault bool     `json:"by_fault,omitempty"` // the response was made by a fault: the request did not arrive
	// Lost are the faults, as in Faults, that lost a chunk of its connection while it lasted. Over HTTP/2 what follows a lost chunk
	// waits, whosesoever it is, and so all requests that were in flight say so.
	Lost []string `json:"lost,omitempty"`
}

// Trace returns the trace-id of the exchange's traceparent, or "".
func (x Exchange) Trace() string {
	if len(x.Traceparent) < 35 || x.Traceparent[2] != '-' {
		return ""
	}
	return x.Traceparent[3:35]
}

func name(names []string, i uint8) string {
	if int(i) >= len(names) {
		return fmt.Sprintf("%d", i)
	}
	return names[i]
}

func marshalName(names []string, i uint8) ([]byte, error) {
	if int(i) >= len(names) {
		return nil, fmt.Errorf("%d has no name", i)
	}
	return []byte(names[i]), nil
}

func unmarshalName(names []string, what string, text []byte, to *uint8) error {
	for i, n := range names {
		if n == string(text) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("no %s is called %q (allowed: %v)", what, text, names)
}
