package telemetry

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Writer appends samples to a stream as JSON lines. It is safe for concurrent use.
type Writer struct {
	mu  sync.Mutex
	buf *bufio.Writer
	err error
}

// NewWriter returns a Writer to w. The caller calls Flush, and closes w.
func NewWriter(w io.Writer) *Writer { return &Writer{buf: bufio.NewWriterSize(w, 16<<10)} }

// Write appends one sample. A value that is no number in JSON, NaN or an infinity, is an
// error of its own; after an error of the stream every call returns that.
func (w *Writer) Write(s Sample) error {
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("sample of %s: %w", s.Name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		_, w.err = w.buf.Write(append(line, '\n'))
	}
	return w.err
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.buf.Flush()
	}
	return w.err
}

// ErrCut reports that the last line of a stream is not whole: its writer died.
var ErrCut = errors.New("the last sample is cut short")

// A LineError is a sample that cannot be read.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error returns "line N: what is wrong".
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// Read returns the samples of a stream of JSON lines. It ends at the end of the
// stream, or after yielding one error: a *LineError, which wraps ErrCut where the
// stream ends inside a line, or the error of r.
func Read(r io.Reader) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for line := 1; ; line++ {
			text, err := in.ReadBytes('\n')
			if err == io.EOF && len(text) == 0 {
				return
			}
			var sample Sample
			switch {
			case err == io.EOF:
				err = &LineError{line, ErrCut}
			case err == nil:
				if sample, err = decode(text); err != nil {
					err = &LineError{line, err}
				}
			}
			if !yield(sample, err) || err != nil {
				return
			}
		}
	}
}

func decode(text []byte) (Sample, error) {
	// Pointers, so that a line without a value is no sample of 0.
	var line struct {
		Sample
		Name  *string  `json:"name"`
		Value *float64 `json:"value"`
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&line); err != nil {
		return Sample{}, err
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return Sample{}, fmt.Errorf("after the sample: %q", rest[:min(len(rest), 60)])
	}
	if line.Name == nil || *line.Name == "" || line.Value == nil {
		return Sample{}, fmt.Errorf("%q is no sample: it needs a name and a value", bytes.TrimSpace(text[:min(len(text), 60)]))
	}
	line.Sample.Name, line.Sample.Value = *line.Name, *line.Value
	if len(line.Labels) == 0 {
		line.Labels = nil // {} and no labels are one series
	}
	return line.Sample, nil
}

// ReadAll returns the series of a stream, in order of name and labels, and their points in order of
// time. After an error it returns those of the samples before it, too.
func ReadAll(r io.Reader) ([]Series, error) {
	byKey := map[string]*Series{}
	var failed error
	for sample, err := range Read(r) {
		if err != nil {
			failed = err
			break
		}
		key := sample.key()
		if byKey[key] == nil {
			byKey[key] = &Series{Name: sample.Name, Labels: sample.Labels}
		}
		byKey[key].Points = append(byKey[key].Points, Point{sample.At, sample.Value})
	}
	var all []Series
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		s := byKey[key]
		slices.SortStableFunc(s.Points, func(a, b Point) int { return cmp.Compare(a.At, b.At) })
		all = append(all, *s)
	}
	return all, failed
}

// key names the series that the sample belongs to.
func (s Sample) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", s.Name)
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		fmt.Fprintf(&b, " %q=%q", name, s.Labels[name])
	}
	return b.String()
}
