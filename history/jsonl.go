package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
)

// A Record is one of the types a history is made of.
type Record interface {
	Op | Event | Exchange | Decision
}

// A Writer appends records to a stream as JSON lines. It is safe for concurrent use.
// Records reach the stream whole or, when the process dies, not at all beyond the last line.
type Writer[R Record] struct {
	mu  sync.Mutex
	buf *bufio.Writer
	err error
}

// NewWriter returns a Writer to w. The caller calls Flush, and closes w.
func NewWriter[R Record](w io.Writer) *Writer[R] {
	return &Writer[R]{buf: bufio.NewWriterSize(w, 64<<10)}
}

// Write appends one record. After a first error, every call returns it.
func (w *Writer[R]) Write(r R) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	_, w.err = w.buf.Write(append(line, '\n'))
	return w.err
}

// Flush writes what is buffered.
func (w *Writer[R]) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	return w.err
}

// ErrCut reports that the last line of a stream is not whole: its writer died.
var ErrCut = errors.New("the last record is cut short")

// A LineError is a record that cannot be read.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error returns "line N: what is wrong".
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Read returns the records of a stream of JSON lines. It ends at the end of the
// stream, or after yielding one error: a *LineError, which wraps ErrCut where the
// stream ends inside a line, or the error of r.
func Read[R Record](r io.Reader) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		in := bufio.NewReaderSize(r, 64<<10)
		for line := 1; ; line++ {
			text, err := in.ReadBytes('\n')
			if err == io.EOF && len(text) == 0 {
				return
			}
			if err == io.EOF {
				yield(none, &LineError{line, ErrCut})
				return
			}
			if err != nil {
				yield(none, err)
				return
			}
			record, err := decode[R](text)
			if err != nil {
				yield(none, &LineError{line, err})
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

func decode[R Record](text []byte) (R, error) {
	var r R
	text = bytes.TrimSpace(text)
	if !bytes.HasPrefix(text, []byte("{")) { // null and an empty line would decode to a zero record, or to io.EOF
		return r, fmt.Errorf("%q is no record", shortened(text))
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, err
	}
	if rest := text[dec.InputOffset():]; len(rest) > 0 {
		return r, fmt.Errorf("after the record: %q", shortened(rest))
	}
	return r, nil
}

func shortened(text []byte) []byte { return text[:min(len(text), 60)] }

// ReadAll returns all records of a stream up to the first error, and that error.
func ReadAll[R Record](r io.Reader) ([]R, error) {
	var records []R
	for record, err := range Read[R](r) {
		if err != nil {
			return records, err
		}
		records = append(records, record)
	}
	return records, nil
}
