// Package model has ready workloads: clients that do what is needed to judge a database's consistency, and records of what
// they were told.
//
// A user implements one small interface, such as [Register] or [Lists], over the database's own client. The workload opens one
// for each of its clients, and drives all of them at once, each with one operation at a time, with seeded operations whose values
// are unique:
//
//	ops, err := model.Registers(ctx, model.Options{Clients: 5, Seed: 7}, func(ctx context.Context, client int) (model.Register, error) {
//		return dial(ctx, endpoints[client%3])
//	})
//	result := consistency.Linearizable("registers").Check(ctx, check.Input{Ops: ops})
//
// What is recorded is never better known than it was. An operation that returned without an error is ok. One that returned an
// error is maybe, because its effect may have taken place or may still do so, unless it only reads, or the user says by [Refused]
// that it certainly had no effect. Call is read before the operation is begun and Return after it has ended, from one monotonic
// clock, so the interval is never narrower than the truth.
//
// A client whose operation ended maybe is closed and opened again under a new name ("c3" becomes "c3.2"): what it did before may
// still be on its way, so it is no longer one process that does one thing after the other.
package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// Options say how much is done. The zero value works.
type Options struct {
	Object  string        // the recorded object's name, by default the workload's: "registers", "lists", "bank", "set", "queue"
	Clients int           // that act at the same time, 5 if zero
	Ops     int           // of each client, 100 if zero
	Keys    int           // registers, lists or accounts in use at a time, 3 if zero
	Length  int           // most micro-operations of a transaction on lists, 4 if zero
	Seed    uint64        // decides the operations
	Timeout time.Duration // of one operation, 1 s if zero
}

func (o Options) defaults(object string) Options {
	o.Object = cmp.Or(o.Object, object)
	o.Clients, o.Ops, o.Keys = cmp.Or(o.Clients, 5), cmp.Or(o.Ops, 100), cmp.Or(o.Keys, 3)
	o.Length, o.Timeout = cmp.Or(o.Length, 4), cmp.Or(o.Timeout, time.Second)
	return o
}

// An Open opens the database for a client, numbered from 0; it is called again where an operation ended maybe. What it returns
// is used by one goroutine at a time, and closed at the end if it is an io.Closer. Those who look before and after the clients
// are number 0 too.
type Open[C any] func(ctx context.Context, client int) (C, error)

// errRefused marks an operation that certainly had no effect.
type errRefused struct{ err error }

func (e *errRefused) Error() string { return e.err.Error() }

func (e *errRefused) Unwrap() error { return e.err }

// Refused returns err with the word that the operation certainly had no effect and never will: the database said so, or it was never
// sent. A timeout, a lost connection or an answer like "unavailable" says nothing of the kind. Of nil it returns nil.
func Refused(err error) error {
	if err == nil {
		return nil
	}
	return &errRefused{err}
}

// A step is one operation that a client is about to do.
type step[C any] struct {
	op   history.Op // its name, key and input
	pure bool       // it has no effect, so one that failed is none
	call func(ctx context.Context, c C) (history.Value, error)
}

// A plan is what a workload does.
type plan[C any] struct {
	before []step[C]
	each   func(client int, draw *rand.Rand) func() step[C] // the clients' operations, one after the other
	after  func(more func(step[C]) history.Op)              // looks at what came of it, by one client, when the others are done
}

// run does what the plan says. It returns what was recorded even with an error.
func run[C any](ctx context.Context, o Options, open Open[C], p plan[C]) ([]history.Op, error) {
	book := &recorder{object: o.Object, start: time.Now()}
	first := &actor[C]{options: o, open: open, book: book, name: "before"}
	err := first.connect(ctx)
	for _, s := range p.before {
		if err == nil && first.do(ctx, s).Outcome != history.OK {
			err = fmt.Errorf("the first look at %s before the clients begin: %s", o.Object, book.lastError())
		}
	}
	if err = errors.Join(err, first.close()); err != nil {
		return book.history(), err
	}
	errs := make([]error, o.Clients)
	var all sync.WaitGroup
	for n := range o.Clients {
		all.Go(func() { errs[n] = act(ctx, o, open, p, n, book) })
	}
	all.Wait()
	err = errors.Join(append(errs, ctx.Err())...)
	if p.after != nil && err == nil {
		last := &actor[C]{options: o, open: open, book: book, name: "after"}
		if err = last.reopen(ctx); err == nil {
			p.after(func(s step[C]) history.Op { return last.do(ctx, s) })
		}
		err = errors.Join(err, last.close(), ctx.Err())
	}
	return book.history(), err
}

