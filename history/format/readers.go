package format

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/pair"
)

// lines reads records of ours.
type lines[R history.Record] struct {
	next   func() (R, error, bool)
	stop_  func()
	record func(R) (pair.Record, bool, error)
	stats  pair.Stats
	line   int
}

// newLines reads records, of which record says whether they are of the history.
func newLines[R history.Record](in io.Reader, record func(R) (pair.Record, bool, error)) *lines[R] {
	next, stop := iter.Pull2(history.Read[R](in))
	return &lines[R]{next: next, stop_: stop, record: record}
}

func (l *lines[R]) stop() { l.stop_() }

// Stats counts what was read until now.
func (l *lines[R]) Stats() pair.Stats { return l.stats }

// Next returns the next record.
func (l *lines[R]) Next() (pair.Record, error) {
	for {
		read, err, ok := l.next()
		if err != nil {
			return pair.Record{}, err
		}
		if !ok {
			return pair.Record{}, io.EOF
		}
		l.line++
		record, wanted, err := l.record(read)
		if err != nil {
			return pair.Record{}, &history.LineError{Line: l.line, Err: err}
		}
		if !wanted {
			l.stats.Skipped++
			continue
		}
		record.Line, record.End = l.line, l.line
		if record.Event != nil {
			l.stats.Notes++
		} else {
			l.stats.Ops++
		}
		return record, nil
	}
}

// operation takes model operations: journeys and steps are for other checks.
func operation(op history.Op) (pair.Record, bool, error) {
	switch {
	case op.Kind != history.Model:
		return pair.Record{}, false, nil
	case op.Return < op.Call:
		return pair.Record{}, false, fmt.Errorf("operation %d returns at %v, before its call at %v", op.ID, op.Return, op.Call)
	case op.Name == "":
		return pair.Record{}, false, fmt.Errorf("operation %d has no name", op.ID)
	}
	return pair.Record{Op: op}, true, nil
}

// mostShorthand is for histories that a person types.
const mostShorthand = 1 << 20

// shorthand reads the one-line form.
type shorthand struct {
	in    io.Reader
	ops   []history.Op
	lines [][2]int // of each operation, by its id less one
	read  bool
	n     int
	err   error
}

// Stats counts what was read until now.
func (s *shorthand) Stats() pair.Stats { return pair.Stats{Ops: s.n} }

// Next returns the next operation, in order of return.
func (s *shorthand) Next() (pair.Record, error) {
	if !s.read {
		s.read = true
		s.ops, s.err = s.all()
	}
	if s.err != nil {
		return pair.Record{}, s.err
	}
	if s.n == len(s.ops) {
		return pair.Record{}, io.EOF
	}
	op := s.ops[s.n]
	s.n++
	record := pair.Record{Op: op, Line: 1, End: 1}
	if at := int(op.ID) - 1; at < len(s.lines) {
		record.Line, record.End = s.lines[at][0], s.lines[at][1]
	}
	return record, nil
}

func (s *shorthand) all() ([]history.Op, error) {
	text, err := io.ReadAll(io.LimitReader(s.in, mostShorthand+1))
	if err != nil {
		return nil, fmt.Errorf("1: the file cannot be read on: %w", err)
	}
	if len(text) > mostShorthand {
		return nil, &pair.Error{Line: 1, Msg: "more than 1 MB of shorthand", Try: "it is for histories that a person types"}
	}
	lines := shorthandLines(text)
	ops, err := shorthandOps(lines, len(lines))
	if err != nil {
		return nil, &pair.Error{Line: firstWrong(lines), Msg: err.Error()}
	}
	s.lines = shorthandPlaces(lines)
	slices.SortStableFunc(ops, func(a, b history.Op) int { return cmp.Compare(a.Return, b.Return) })
	return ops, nil
}
