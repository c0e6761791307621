package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// An Operation is one run of a journey that is shown whole: its steps, and every exchange of its trace.
type Operation struct {
	ID        uint64        `json:"id"`
	Journey   string        `json:"journey"`
	Why       []string      `json:"why"` // "slowest", "first failures", "witness of …", "commonest error"
	Client    string        `json:"client,omitempty"`
	Outcome   string        `json:"outcome"`
	Degraded  bool          `json:"degraded,omitempty"`
	Scheduled time.Duration `json:"scheduled"`
	Call      time.Duration `json:"call"`
	Return    time.Duration `json:"return"`
	Error     string        `json:"error,omitempty"`
	Trace     string        `json:"trace,omitempty"`
	Parts     []Part        `json:"parts,omitempty"`     // steps and model operations
	Exchanges []Exchange    `json:"exchanges,omitempty"` // attempts, in order of start
	More      int           `json:"more,omitempty"`      // exchanges and parts beyond those
}

// A Part is a step or a model operation of a journey's run.
type Part struct {
	ID      uint64        `json:"id"`
	Kind    string        `json:"kind"`
	Name    string        `json:"name"`
	Object  string        `json:"object,omitempty"`
	Input   string        `json:"input,omitempty"` // as JSON, shortened
	Outcome string        `json:"outcome"`
	Call    time.Duration `json:"call"`
	Return  time.Duration `json:"return"`
	Error   string        `json:"error,omitempty"`
}

// An Exchange is one attempt of a request on a link.
type Exchange struct {
	Src      string        `json:"src"`
	Dst      string        `json:"dst"`
	Protocol string        `json:"protocol"`
	Method   string        `json:"method"`
	Path     string        `json:"path"`
	Start    time.Duration `json:"start"`
	First    time.Duration `json:"first,omitempty"`
	End      time.Duration `json:"end"`
	Status   int           `json:"status,omitempty"`
	Code     string        `json:"code,omitempty"`
	Deadline time.Duration `json:"deadline,omitempty"`
	Error    string        `json:"error,omitempty"`
	Attempt  int           `json:"attempt"`
	Faults   []string      `json:"faults,omitempty"`
	Other    bool          `json:"other,omitempty"` // of another trace, and the same idempotency key
}

// OK says whether the exchange ended with a good answer.
func (x Exchange) OK() bool {
	return x.Error == "" && x.Status < 400 && x.Status > 0 && (x.Code == "" || x.Code == "OK")
}

const mostParts = 60 // steps, and exchanges, that are shown of one operation

// trail collects the operations that are to be shown whole. Wanted ones are known from the first reading; their steps
// stand before them in the file, so it is read a second time.
type trail struct {
	mu     sync.Mutex
	wanted map[uint64]*Operation
	traces map[string][]*Operation
	keys   map[string][]*Operation // by idempotency key
	raw    map[*Operation][]history.Exchange
}

func newTrail() *trail {
	return &trail{wanted: map[uint64]*Operation{}, traces: map[string][]*Operation{}, keys: map[string][]*Operation{}, raw: map[*Operation][]history.Exchange{}}
}

// want asks for an operation, for a reason.
func (t *trail) want(id uint64, why string) {
	o := t.wanted[id]
	if o == nil {
		o = &Operation{ID: id}
		t.wanted[id] = o
	}
	if !slices.Contains(o.Why, why) {
		o.Why = append(o.Why, why)
	}
}

// follow reads the wanted operations, their parts and their exchanges.
func (t *trail) follow(dir, name string, workers int, service func(string) string) ([]Operation, []Damage) {
	if len(t.wanted) == 0 {
		// Nothing is to be shown, but what is damaged is to be said.
		damage := eachLine(filepath.Join(dir, "exchanges.jsonl"), name+"/exchanges.jsonl", each(workers, func(line []byte) error {
			return members(line, func(_, _ []byte) bool { return true })
		}))
		return nil, damages(damage)
	}
	_ = eachLine(filepath.Join(dir, "ops.jsonl"), name+"/ops.jsonl", each(workers, t.opLine)) // its damage is known from the first reading
	for _, o := range t.wanted {
		if o.Trace != "" {
			t.traces[o.Trace] = append(t.traces[o.Trace], o)
		}
	}
	damage := eachLine(filepath.Join(dir, "exchanges.jsonl"), name+"/exchanges.jsonl", each(workers, t.exchangeLine))
	if t.learnKeys() {
		_ = eachLine(filepath.Join(dir, "exchanges.jsonl"), name+"/exchanges.jsonl", each(workers, t.keyLine))
	}
	return t.operations(service), damages(damage)
}

func damages(d *Damage) []Damage {
	if d == nil {
		return nil
	}
	return []Damage{*d}
}

func each(workers int, handle func([]byte) error) []func([]byte) error {
	return slices.Repeat([]func([]byte) error{handle}, workers)
}