// act is one client from beginning to end.
func act[C any](ctx context.Context, o Options, open Open[C], p plan[C], n int, book *recorder) error {
	a := &actor[C]{options: o, open: open, book: book, client: n, name: fmt.Sprintf("c%d", n+1)}
	if err := a.connect(ctx); err != nil {
		return err
	}
	next := p.each(n, draws(o.Seed, o.Object, n))
	for range o.Ops {
		if ctx.Err() != nil {
			break
		}
		a.do(ctx, next())
	}
	return a.close()
}

// draws are a client's random numbers: those of one client do not depend on the number of others.
func draws(seed uint64, object string, client int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", object, client)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// An actor does one operation at a time.
type actor[C any] struct {
	options Options
	open    Open[C]
	book    *recorder
	client  int
	name    string
	life    int // how often it was opened
	c       C
	lost    bool // the last operation ended maybe: c is closed
	free    time.Duration
}

// reopenPause is what a client waits for before it tries once more to be opened again.
const reopenPause = 10 * time.Millisecond

// reopen tries until it succeeds, or for as long as ten operations may take: a database that is down for a moment should not use
// up what the client has to do.
func (a *actor[C]) reopen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*a.options.Timeout)
	defer cancel()
	for {
		err := a.connect(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(reopenPause):
		}
	}
}

func (a *actor[C]) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*a.options.Timeout)
	defer cancel()
	c, err := a.open(ctx, a.client)
	if err != nil {
		a.lost = true
		return fmt.Errorf("open client %s: %w", a.name, err)
	}
	a.c, a.lost, a.life = c, false, a.life+1
	return nil
}

func (a *actor[C]) close() error {
	if a.lost {
		return nil
	}
	if closer, ok := any(a.c).(io.Closer); ok {
		if err := closer.Close(); err != nil {
			return fmt.Errorf("close client %s: %w", a.name, err)
		}
	}
	return nil
}

// do does a step, and records it. One that could not be begun, because the client cannot be opened again, is recorded as failed:
// nothing was sent.
func (a *actor[C]) do(ctx context.Context, s step[C]) history.Op {
	op := s.op
	op.Kind, op.Object, op.Client = history.Model, a.options.Object, a.name
	opening := error(nil)
	if a.lost {
		opening = a.reopen(ctx)
	}
	if a.life > 1 {
		op.Client = fmt.Sprintf("%s.%d", a.name, a.life)
	}
	limit, cancel := context.WithTimeout(ctx, a.options.Timeout)
	defer cancel()
	op.Call = a.book.after(a.free)
	var err error
	if opening == nil {
		op.Output, err = s.call(limit, a.c)
	}
	op.Return = a.book.now()
	a.free, op.Scheduled = op.Return, op.Call
	op.Outcome = outcome(err, s.pure)
	if opening != nil {
		op.Outcome, err = history.Failed, opening
	}
	if err != nil {
		op.Output, op.Error = history.Value{}, err.Error()
	}
	a.book.add(op)
	if op.Outcome == history.Maybe {
		a.close() // what it has to say changes nothing: the operation's outcome is not known
		a.lost = true
	}
	return op
}

// outcome is what an error tells about an operation's effect.
func outcome(err error, pure bool) history.Outcome {
	var refused *errRefused
	switch {
	case err == nil:
		return history.OK
	case pure, errors.As(err, &refused):
		return history.Failed
	}
	return history.Maybe
}

// A recorder keeps operations, from all clients.
type recorder struct {
	object string
	start  time.Time
	mu     sync.Mutex
	ops    []history.Op
}

func (r *recorder) now() time.Duration { return time.Since(r.start) }

// after returns a moment later than t. Intervals are closed, so two operations of one client may not touch, and a clock may be
// too coarse to tell them apart.
func (r *recorder) after(t time.Duration) time.Duration {
	for {
		if now := r.now(); now > t {
			return now
		}
	}
}

func (r *recorder) add(op history.Op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

func (r *recorder) lastError() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ops[len(r.ops)-1].Error
}

// history returns the operations in order of call, numbered from 1.
func (r *recorder) history() []history.Op {
	r.mu.Lock()
	defer r.mu.Unlock()
	ops := slices.Clone(r.ops)
	slices.SortStableFunc(ops, func(a, b history.Op) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Client, b.Client))
	})
	for i := range ops {
		ops[i].ID = uint64(i) + 1
	}
	return ops
}
