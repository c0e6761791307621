// Package etcdlog reads the logs of Jepsen's runs of etcd that Porcupine and
// other checkers are tested with, as a stream. A line is
//
//	INFO  jepsen.util - 3	:invoke	:cas	[1 2]
//
// The first column after the dash is the process, then type, name and value.
// Lines of other parts of Jepsen are skipped and counted. The order of the
// lines is the time.
//
// A cas that fails found another value than it wanted: it becomes an operation
// that is ok and returned false. All else is as package pair says.
package etcdlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/jepsen"
	"github.com/assay-dev/assay/history/pair"
)

// Mark is what stands before an event in a line.
const Mark = "jepsen.util - "

const mostLine = 1 << 20

// A Reader reads one log. It holds the operations that are open and nothing else.
type Reader struct {
	in    *bufio.Scanner
	pairs pair.Pairs
	line  int
	rest  []pair.Record
	err   error
}

// New returns a Reader of r.
func New(r io.Reader) *Reader {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), mostLine)
	return &Reader{in: in}
}

// Stats counts what was read until now.
func (r *Reader) Stats() pair.Stats { return r.pairs.Stats }

// Rest returns the operations that were open where Next ended with an error: of a file that is cut, what was under way.
func (r *Reader) Rest() []pair.Record { return r.pairs.Rest() }

// Next returns the next operation, in order of completion and those that never completed last, or event of the
// nemesis. It ends with io.EOF. After an error it returns that error again.
func (r *Reader) Next() (pair.Record, error) {
	for r.err == nil && r.in.Scan() {
		r.line++
		event, ok, err := r.event(r.in.Bytes())
		if err == nil && ok {
			var done bool
			var record pair.Record
			if record, done, err = r.pairs.Add(&event); err == nil && done {
				return record, nil
			}
		}
		r.err = err
	}
	if r.err == nil {
		r.err = r.end()
	}
	if r.err == io.EOF && len(r.rest) > 0 {
		record := r.rest[0]
		r.rest = r.rest[1:]
		return record, nil
	}
	return pair.Record{}, r.err
}

// end says why there are no more lines.
func (r *Reader) end() error {
	err := r.in.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return &pair.Error{Line: r.line + 1, Column: 1, Msg: fmt.Sprintf("a line of more than %d bytes", mostLine)}
	case err != nil:
		return fmt.Errorf("%d: the file cannot be read on: %w", r.line+1, err)
	}
	r.rest = r.pairs.Rest()
	return io.EOF
}

// event reads a line, and says whether there is an event in it.
func (r *Reader) event(line []byte) (e pair.Event, ok bool, err error) {
	_, text, ok := bytes.Cut(line, []byte(Mark))
	if !ok {
		if len(bytes.TrimSpace(line)) > 0 {
			r.pairs.Stats.Skipped++
		}
		return e, false, nil
	}
	e.Line, e.Column = r.line, len(line)-len(text)+1
	wrong := func(what string) error {
		return &pair.Error{Line: e.Line, Column: e.Column, Msg: what, Try: "an event is PROCESS :TYPE :NAME VALUE, such as 0 :invoke :write 1; is the line cut?"}
	}
	process, text := word(text)
	kind, text := word(text)
	name, text := word(text)
	e.Process, e.Name = strings.TrimPrefix(process, ":"), strings.TrimPrefix(name, ":")
	e.Type = map[string]pair.Type{":invoke": pair.Invoke, ":ok": pair.OK, ":fail": pair.Fail, ":info": pair.Info}[kind]
	if e.Type == 0 || len(name) < 2 || name[0] != ':' {
		return e, false, wrong(fmt.Sprintf("%q is no event", bytes.TrimSpace(line[e.Column-1:])))
	}
	if e.Value, err = jepsen.ParseValue(string(text)); err != nil {
		return e, false, wrong(fmt.Sprintf("the value of the event: %v", err))
	}
	return outcome(e), true, nil
}

// outcome tells what a cas returned.
func outcome(e pair.Event) pair.Event {
	switch {
	case e.Name != "cas" || len(e.Value.Items()) != 2: // :timed-out is none
	case e.Type == pair.OK:
		e.Value = history.Bool(true)
	case e.Type == pair.Fail:
		e.Value, e.Returned = history.Bool(false), true
	}
	return e
}

// word cuts off the first word.
func word(text []byte) (string, []byte) {
	text = bytes.TrimLeft(text, " \t")
	if i := bytes.IndexAny(text, " \t"); i >= 0 {
		return string(text[:i]), text[i:]
	}
	return string(bytes.TrimRight(text, "\r")), nil
}
