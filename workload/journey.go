// Package workload drives a system: journeys under open-loop load.
//
// A [Journey] is a critical path, as steps with expectations or as a Go
// function. A [Driver] starts runs of journeys on a schedule that is fixed
// before the load starts, so a system that stalls faces the operations it made wait
// (an open loop, no coordinated omission).
package workload

import (
	"context"
	"time"
)

// A Journey is a critical path that can be driven.
type Journey struct {
	Name  string         `json:"name"`
	Owner string         `json:"owner,omitempty"`
	Data  map[string]any `json:"data,omitempty"` // a list: seeded choice; a string that is one {{cel}}: evaluated per run
	Steps []Step         `json:"steps,omitempty"`
	// Func drives the journey instead of Steps. An error is a failed run.
	Func func(ctx context.Context, run *Run) error `json:"-"`
	Pos  string                                    `json:"pos,omitempty"`
}

// A Step is one call and what is expected of it. Exactly one of Call, GRPC, Exec and SQL is set.
// Strings may hold {{cel}} templates; a string that is exactly one keeps the value's type.
type Step struct {
	Call     string            `json:"call,omitempty"` // "POST http://host:port/path"
	Headers  map[string]string `json:"headers,omitempty"`
	JSON     any               `json:"json,omitempty"` // body, encoded as JSON
	Body     string            `json:"body,omitempty"` // body as it is
	GRPC     string            `json:"grpc,omitempty"` // "host:port/package.Service/Method"
	Message  any               `json:"message,omitempty"`
	Protoset string            `json:"protoset,omitempty"` // a FileDescriptorSet; default server reflection
	Exec     []string          `json:"exec,omitempty"`
	SQL      string            `json:"sql,omitempty"` // a URL, with Query
	Query    string            `json:"query,omitempty"`

	Timeout    time.Duration `json:"timeout,omitempty"`    // of one try, default 5s
	Eventually time.Duration `json:"eventually,omitempty"` // tries again this long until Expect holds
	Every      time.Duration `json:"every,omitempty"`      // between tries, default 100ms

	Expect   string            `json:"expect,omitempty"`   // CEL
	Degraded string            `json:"degraded,omitempty"` // CEL: holds where Expect does not: ok, degraded
	Failed   string            `json:"failed,omitempty"`   // CEL: the operation certainly had no effect
	Save     map[string]string `json:"save,omitempty"`     // name: CEL
	Record   []Record          `json:"record,omitempty"`
	Pos      string            `json:"pos,omitempty"`
}

// A Record notes what a step did as an operation on a named object. Key, Value, From and To are CEL.
type Record struct {
	Op     string  `json:"op"` // append, read, write, cas, enqueue, dequeue, add, remove, get, put, delete, txn
	Object string  `json:"object"`
	Key    string  `json:"key,omitempty"`
	Value  string  `json:"value,omitempty"`
	From   string  `json:"from,omitempty"` // cas
	To     string  `json:"to,omitempty"`   // cas
	Ops    []Micro `json:"ops,omitempty"`  // txn
	Pos    string  `json:"pos,omitempty"`
}

// A Micro is what a transaction did to one key of its object. Key and Value are CEL; of a read, Value is over the answer.
type Micro struct {
	Op    string `json:"op"` // append, read, write
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A Load is how often a journey starts.
type Load struct {
	Journey string  `json:"journey"`
	Rate    float64 `json:"rate"` // runs per second
}
