// Package jepsen reads histories as Jepsen, Knossos and Elle write them, in EDN
// or JSON, as a stream:
//
//	r := jepsen.New(file, jepsen.EDN, jepsen.Options{})
//	for {
//		rec, err := r.Next() // io.EOF at the end; other errors are *pair.Error, with line, column and what to try
//		…
//	}
//
// A history is events, one after another or in one vector. Each has :type
// (:invoke, :ok, :fail, :info), :process, :f and :value, and may have :time in
// nanoseconds, :index, :key and :error; what else it has is skipped. Package
// pair says how events become operations. Micro-operations of transactions are
// named as Elle names them: read and write become r and w.
//
// Of EDN it reads maps, vectors, lists, sets, keywords, symbols, strings,
// characters, numbers, nil, booleans, comments, discarded forms, metadata and
// tagged values. Keywords and symbols become strings, sets sorted lists, ratios
// and integers of more than 64 bits their text; tags are dropped.
package jepsen

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/pair"
)

// A Syntax is how the events are written.
type Syntax uint8

const (
	EDN  Syntax = iota
	JSON        // one array, or objects one after another
)

// Options change how events are understood. The zero value is usual.
type Options struct {
	// Keyed says that each value is a [key, value] of jepsen.independent, which cannot be told from a pair of values.
	Keyed bool
}

// A Reader reads one history. It holds the operations that are open and nothing else.
type Reader struct {
	*scanner
	syntax Syntax
	opts   Options
	pairs  pair.Pairs
	state  state
	end    byte // what ends the list of events
	digits [20]byte
	rest   []pair.Record
	err    error
}

type state uint8

const (
	begin  state = iota
	loose        // events one after another
	within       // one vector, list or array of events
	after        // behind it
	over         // all is read, and rest is left
)

// New returns a Reader of r.
func New(r io.Reader, syntax Syntax, opts Options) *Reader {
	return &Reader{scanner: newScanner(r), syntax: syntax, opts: opts}
}

// Stats counts what was read until now.
func (r *Reader) Stats() pair.Stats { return r.pairs.Stats }

// Rest returns the operations that were open where Next ended with an error: of a file that is cut, what was under way.
func (r *Reader) Rest() []pair.Record { return r.pairs.Rest() }

// Next returns the next operation, in order of completion and those that never completed last, or event of the
// nemesis. It ends with io.EOF. After an error it returns that error again.
func (r *Reader) Next() (pair.Record, error) {
	for r.err == nil && r.state != over {
		event, ok, err := r.event()
		switch {
		case err != nil:
			r.err = err
		case !ok:
			r.state, r.rest = over, r.pairs.Rest()
		default:
			record, done, err := r.pairs.Add(&event)
			if err == nil && done {
				return record, nil
			}
			r.err = err
		}
	}
	if r.err == nil && len(r.rest) > 0 {
		record := r.rest[0]
		r.rest = r.rest[1:]
		return record, nil
	}
	if r.err == nil {
		r.err = io.EOF
	}
	return pair.Record{}, r.err
}

func (r *Reader) space() (byte, bool, error) {
	if r.syntax == JSON {
		return jsonText{r.scanner}.space()
	}
	return edn{r.scanner}.space(0)
}

func (r *Reader) value(keep bool) (history.Value, error) {
	if r.syntax == JSON {
		return jsonText{r.scanner}.value(2, keep)
	}
	return edn{r.scanner}.value(2, keep)
}

// event returns the next event, and false at the end.
func (r *Reader) event() (e pair.Event, ok bool, err error) {
	comma := false
	for {
		c, ok, err := r.space()
		switch {
		case err != nil:
			return e, false, err
		case !ok && r.state == within:
			return e, false, r.cut("the list of events")
		case !ok:
			return e, false, nil
		case r.state == after:
			return e, false, r.wrong("something follows the list of events: "+shown([]byte{c}), "one file is one history")
		case r.state == begin && (c == '[' || c == '(' && r.syntax == EDN):
			r.state, r.end = within, map[byte]byte{'[': ']', '(': ')'}[c]
			r.pos++
		case r.state == within && c == r.end && !comma:
			r.state = after
			r.pos++
		case r.state == within && r.syntax == JSON && r.pairs.Stats.Events > 0 && (c == ',') == comma:
			return e, false, r.wrong("between two events of the array stands one comma", "")
		case r.state == within && r.syntax == JSON && r.pairs.Stats.Events > 0 && !comma:
			comma = true
			r.pos++
		case c == '{':
			if r.state == begin {
				r.state = loose
			}
			return r.fields()
		case c == '#' && r.syntax == EDN:
			r.pos++
			r.token(&ednEnds) // #jepsen.history.Op{…}
		default:
			return e, false, r.wrong("an event is expected, and this begins with "+shown([]byte{c}), "an event is a map such as {:type :invoke, :process 0, :f :read}")
		}
	}
}

// fields reads an event; its { is next.
func (r *Reader) fields() (pair.Event, bool, error) {
	e := event{Event: pair.Event{Line: r.line, Column: r.column()}, reader: r}
	var err error
	if r.syntax == JSON {
		j := jsonText{r.scanner}
		err = j.each('}', func() error {
			key, err := j.key()
			if err != nil {
				return err
			}
			return e.field(strings.TrimPrefix(key, ":"))
		})
	} else {
		err = e.ednFields()
	}
	if err != nil {
		return e.Event, false, err
	}
	return e.Event, true, e.whole()
}

