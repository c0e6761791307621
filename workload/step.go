package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/assay-dev/assay/history"
)

// A try is one attempt at a step, judged.
type try struct {
	answer
	call, ret time.Duration
	outcome   history.Outcome
	degraded  bool
	certain   bool // it certainly had no effect
}

// drive takes the steps one after the other, until one does not end well.
func (r *Run) drive(ctx context.Context, steps []*step) (history.Outcome, error) {
	for _, s := range steps {
		bind(r.vars, func() *rand.Rand { return stream(r.driver.opts.Seed, r.key, r.n, fmt.Sprint("step ", s.number)) })
		if outcome, err := r.take(ctx, s); outcome != history.OK {
			return outcome, fmt.Errorf("step %d %s: %w", s.number, s.name, err)
		}
	}
	return history.OK, nil
}

// take makes one step with all its tries, and records it.
func (r *Run) take(ctx context.Context, s *step) (history.Outcome, error) {
	defer r.forget(s)
	op := r.begin(history.Step, s.name)
	req, err := s.call.prepare(ctx, r)
	var last try
	effect := false // some try may have had an effect, though its expectation was not met
	if err != nil {
		last = try{answer: noAnswer(err, true), call: op.Call, ret: op.Call, outcome: history.Failed, certain: true}
	} else {
		last, effect = r.tries(ctx, s, req, op.Call)
	}
	if last.outcome == history.OK {
		if err := r.save(ctx, s); err != nil {
			last.err = err
		}
	}
	if err := r.model(ctx, s, op, last, effect); err != nil && last.err == nil {
		last.err = err
	}
	if last.outcome == history.OK && last.err != nil {
		last.outcome, last.degraded = history.Failed, false
	}
	r.driver.end(op, last.ret, last.outcome, last.degraded, last.err)
	r.degraded = r.degraded || last.degraded
	return last.outcome, last.err
}

func (r *Run) save(ctx context.Context, s *step) error {
	for _, save := range s.save {
		x, err := save.value.Eval(ctx, r.vars)
		if err != nil {
			return fmt.Errorf("save %s: %w", save.name, err)
		}
		r.vars[save.name] = x
	}
	return nil
}

// tries makes the step's call until its expectation holds or its time is over.
func (r *Run) tries(ctx context.Context, s *step, req request, start time.Duration) (last try, effect bool) {
	end := start + s.Eventually
	for first := true; ; first = false {
		limit := s.Timeout
		if s.Eventually > 0 {
			limit = max(min(limit, end-r.driver.now()), time.Millisecond)
		}
		previous := last
		last = r.try(ctx, s, req, limit)
		effect = effect || last.outcome != history.OK && !last.certain
		if last.values == nil && !first && limit < s.Timeout {
			last.err, last.outcome = previous.err, previous.outcome // the end of the time cut this try short: it says nothing
		}
		if last.outcome == history.OK || s.Eventually == 0 || r.driver.now()+s.Every >= end {
			return last, effect
		}
		if !pause(ctx, s.Every) {
			return last, effect
		}
	}
}

// pause waits, and says whether it did so to the end.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// forget removes the answer of the try before, so that no expression reads it for this one's.
func (r *Run) forget(s *step) {
	for _, name := range s.answers {
		delete(r.vars, name)
	}
}

func (r *Run) try(ctx context.Context, s *step, req request, limit time.Duration) try {
	t := try{call: r.driver.now()}
	r.client.expect(t.call + limit)
	limited, cancel := context.WithTimeoutCause(ctx, limit, timeoutError{limit})
	t.answer = req.send(limited, r)
	cancel()
	t.ret = r.driver.now()
	r.forget(s)
	if t.values == nil {
		t.outcome, t.certain = history.Maybe, t.unsent
		if t.unsent && ctx.Err() == nil { // else the load ended, which says nothing about the system
			t.outcome = history.Failed
		}
		return t
	}
	for name, x := range t.values {
		r.vars[name] = x
	}
	r.vars["elapsed_ms"] = float64(t.ret-t.call) / float64(time.Millisecond)
	return r.judge(ctx, s, t)
}

func (r *Run) judge(ctx context.Context, s *step, t try) try {
	if holds, err := s.expect.Holds(ctx, r.vars); err == nil && holds {
		t.outcome = history.OK
		return t
	}
	if s.degraded != nil {
		if holds, err := s.degraded.Holds(ctx, r.vars); err == nil && holds {
			t.outcome, t.degraded = history.OK, true
			return t
		}
	}
	t.outcome, t.err = history.Failed, complain(ctx, s, r.vars)
	if t.unsure {
		t.outcome = history.Maybe
	}
	t.certain = t.unsent
	if s.failed != nil {
		if holds, err := s.failed.Holds(ctx, r.vars); err == nil && holds {
			t.certain = true
		}
	}
	return t
}

// model records the step's operations on named objects.
//
// A read's interval is that of its last try, the only one whose answer counts.
// A write's is that of all tries, since any of them may have taken effect. Where one may still do so, the client goes on as another one.
func (r *Run) model(ctx context.Context, s *step, of history.Op, last try, effect bool) error {
	var first error
	name, open := r.client.name, false
	for _, rec := range s.records {
		op := history.Op{Parent: r.id, Client: name, Journey: r.name, Trace: r.trace,
			Outcome: last.outcome, Degraded: last.degraded, Call: of.Call, Return: last.ret}
		if last.err != nil {
			op.Error = last.err.Error()
		}
		switch {
		case rec.reads():
			op.Call = last.call
			if op.Outcome != history.OK {
				op.Outcome = history.Failed
			}
		case op.Outcome == history.OK:
		case effect:
			op.Outcome = history.Maybe
		default:
			op.Outcome = history.Failed
		}
		op.ID, op.Scheduled = r.driver.nextID(), op.Call
		op, err := rec.op(ctx, op, r.vars)
		if err != nil && first == nil && last.outcome == history.OK {
			first = err
		}
		r.driver.record(op)
		open = open || op.Outcome == history.Maybe
	}
	if open {
		r.client.renew()
	}
	return first
}
