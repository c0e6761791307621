package experiment

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
)

// noteOutside is the name of the note that says whether links showed effects that no fault was on.
const noteOutside = "outside the faults"

// stats reads the counters of links, where there are any.
func (r *run) stats(ctx context.Context) ([]system.LinkStats, error) {
	linker, ok := r.env.(system.Linker)
	if !ok {
		return nil, nil
	}
	return linker.LinkStats(ctx)
}

// within adds the links that a fault bends to the radius of all.
func (r *run) within(active fault.Active) {
	if bends, ok := active.(fault.Radius); ok {
		r.radius = append(r.radius, bends.Links()...)
		r.rules = append(r.rules, bends.Rules()...)
	}
}

// outside notes whether links outside the radius of all faults show what only a fault does. It looks when all are healed, as
// what is held back at the inject is counted when it is let go. So a fault that somebody injected by hand meanwhile is found, too.
func (r *run) outside(ctx context.Context, before []system.LinkStats, err error) {
	now, errNow := r.stats(ctx)
	r.mu.Lock()
	radius, own := r.radius, r.rules
	r.mu.Unlock()
	event := history.Event{Kind: history.Note, Name: noteOutside, OK: true}
	leaks := fault.Outside(before, now, radius, own)
	if len(radius) == 0 && len(leaks) == 0 {
		return // nothing was to bend links, and nothing did
	}
	switch err = errors.Join(err, errNow); {
	case err != nil:
		event.OK, event.Text = false, fmt.Sprintf("the counters of links cannot be read: %v", err)
	case len(leaks) > 0:
		event.OK, event.Text = false, "links were bent by what is no fault of this experiment: "+leakText(leaks)
	default:
		event.Text = fmt.Sprintf("%d links that no fault was on show no effect", outsiders(now, radius))
	}
	r.rec.event(event)
}

func leakText(leaks []fault.Effect) string {
	var texts []string
	for _, leak := range leaks {
		texts = append(texts, leak.Target+" ("+leak.Text+")")
	}
	return strings.Join(texts, ", ")
}

func outsiders(now []system.LinkStats, radius []system.Link) int {
	in := map[system.Link]bool{}
	for _, l := range radius {
		in[l] = true
	}
	n := 0
	for _, s := range now {
		if !in[s.Link] {
			n++
		}
	}
	return n
}

// outside says whether the faults hit only what they name. One that hit more shows nothing of what it names.
func (j *judgement) outside() {
	for _, e := range j.in.Events {
		if e.Kind != history.Note || e.Name != noteOutside {
			continue
		}
		result := check.Result{Check: "no effect outside the faults", Reason: e.Text}
		if e.OK {
			result.Verdict = verdict.Pass
		}
		j.add(PartEffect, result)
	}
}
