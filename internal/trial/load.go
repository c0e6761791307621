// Package trial judges histories that are in files: it loads one, asks the
// engine that a model's name stands for, and tells what came of it, with the
// lines of the file.
//
//	c, err := trial.Load("history.edn", trial.Options{})
//	rep, err := trial.Judge(ctx, c, "cas-register", 0)
//	rep.Text(os.Stdout, style)
package trial

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/history/format"
	"github.com/assay-dev/assay/history/pair"
)

// Options say what of a file is judged. The zero value is all of it.
type Options struct {
	Keyed  bool
	Object string // only operations on this object
	Key    string // only operations on this key, as JSON or as it is
	Cut    bool   // of a file that is cut, what stands before the cut
}

// A Case is a history in memory.
type Case struct {
	File   string
	Format format.Format
	Stats  pair.Stats
	Ops    []history.Op    // in order of call
	Lines  []Span          // of Ops
	Events []history.Event // in order of At
	Cut    string          // why the end is missing, "" if it is not
}

// A Span is the lines of an operation: where it was invoked and where it completed, 0 if it did not.
type Span struct{ Line, End int }

// An InputError is a file that is no history, or one that cannot be judged as it was asked for.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *InputError) Unwrap() error { return e.Err }

func input(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// Load reads a file.
func Load(path string, opts Options) (*Case, error) {
	f, err := format.Open(path, format.Options{Keyed: opts.Keyed})
	if err != nil {
		return nil, &InputError{err}
	}
	defer f.Close()
	return Read(f, opts)
}

// Read reads a history that is open.
func Read(f *format.File, opts Options) (*Case, error) {
	c := &Case{File: f.Name, Format: f.Format}
	all := 0
	for {
		rec, err := f.Next()
		if err == io.EOF {
			break
		}
		if err != nil && opts.Cut && cut(err) {
			if err := c.cutAt(f, opts, err); err != nil {
				return nil, err
			}
			break
		}
		if err != nil {
			return nil, &InputError{err}
		}
		if rec.Event == nil {
			all++
		}
		c.add(rec, opts)
	}
	c.Stats = f.Stats()
	c.byCall()
	return c, c.sound(opts, all)
}

func (c *Case) add(rec pair.Record, opts Options) {
	switch {
	case rec.Event != nil:
		c.Events = append(c.Events, *rec.Event)
	case opts.wants(&rec.Op):
		c.Ops, c.Lines = append(c.Ops, rec.Op), append(c.Lines, Span{rec.Line, rec.End})
	}
}

// cutAt takes what was under way at the cut: it may have taken effect.
func (c *Case) cutAt(f *format.File, opts Options, why error) error {
	rest, ok := f.Rest()
	if !ok {
		return input("%w; what was under way then left no trace in this format, so what is left cannot be judged", why)
	}
	c.Cut = why.Error()
	for _, rec := range rest {
		c.add(rec, opts)
	}
	return nil
}

// cut says whether a file ends too early, and is well up to there.
func cut(err error) bool {
	return errors.Is(err, history.ErrCut) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "the file ends inside")
}

func (o Options) wants(op *history.Op) bool {
	if o.Object != "" && op.Object != o.Object {
		return false
	}
	text, _ := op.Key.AsString()
	return o.Key == "" || op.Key.String() == o.Key || text == o.Key
}

func (o Options) text() string {
	var words []string
	if o.Object != "" {
		words = append(words, fmt.Sprintf("object %q", o.Object))
	}
	if o.Key != "" {
		words = append(words, fmt.Sprintf("key %q", o.Key))
	}
	return strings.Join(words, " and ")
}

func (c *Case) byCall() {
	order := make([]int, len(c.Ops))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.Ops[a].Call, c.Ops[b].Call), cmp.Compare(c.Ops[a].ID, c.Ops[b].ID))
	})
	ops, lines := make([]history.Op, len(order)), make([]Span, len(order))
	for to, from := range order {
		ops[to], lines[to] = c.Ops[from], c.Lines[from]
	}
	c.Ops, c.Lines = ops, lines
	slices.SortStableFunc(c.Events, func(a, b history.Event) int { return cmp.Compare(a.At, b.At) })
}

// sound refuses what cannot be one history of one object.
func (c *Case) sound(opts Options, all int) error {
	if len(c.Ops) == 0 {
		switch {
		case c.Format == format.Events:
			return nil
		case all > 0:
			return input("%s: none of its %d operations is on %s (try assay history show)", c.File, all, opts.text())
		case c.Stats.Skipped > 0:
			return input("%s: it holds no model operation, only %d of other kinds (journeys and steps are judged by assay run)", c.File, c.Stats.Skipped)
		}
		return input("%s: it holds no operation", c.File)
	}
	ids, objects := make([]uint64, 0, len(c.Ops)), map[string]int{}
	for i := range c.Ops {
		ids = append(ids, c.Ops[i].ID)
		objects[c.Ops[i].Object]++
	}
	slices.Sort(ids)
	for i, id := range ids[1:] {
		if id == ids[i] {
			return input("%s:%s", c.File, c.twice(id))
		}
	}
	if len(objects) > 1 {
		var names []string
		for name, n := range objects {
			names = append(names, fmt.Sprintf("%s (%d operations)", name, n))
		}
		slices.Sort(names)
		return input("%s: operations are on several objects; choose one with --object: %s", c.File, strings.Join(names, ", "))
	}
	return nil
}

// twice tells where an operation is that is there twice.
func (c *Case) twice(id uint64) string {
	var at []int
	for i := range c.Ops {
		if c.Ops[i].ID == id {
			at = append(at, c.Lines[i].Line)
		}
	}
	slices.Sort(at)
	return fmt.Sprintf("%d: operation %d is there twice: it is in line %d, too", at[1], id, at[0])
}
