package linear

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const searchEngine = "search (Wing and Gong, with Lowe's memory)"

// checkParts decides parts at the same time. The first part in order of key that fails decides, so that the result is the same
// however many workers there are.
func checkParts(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	all := parts(m, ops)
	found := make([]outcome, len(all))
	failed := inRounds(ctx, found, o, func(i int, budget int64) outcome { return decide(ctx, m, ops, all[i].ops, budget) })
	found = found[:min(failed+1, len(found))]
	res := Result{Verdict: verdict.Pass, Model: m.name, Engine: engines(found)}
	undecided := -1
	for i := range found {
		res.Steps += found[i].steps
		if found[i].verdict == verdict.Unknown && undecided < 0 {
			undecided = i
		}
	}
	switch {
	case failed < len(all):
		res.Verdict, res.Part = verdict.Fail, all[failed].key
		return res.explain(ctx, m, ops, all[failed].ops, found[failed], o)
	case undecided >= 0:
		return res.undecided(ops, all[undecided], found[undecided])
	}
	res.Order = merge(ops, found)
	res.Reason = fmt.Sprintf("%d operations have an order that fits the %s and real time", len(res.Order), m.name)
	return res
}

// firstRound is how many steps each part gets before any gets more.
const firstRound = 20_000

// inRounds decides parts with a budget that grows, so that a part that fails easily is found before hard ones use up theirs. It
// returns the first that failed in the first round in which one did, or how many there are.
func inRounds(ctx context.Context, found []outcome, o Options, decide func(i int, budget int64) outcome) int {
	var todo []int
	for i := range found {
		todo = append(todo, i)
	}
	for budget := min(firstRound, o.Budget); ; budget = min(16*budget, o.Budget) {
		failed := eachPart(o.Workers, len(todo), func(n int) bool {
			steps := found[todo[n]].steps
			found[todo[n]] = decide(todo[n], budget)
			found[todo[n]].steps += steps
			return found[todo[n]].verdict == verdict.Fail
		})
		if failed < len(todo) {
			return todo[failed]
		}
		todo = slices.DeleteFunc(todo, func(i int) bool { return found[i].verdict != verdict.Unknown })
		if len(todo) == 0 || budget == o.Budget || ctx.Err() != nil {
			return len(found)
		}
	}
}

// decide decides a part, by monitor where its values are unique.
func decide(ctx context.Context, m Model, ops []history.Op, part []int32, budget int64) outcome {
	if m.monitor != nil {
		if f, ok := m.monitor.decide(ops, part, forever); ok {
			return outcome{verdict: f.verdict, order: f.order, core: f.core, engine: m.monitor.name, monitored: true}
		}
	}
	if core := m.neverWritten(ops, part); core != nil {
		return m.untilRead(ctx, ops, part, core, budget)
	}
	return m.search(ctx, ops, part, forever, budget)
}

// search decides a part without a monitor, as it stood at a moment.
func (m Model) search(ctx context.Context, ops []history.Op, part []int32, until time.Duration, budget int64) outcome {
	steps := int64(0)
	if m.split != nil {
		f, ok := m.split(ctx, ops, part, until, budget)
		if ok {
			return f
		}
		steps = f.steps
	}
	f := newProblem(m, ops, m.withoutUnseen(ops, part), until).search(ctx, budget)
	f.steps += steps
	return f
}

// engines says what decided.
func engines(found []outcome) string {
	names := []string{}
	counts := map[string]int{}
	for _, f := range found {
		name := f.engine
		if name == "" {
			name = searchEngine
		}
		if counts[name]++; counts[name] == 1 {
			names = append(names, name)
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%s for %d of %d parts", name, counts[name], len(found))
	}
	return strings.Join(names, ", ")
}

// eachPart works on parts in order, some at a time, and returns the first that failed, or n. Those after it need not be worked on.
func eachPart(workers, n int, work func(i int) (failed bool)) int {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			if work(i) {
				return i
			}
		}
		return n
	}
	var next, first atomic.Int64
	first.Store(int64(n))
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < first.Load(); i = next.Add(1) - 1 {
				if !work(int(i)) {
					continue
				}
				for f := first.Load(); i < f && !first.CompareAndSwap(f, i); f = first.Load() {
				}
			}
		})
	}
	all.Wait()
	return int(first.Load())
}

// undecided says how far the search of a part came.
func (r Result) undecided(ops []history.Op, p part, f outcome) Result {
	r.Verdict = verdict.Unknown
	r.Part, r.Good = p.key, int(f.farthest)
	returned := returns(ops, p.ops)
	if r.Good > 0 {
		r.GoodUntil = returned[r.Good-1]
	}
	r.Reason = fmt.Sprintf("no order was found nor ruled out%s: %s after %d steps, when the first %d of %d operations to return had one (up to %v)",
		r.where(), f.stopped, f.steps, r.Good, len(returned), r.GoodUntil)
	return r
}

func (r Result) where() string {
	if r.Part.IsNil() {
		return ""
	}
	return fmt.Sprintf(" for key %v", r.Part)
}

// returns returns when operations returned, in order.
func returns(ops []history.Op, part []int32) []time.Duration {
	var at []time.Duration
	for _, i := range part {
		if ops[i].Outcome == history.OK {
			at = append(at, ops[i].Return)
		}
	}
	slices.Sort(at)
	return at
}
