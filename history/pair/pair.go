// Package pair makes operations of events: an invocation and, later, its
// completion by the same process, as Jepsen and its kin write them.
//
//	{:process 0 :type :invoke :f :read}        opens an operation of client "0"
//	{:process 0 :type :ok :f :read :value 1}   ends it: read, ok, output 1
//
// The order of the events is what counts. Their times are kept where they
// increase; one that does not is put a nanosecond after the event before it.
// So call and return are strictly increasing, in the order of the events.
// Only the operations that are open are held in memory.
package pair

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
)

// A Type says what an event is of its operation.
type Type uint8

const (
	Invoke Type = iota + 1 // it begins
	OK                     // it took effect
	Fail                   // it certainly did not take effect
	Info                   // nobody knows
)

var outcomes = [...]history.Outcome{OK: history.OK, Fail: history.Failed, Info: history.Maybe}

// Nemesis is the process whose events are not operations: it breaks the system.
const Nemesis = "nemesis"

// An Event is one line of a history of events.
type Event struct {
	Type     Type
	Process  string
	Name     string // what is done: read, write, txn; of a completion "" is the invocation's
	Key      history.Value
	Value    history.Value
	Error    string
	Time     time.Duration
	Timed    bool // Time was given
	Index    int64
	Indexed  bool // Index was given
	Line     int  // from 1
	Column   int
	Returned bool // of a Fail: the operation returned Value and is ok, such as a cas that found another value
}

// A Record is one operation or one event, with the lines it came from.
type Record struct {
	Op    history.Op
	Event *history.Event // in place of Op
	Line  int            // of the invocation, or of the event
	End   int            // of the completion, 0 where there is none
}

// Stats count what was read.
type Stats struct {
	Events    int           `json:"events,omitempty"` // lines of invocation and completion, and of the nemesis
	Ops       int           `json:"operations"`
	Notes     int           `json:"notes,omitempty"`     // events of the nemesis
	Open      int           `json:"open,omitempty"`      // operations that never completed
	Backwards int           `json:"backwards,omitempty"` // events with a time before that of an event above: they count as later
	Most      time.Duration `json:"most,omitempty"`      // by how much, at most
	Skipped   int           `json:"skipped,omitempty"`   // lines that are not of the history, in a log
}

// An Error is an event that cannot be, or a text that cannot be read, with its place and what to try.
type Error struct {
	Line, Column int // from 1; Column 0 is unknown
	Msg          string
	Try          string // may be empty
}

// Error returns "LINE:COLUMN: what is wrong (what to try)".
func (e *Error) Error() string {
	text := fmt.Sprintf("%d", e.Line)
	if e.Column > 0 {
		text += fmt.Sprintf(":%d", e.Column)
	}
	text += ": " + e.Msg
	if e.Try != "" {
		text += " (" + e.Try + ")"
	}
	return text
}

// MostSkew is how far a time may run backwards where no index says that the order is right. Processes take their times before they
// queue to be written down, so a little disorder is usual; more is two histories in one file, or lines that were moved.
const MostSkew = 5 * time.Second

// Pairs joins events to operations. The zero value is ready.
type Pairs struct {
	Stats Stats

	open  map[string]*opened
	free  []*opened
	ops   uint64
	clock time.Duration
	high  time.Duration // the latest time that an event gave
	index int64
	seen  bool // an index was seen
}

type opened struct {
	op   history.Op
	line int
}

// Add takes the next event. It returns an operation when e completes one, and the nemesis' events as they are.
func (p *Pairs) Add(e *Event) (r Record, done bool, err error) {
	if err := p.advance(e); err != nil {
		return Record{}, false, err
	}
	p.Stats.Events++
	if e.Process == Nemesis {
		p.Stats.Notes++
		note := &history.Event{At: p.clock, Kind: history.Note, Name: e.Name, Value: e.Value, Text: e.Error}
		return Record{Event: note, Line: e.Line}, true, nil
	}
	if e.Type == Invoke {
		return Record{}, false, p.invoke(e)
	}
	return p.complete(e)
}

