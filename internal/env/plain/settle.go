package plain

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

const (
	settleTime  = 2 * time.Second
	settlePause = 50 * time.Millisecond
)

// settle writes what every probe says at the end of a recording. They are asked until two rounds say the
// same: each is watched at moments of its own, so the last answers of two replicas under load would
// differ though both have all there is. What still changes after settleTime is written as it is.
func (r *recording) settle(ctx context.Context) {
	r.end()
	r.work.Wait() // no watcher writes an older answer after ours
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	last := r.round(ctx)
	for len(last) > 0 && sleep(ctx, settlePause) == nil {
		next := r.round(ctx)
		if ctx.Err() != nil {
			break // answers that were cut off say nothing
		}
		same := reflect.DeepEqual(last, next)
		last = next
		if same {
			break
		}
	}
	for _, event := range last {
		r.env.note(event)
	}
}

// round asks every probe of every instance once, all at the same time.
func (r *recording) round(ctx context.Context) []history.Event {
	type question struct {
		node  *node
		probe string
	}
	var questions []question
	for _, n := range r.env.nodes {
		for _, probe := range slices.Sorted(maps.Keys(n.probes)) {
			questions = append(questions, question{n, probe})
		}
	}
	events := make([]history.Event, len(questions))
	var work sync.WaitGroup
	for i, q := range questions {
		work.Go(func() { events[i] = q.node.answer(ctx, q.probe) })
	}
	work.Wait()
	return events
}

// answer asks a probe, and returns the event that tells of it.
func (n *node) answer(ctx context.Context, name string) history.Event {
	event := history.Event{Kind: history.Probe, Name: name, Target: n.inst.Name}
	answer, err := n.Probe(ctx, name)
	if err == nil {
		event.Value, err = history.Of(answer)
	}
	if err != nil {
		event.Text = "no answer: " + err.Error()
	}
	return event
}
