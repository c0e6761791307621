package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/assay-dev/assay/system"
)

// The protocol between a controller and its holder, and between any other
// client and the holder's socket: one JSON value a line, both ways, on a stream socket.
//
//	→ {"id":1,"verb":"hello","args":{"version":3,"lease":2000000000}}
//	← {"id":1,"result":{"version":3,"id":"shop-1f0c","kind":"plain",...}}
//	→ {"id":2,"verb":"kill","args":{"instance":"orders-1"}}
//	→ {"id":3,"verb":"probe","args":{"instance":"db-1","name":"role"}}
//	← {"id":3,"result":"leader"}
//	→ {"cancel":2}
//	← {"id":2,"error":{"kind":"canceled","text":"..."}}
//
// Requests run concurrently and each gets exactly one last reply; a "start"
// sends progress lines before it: {"id":2,"progress":"orders-1 is ready"}.
// A cancelled request still replies, so that a client knows when the holder let go of it.
//
// The first request on a connection is a hello. Versions that differ end the
// connection with an error that says so; a line that is no request ends only the connection it came on.
//
// What another client breaks is its own to heal: a rule that it set, an instance that it paused or killed. When its
// connection ends, however it ends, the holder heals what it left.
//
// The owner's connection is inherited by the holder at its birth and is the
// lease: {"ping":true} every 300 ms. When the holder tears down without being asked by the owner it says
// {"gone":"reason"} first.

// version is the version of the protocol. Any change of a verb or a field raises it.
const version = 3

const (
	maxLine      = 64 << 20               // bytes of one message; a system with its files is the largest
	defaultLease = 2 * time.Second        // silence of the owner after which everything is torn down
	pingEvery    = 300 * time.Millisecond // six lost pings are needed to lose the default lease
	writeLimit   = 10 * time.Second       // for one message; a peer that does not read is gone
)

// A request is one line from a client.
type request struct {
	ID     int             `json:"id,omitempty"`
	Verb   string          `json:"verb,omitempty"`
	Args   json.RawMessage `json:"args,omitempty"`
	Cancel int             `json:"cancel,omitempty"` // the request to cancel
	Ping   bool            `json:"ping,omitempty"`
}

// A response is one line from the holder.
type response struct {
	ID       int             `json:"id,omitempty"`
	Progress string          `json:"progress,omitempty"` // not the last line for this id
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *wireError      `json:"error,omitempty"`
	Gone     string          `json:"gone,omitempty"` // why the environment is being torn down
}

// helloArgs opens a connection.
type helloArgs struct {
	Version int           `json:"version"`
	Lease   time.Duration `json:"lease,omitempty"`
}

// startArgs starts the environment; only the owner may.
type startArgs struct {
	Kind   string        `json:"kind"`
	ID     string        `json:"id"`
	State  string        `json:"state"`
	LogDir string        `json:"log_dir,omitempty"`
	System system.System `json:"system"`
}

// welcome is what a client must know of an environment; all but Version is empty before it started.
type welcome struct {
	Version int               `json:"version"`
	Info    Info              `json:"info,omitzero"`
	System  system.System     `json:"system,omitzero"`
	Nodes   []system.Instance `json:"nodes,omitempty"`
}

// verbArgs are the arguments of all other verbs; each takes a few of them.
type verbArgs struct {
	Instance string        `json:"instance,omitempty"`
	From     string        `json:"from,omitempty"`
	Host     string        `json:"host,omitempty"`
	Port     int           `json:"port,omitempty"`
	ID       string        `json:"id,omitempty"`
	Links    []system.Link `json:"links,omitempty"`
	Rule     system.Rule   `json:"rule,omitzero"`
	Dir      string        `json:"dir,omitempty"`
	Epoch    time.Duration `json:"epoch,omitempty"`
	Name     string        `json:"name,omitempty"`
	Text     string        `json:"text,omitempty"`
	Lines    int           `json:"lines,omitempty"`
}

// A wireError carries an error with as much of its identity as callers test for.
type wireError struct {
	Kind   string `json:"kind,omitempty"` // "unsupported", "canceled", "deadline", "not-exist", else ""
	Text   string `json:"text"`
	Target string `json:"target,omitempty"`
	Power  string `json:"power,omitempty"`
}

// toWire returns err as it travels, nil for nil.
func toWire(err error) *wireError {
	if err == nil {
		return nil
	}
	w := &wireError{Text: err.Error()}
	var unsupported *system.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		w.Kind, w.Target, w.Power = "unsupported", unsupported.Target, unsupported.Power
	case errors.Is(err, context.Canceled):
		w.Kind = "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		w.Kind = "deadline"
	case errors.Is(err, os.ErrNotExist):
		w.Kind = "not-exist"
	}
	return w
}

// fromWire returns the error that toWire was given, as far as errors.Is and errors.As see.
func fromWire(w *wireError) error {
	if w == nil {
		return nil
	}
	switch w.Kind {
	case "unsupported":
		cause := &system.UnsupportedError{Target: w.Target, Power: w.Power}
		if cause.Error() == w.Text {
			return cause
		}
		return &remoteError{w.Text, cause}
	case "canceled":
		return &remoteError{w.Text, context.Canceled}
	case "deadline":
		return &remoteError{w.Text, context.DeadlineExceeded}
	case "not-exist":
		return &remoteError{w.Text, os.ErrNotExist}
	}
	return errors.New(w.Text)
}

// A remoteError is an error of the holder whose text was made there.
type remoteError struct {
	text  string
	cause error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.cause }

func versionError(theirs int) error {
	return fmt.Errorf("the holder speaks version %d of its protocol and the client version %d: use the assay that started the environment", version, theirs)
}
