package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// records writes what the controller sees, and keeps journey operations for
// questions that are asked while the load runs. Safe for concurrent use.
type records struct {
	now    func() time.Duration
	files  []*os.File
	ops    *history.Writer[history.Op]
	events *history.Writer[history.Event]

	mu   sync.Mutex
	live []history.Op // journey operations, in order of return
	err  error
}

// newRecords creates ops.jsonl and events.jsonl in dir. Existing ones are an error: evidence is never overwritten.
func newRecords(dir string, now func() time.Duration) (*records, error) {
	r := &records{now: now}
	for _, name := range []string{"ops.jsonl", "events.jsonl"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.files = append(r.files, f)
	}
	r.ops = history.NewWriter[history.Op](r.files[0])
	r.events = history.NewWriter[history.Event](r.files[1])
	return r, nil
}

func (r *records) op(op history.Op) {
	err := r.ops.Write(op)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, firstOf(r.err, err))
	if op.Kind == history.Journey {
		r.live = append(r.live, op)
	}
}

// firstOf keeps a full disk from being reported once per operation.
func firstOf(had, err error) error {
	if had != nil {
		return nil
	}
	return err
}

// event writes e at the present time.
func (r *records) event(e history.Event) { r.eventAt(r.now(), e) }

// eventAt writes e, and at once to the file: events are few, and the last ones matter most.
func (r *records) eventAt(at time.Duration, e history.Event) {
	e.At = at
	err := r.events.Write(e)
	if err == nil {
		err = r.events.Flush()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, firstOf(r.err, err))
}

func (r *records) phase(name string) { r.event(history.Event{Kind: history.Phase, Name: name}) }

func (r *records) note(name, text string) {
	r.event(history.Event{Kind: history.Note, Name: name, Text: text})
}

// since returns the journey operations that returned at or after t.
func (r *records) since(t time.Duration) []history.Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.live)
	for i > 0 && r.live[i-1].Return >= t-time.Second {
		i-- // returns are nearly in order; a second covers how far they are not
	}
	var ops []history.Op
	for _, op := range r.live[i:] {
		if op.Return >= t {
			ops = append(ops, op)
		}
	}
	return ops
}

// each calls do for every journey operation that ended, with when it was due.
func (r *records) each(do func(journey string, scheduled time.Duration)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, op := range r.live {
		do(op.Journey, op.Scheduled)
	}
}

func (r *records) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// close flushes and closes the files. Errors of writing are returned again, joined.
func (r *records) close() error {
	var errs []error
	if r.ops != nil {
		errs = append(errs, r.ops.Flush(), r.events.Flush())
	}
	for _, f := range r.files {
		errs = append(errs, f.Sync(), f.Close())
	}
	return errors.Join(errs...)
}
