package experiment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// watch evaluates the stop conditions until ctx ends or one is met. Then the
// experiment ends: nothing waits for an action that is under way.
func (r *run) watch(ctx context.Context) {
	if len(r.x.Stop) == 0 || r.opts.Control {
		return
	}
	questions := make([]question, len(r.x.Stop)) // compiled once: a compiler at work four times a second makes the driver late
	for i, c := range r.x.Stop {
		questions[i] = ask(c.When)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for i, c := range r.x.Stop {
			if reason, met := r.met(ctx, c, questions[i]); met {
				r.rec.event(history.Event{Kind: history.Stop, Name: c.When.Text, OK: true, Text: reason})
				r.tell("stop", reason)
				r.cause(ErrStopped)
				return
			}
		}
	}
}

// met says whether a condition held over its last For.
func (r *run) met(ctx context.Context, c Condition, q question) (reason string, met bool) {
	now := r.rec.now()
	if now < r.zero+c.For {
		return "", false
	}
	in := check.Input{Ops: r.live(now-c.For, now)}
	signals := &signals{ctx: ctx, in: in, whole: in, journeys: journeyNames(r.x)}
	var reasons []string
	for _, result := range signals.answer(q) {
		if result.Verdict != verdict.Pass {
			return "", false
		}
		reasons = append(reasons, result.Reason)
	}
	return fmt.Sprintf("stopped, because for %s %s", c.For, strings.Join(reasons, " and ")), true
}

// live returns the journey operations that returned since a time, and those
// past their timeout that nobody answered as not ok: a system that hangs must not look idle.
func (r *run) live(since, now time.Duration) []history.Op {
	ops := r.rec.since(since)
	for journey, n := range r.drive.Overdue(now) {
		for range n {
			ops = append(ops, history.Op{Kind: history.Journey, Journey: journey, Name: journey, Outcome: history.Maybe, Scheduled: now, Return: now})
		}
	}
	return ops
}
