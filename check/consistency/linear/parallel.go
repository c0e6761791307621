package linear

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const searchEngine = "search (Wing and Gong, with Lowe's memory)"

// searchParts searches parts at the same time. The first part in order of key that fails decides, so that the result is the same
// however many workers there are.
func searchParts(ctx context.Context, m Model, ops []history.Op, o Options) Result {
	all := parts(m, ops)
	found := make([]outcome, len(all))
	failed := eachPart(o.Workers, len(all), func(i int) bool {
		found[i] = newProblem(m, ops, m.withoutUnseen(ops, all[i].ops), forever).search(ctx, o.Budget)
		return found[i].verdict == verdict.Fail
	})
	res := Result{Verdict: verdict.Pass, Model: m.name, Engine: searchEngine}
	if m.partition != nil && len(all) > 1 {
		res.Engine += fmt.Sprintf(", %d parts", len(all))
	}
	undecided := -1
	for i := range found[:min(failed+1, len(found))] {
		res.Steps += found[i].steps
		if found[i].verdict == verdict.Unknown && undecided < 0 {
			undecided = i
		}
	}
	switch {
	case failed < len(all):
		res.Verdict = verdict.Fail
		res.Part, res.Good = all[failed].key, int(found[failed].farthest)
		res.Core, res.Until = all[failed].ops, forever
		return res.explain(ctx, m, ops, o)
	case undecided >= 0:
		return res.undecided(ops, all[undecided], found[undecided])
	}
	res.Order = merge(ops, found)
	res.Reason = fmt.Sprintf("%d operations have an order that fits the %s and real time", len(res.Order), m.name)
	return res
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

// merge makes one order of the parts' orders: each operation takes effect as early as its part allows, within its interval.
func merge(ops []history.Op, found []outcome) []int32 {
	if len(found) == 1 {
		return found[0].order
	}
	var order []int32
	at := make([]time.Duration, len(ops))
	for _, f := range found {
		now := -forever
		for _, i := range f.order {
			now = max(now, ops[i].Call)
			at[i] = now
		}
		order = append(order, f.order...)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(at[a], at[b]) })
	return order
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