// opLine keeps a line of ops.jsonl that is a wanted operation or part of one.
func (t *trail) opLine(line []byte) error {
	var id, parent uint64
	err := members(line, func(key, value []byte) bool { // both come first
		n, _ := whole(value)
		switch string(key) {
		case "id":
			id = uint64(n)
			return true
		case "parent":
			parent = uint64(n)
		}
		return false
	})
	if err != nil || t.wanted[id] == nil && t.wanted[parent] == nil {
		return err
	}
	var o op
	if err := readOp(line, &o); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if whole := t.wanted[id]; whole != nil {
		whole.Journey, whole.Outcome, whole.Degraded = unquote(o.journey), o.outcome.String(), o.degraded
		whole.Scheduled, whole.Call, whole.Return = o.scheduled, o.call, o.return_
		whole.Client, whole.Error, whole.Trace = unquote(o.client), cut(unquote(o.error), keptText), string(bare(o.trace))
	}
	if whole := t.wanted[parent]; whole != nil {
		if len(whole.Parts) >= 4*mostParts {
			whole.More++
			return nil
		}
		whole.Parts = append(whole.Parts, Part{ID: o.id, Kind: string(bare(o.kind)), Name: cut(unquote(o.name), keptText), Object: unquote(o.object),
			Input: cut(string(o.input), 200), Outcome: o.outcome.String(), Call: o.call, Return: o.return_, Error: cut(unquote(o.error), keptText)})
	}
	return nil
}

// exchangeLine keeps a line of exchanges.jsonl whose trace is that of a wanted operation.
func (t *trail) exchangeLine(line []byte) error {
	var trace []byte
	err := members(line, func(key, value []byte) bool {
		if string(key) == "traceparent" {
			trace = traceOf(value)
		}
		return true
	})
	if err != nil {
		return err
	}
	return t.keepExchange(line, t.traces[string(trace)])
}

// traceOf returns the trace-id of a traceparent in quotes.
func traceOf(value []byte) []byte {
	if len(value) < 37 {
		return nil
	}
	return value[4:36]
}

func (t *trail) keepExchange(line []byte, of []*Operation) error {
	if len(of) == 0 {
		return nil
	}
	var x history.Exchange
	if err := json.Unmarshal(line, &x); err != nil {
		return err
	}
	x.Header = nil
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range of {
		if len(t.raw[o]) >= 4*mostParts {
			o.More++
			continue
		}
		t.raw[o] = append(t.raw[o], x)
	}
	return nil
}

// learnKeys notes the idempotency keys of the exchanges found: a retry may start a trace of its own.
func (t *trail) learnKeys() bool {
	for o, exchanges := range t.raw {
		for _, x := range exchanges {
			if x.Idempotency != "" && !slices.Contains(t.keys[x.Idempotency], o) {
				t.keys[x.Idempotency] = append(t.keys[x.Idempotency], o)
			}
		}
	}
	return len(t.keys) > 0
}

// keyLine keeps an exchange of another trace that carries the idempotency key of a wanted operation.
func (t *trail) keyLine(line []byte) error {
	at := bytes.Index(line, []byte(`"idempotency":"`))
	if at < 0 {
		return nil
	}
	value := line[at+len(`"idempotency":"`):]
	end := bytes.IndexByte(value, '"')
	if end < 0 {
		return nil
	}
	var others []*Operation
	trace := line[bytes.Index(line, []byte(`"traceparent":`))+len(`"traceparent":`):]
	for _, o := range t.keys[string(value[:end])] {
		if o.Trace != string(traceOf(trace)) {
			others = append(others, o)
		}
	}
	return t.keepExchange(line, others)
}

// operations returns what was found, in order of schedule.
func (t *trail) operations(service func(string) string) []Operation {
	var list []Operation
	for _, o := range t.wanted {
		if o.Outcome == "" {
			continue // a witness whose record cannot be read
		}
		slices.SortFunc(o.Parts, func(a, b Part) int { return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.ID, b.ID)) })
		o.exchanges(t.raw[o], service)
		if extra := len(o.Parts) - mostParts; extra > 0 {
			o.Parts, o.More = o.Parts[:mostParts], o.More+extra
		}
		slices.Sort(o.Why)
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Scheduled, b.Scheduled), cmp.Compare(a.ID, b.ID))
	})
	return list
}

func (o *Operation) exchanges(raw []history.Exchange, service func(string) string) {
	slices.SortFunc(raw, func(a, b history.Exchange) int { // the order of reading is not that of the file
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.Conn, b.Conn), cmp.Compare(a.Path, b.Path))
	})
	history.NumberAttempts(raw, service)
	if extra := len(raw) - mostParts; extra > 0 {
		raw, o.More = raw[:mostParts], o.More+extra
	}
	for _, x := range raw {
		o.Exchanges = append(o.Exchanges, Exchange{Src: x.Src, Dst: x.Dst, Protocol: x.Protocol, Method: x.Method, Path: cut(x.Path, keptText),
			Start: x.Start, First: x.First, End: x.End, Status: x.Status, Code: x.Code, Deadline: x.Deadline, Error: cut(x.Error, keptText),
			Attempt: x.Attempt, Faults: x.Faults, Other: x.Trace() != o.Trace})
	}
}