// An event is one while its fields are read.
type event struct {
	pair.Event
	reader *Reader
	fields field
}

type field uint16

const (
	hasType field = 1 << iota
	hasProcess
	hasName
	hasKey
	hasValue
	hasError
	hasTime
	hasIndex
)

func fieldOf(key string) field {
	switch key {
	case "type":
		return hasType
	case "process":
		return hasProcess
	case "f":
		return hasName
	case "key":
		return hasKey
	case "value":
		return hasValue
	case "error":
		return hasError
	case "time":
		return hasTime
	case "index":
		return hasIndex
	}
	return 0
}

func (e *event) ednFields() error {
	s := edn{e.reader.scanner}
	s.pos++
	for {
		c, ok, err := s.space(1)
		switch {
		case err != nil:
			return err
		case !ok:
			return s.cut(opened('}', e.Line, e.Column))
		case c == '}':
			s.pos++
			return nil
		}
		key, err := s.value(2, true)
		if err != nil {
			return err
		}
		name, _ := key.AsString()
		if err := e.field(name); err != nil {
			return err
		}
	}
}

// field reads the value of a field.
func (e *event) field(key string) error {
	f := fieldOf(key)
	line, column := e.reader.line, e.reader.column()
	wrong := func(what, try string) error {
		return &pair.Error{Line: line, Column: column, Msg: what, Try: try}
	}
	if f != 0 && e.fields&f != 0 {
		return wrong("the event has :"+key+" twice", "")
	}
	e.fields |= f
	v, err := e.reader.value(f != 0)
	if err != nil || f == 0 {
		return err
	}
	switch f {
	case hasType:
		if e.Type = typeOf(text(v)); e.Type == 0 {
			return wrong(":type is "+v.String(), "it is :invoke, :ok, :fail or :info")
		}
	case hasProcess:
		e.Process = e.reader.process(v)
	case hasName:
		e.Name = text(v)
	case hasKey:
		e.Key = v
	case hasValue:
		e.Value = v
	case hasError:
		if !v.IsNil() {
			e.Error = text(v)
		}
	default:
		n, ok := v.AsInt()
		if !ok && !v.IsNil() {
			return wrong(":"+key+" is "+v.String(), "it is an integer")
		}
		if f == hasIndex {
			e.Index, e.Indexed = n, ok
		} else {
			e.Time, e.Timed = time.Duration(n), ok
		}
	}
	return nil
}

// process is the name of a process: the same string each time.
func (r *Reader) process(v history.Value) string {
	if n, ok := v.AsInt(); ok {
		return r.intern(strconv.AppendInt(r.digits[:0], n, 10))
	}
	return text(v)
}

// text is a name or a number as a word.
func text(v history.Value) string {
	if s, ok := v.AsString(); ok {
		return s
	}
	return v.String()
}

func typeOf(name string) pair.Type {
	switch strings.TrimPrefix(name, ":") {
	case "invoke":
		return pair.Invoke
	case "ok":
		return pair.OK
	case "fail":
		return pair.Fail
	case "info":
		return pair.Info
	}
	return 0
}

// whole checks an event that was read, and brings transactions to one form.
func (e *event) whole() error {
	wrong := func(format string, args ...any) error {
		return &pair.Error{Line: e.Line, Column: e.Column, Msg: fmt.Sprintf(format, args...), Try: "an event is a map such as {:type :invoke, :process 0, :f :read}"}
	}
	if e.Type == 0 {
		return wrong("the event has no :type")
	}
	if e.fields&hasProcess == 0 || e.Process == "null" {
		e.Process = "nil" // one process, as Elle takes it
	}
	if e.reader.opts.Keyed && !e.Value.IsNil() && e.Process != pair.Nemesis {
		items := e.Value.Items()
		if len(items) != 2 {
			return wrong("values are [key value], and this one is %v", e.Value)
		}
		e.Key, e.Value = items[0], items[1]
	}
	if e.Name == "" && e.fields&hasName == 0 && micro(e.Value) {
		e.Name = "txn"
	}
	if e.Name == "txn" {
		e.Value = shortNames(e.Value)
	}
	return nil
}

// micro says whether a value is a list of micro-operations.
func micro(v history.Value) bool {
	items := v.Items()
	for _, item := range items {
		if mop := item.Items(); len(mop) < 2 || mop[0].Kind() != history.KindString {
			return false
		}
	}
	return len(items) > 0
}

// shortNames calls the micro-operations read and write r and w.
func shortNames(v history.Value) history.Value {
	var renamed []history.Value
	for i, item := range v.Items() {
		mop := item.Items()
		if len(mop) == 0 {
			continue
		}
		short := ""
		switch name, _ := mop[0].AsString(); name {
		case "read":
			short = "r"
		case "write":
			short = "w"
		default:
			continue
		}
		if renamed == nil {
			renamed = append(renamed, v.Items()...)
		}
		changed := history.List(mop...)
		changed.Items()[0] = history.String(short) // ours: List copied it
		renamed[i] = changed
	}
	if renamed == nil {
		return v
	}
	return history.List(renamed...)
}