func (p *Pairs) advance(e *Event) error {
	if e.Indexed {
		if p.seen && e.Index <= p.index {
			return at(e, "index %d comes after index %d: an event is there twice, or lines were moved", e.Index, p.index).try("sort the events by index, and keep one of each")
		}
		p.index, p.seen = e.Index, true
	}
	p.clock++
	if !e.Timed {
		return nil
	}
	if back := p.high - e.Time; back > 0 {
		if back > MostSkew && !e.Indexed {
			return at(e, "time runs backwards by %v, from %v to %v", back, p.high, e.Time).try("are two histories in one file? check them one by one")
		}
		p.Stats.Backwards++
		p.Stats.Most = max(p.Stats.Most, back)
	}
	p.high = max(p.high, e.Time)
	p.clock = max(p.clock, e.Time)
	return nil
}

func (p *Pairs) invoke(e *Event) error {
	if before := p.open[e.Process]; before != nil {
		return at(e, "process %s invokes %s while its %s of line %d is not completed", e.Process, e.Name, before.op.Name, before.line).
			try("a process does one thing at a time: is a completion missing, or the event there twice?")
	}
	if e.Name == "" {
		return at(e, "process %s invokes nothing: the event has no :f", e.Process)
	}
	if p.open == nil {
		p.open = map[string]*opened{}
	}
	p.ops++
	o := p.take()
	o.line = e.Line
	o.op = history.Op{ID: p.ops, Kind: history.Model, Client: e.Process, Name: e.Name, Object: "x", Key: e.Key, Input: e.Value, Call: p.clock, Scheduled: p.clock}
	p.open[e.Process] = o
	return nil
}

func (p *Pairs) take() *opened {
	if n := len(p.free); n > 0 {
		o := p.free[n-1]
		p.free = p.free[:n-1]
		return o
	}
	return &opened{}
}

func (p *Pairs) complete(e *Event) (Record, bool, error) {
	o := p.open[e.Process]
	if o == nil {
		return Record{}, false, at(e, "process %s completes %s and has invoked nothing", e.Process, e.Name).try("is the invocation missing, or the completion there twice?")
	}
	if e.Name != "" && e.Name != o.op.Name {
		return Record{}, false, at(e, "process %s completes %s, and what it invoked in line %d is %s", e.Process, e.Name, o.line, o.op.Name)
	}
	delete(p.open, e.Process)
	op := o.op
	p.free = append(p.free, o)
	op.Return, op.Outcome, op.Error = p.clock, outcomes[e.Type], e.Error
	switch {
	case e.Type == OK, e.Returned:
		op.Outcome = history.OK
		if !echo(&op, e.Value) {
			op.Output = e.Value
		}
	case op.Error == "" && !e.Value.IsNil() && !e.Value.Equal(op.Input):
		op.Error = plain(e.Value) // older histories say there why
	}
	p.Stats.Ops++
	return Record{Op: op, Line: o.line, End: e.Line}, true, nil
}

// echo says whether a completion only repeats what its invocation said, as Jepsen's writes do, and so tells nothing of what the
// system returned. What reads returns something, even if it is the same.
func echo(op *history.Op, v history.Value) bool {
	switch op.Name {
	case "txn", "read", "get", "r", "contains", "dequeue":
		return false
	}
	return v.Equal(op.Input)
}

// Rest returns the operations that never completed, in order of call: nobody knows whether they took effect.
func (p *Pairs) Rest() []Record {
	var rest []Record
	for _, o := range p.open {
		rest = append(rest, Record{Op: o.op, Line: o.line})
	}
	slices.SortFunc(rest, func(a, b Record) int { return cmp.Compare(a.Op.ID, b.Op.ID) })
	for i := range rest {
		p.clock++
		rest[i].Op.Return, rest[i].Op.Error = p.clock, "it never completed"
	}
	p.open = nil
	p.Stats.Ops += len(rest)
	p.Stats.Open += len(rest)
	return rest
}

// plain prints a value as a person writes it: a string without quotes.
func plain(v history.Value) string {
	if s, ok := v.AsString(); ok {
		return s
	}
	return v.String()
}

func at(e *Event, format string, args ...any) *Error {
	return &Error{Line: e.Line, Column: e.Column, Msg: fmt.Sprintf(format, args...)}
}

func (e *Error) try(what string) *Error {
	e.Try = what
	return e
}
