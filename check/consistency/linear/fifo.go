package linear

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// fifo is the monitor of queues whose values are enqueued once.
//
// Such a history has an order unless a value is dequeued twice, or without or before its enqueue; or the enqueues of two values come
// one after the other and their dequeues, or the lack of one, the other way round; or a dequeue found nothing while values that were
// certainly there covered all of it (Henzinger, Sezgin and Vafeiadis 2013; Bouajjani, Emmi, Enea and Hamza 2015).
//
// A pending enqueue counts where its value was dequeued. Of the values that were never dequeued, some would be out of order; each
// needs a pending dequeue that was called before the first dequeue that passed it.
func fifo() *monitor {
	return &monitor{"patterns of unique values (Henzinger, Sezgin and Vafeiadis)", decideQueue}
}

// A stay is a value's time in the queue. Its enqueue ends by the end of its dequeue, and its dequeue begins with its enqueue.
type stay struct {
	enqueue, dequeue int32 // -1 if there is none
	enqCall, enqEnd  time.Duration
	deqCall, deqEnd  time.Duration // forever if there is none; forever-1 is the end of a pending one
}

// A queued is a queue being watched.
type queued struct {
	ops     []history.Op
	all     []stay
	empty   []int32 // dequeues that found nothing
	waiting []int32 // pending dequeues, in order of call
	cuts    []cut
}

// A cut is a moment at which the queue is empty, and the dequeue that saw it.
type cut struct {
	at time.Duration
	i  int32
}

func decideQueue(ops []history.Op, part []int32, until time.Duration) (finding, bool) {
	q := &queued{ops: ops}
	twice, ok := q.collect(part, until)
	switch {
	case !ok || len(q.empty) > 0 && len(q.waiting) > 0:
		return cannot()
	case len(twice) > 0:
		return wrong(twice...)
	}
	for n := range q.all {
		e := &q.all[n]
		if e.dequeue >= 0 && (e.enqueue < 0 || e.deqEnd < e.enqCall) {
			return wrong(e.enqueue, e.dequeue)
		}
		e.enqEnd, e.deqCall = min(e.enqEnd, e.deqEnd), max(e.deqCall, e.enqCall)
	}
	q.all = slices.DeleteFunc(q.all, func(e stay) bool { return e.dequeue < 0 && e.enqEnd == forever })
	slices.SortFunc(q.all, func(a, b stay) int { return cmp.Compare(a.enqCall, b.enqCall) })
	if core := q.match(); core != nil {
		return wrong(core...)
	}
	if core := q.swapped(); core != nil {
		return wrong(core...)
	}
	if core := q.covered(); core != nil {
		return wrong(core...)
	}
	order, ok := q.order()
	return finding{verdict: verdict.Pass, order: order}, ok
}

// collect sorts the operations by value. It returns the operations on a value that was dequeued twice, and false where one was
// enqueued twice.
func (q *queued) collect(part []int32, until time.Duration) (twice []int32, ok bool) {
	var values numbers
	at := func(v history.Value) *stay {
		n, fresh := values.of(v)
		if fresh {
			q.all = append(q.all, stay{enqueue: -1, dequeue: -1, deqCall: forever, deqEnd: forever})
		}
		return &q.all[n]
	}
	for _, i := range part {
		op := &q.ops[i]
		call, end := interval(op, until)
		switch {
		case call > until:
		case op.Name == "enqueue":
			e := at(op.Input)
			if e.enqueue >= 0 {
				return nil, false
			}
			e.enqueue, e.enqCall, e.enqEnd = i, call, end
		case end == forever:
			q.waiting = append(q.waiting, i)
		case op.Output.IsNil():
			q.empty = append(q.empty, i)
		default:
			e := at(op.Output)
			if e.dequeue >= 0 {
				twice = []int32{e.enqueue, e.dequeue, i}
			}
			e.dequeue, e.deqCall, e.deqEnd = i, call, end
		}
	}
	slices.SortFunc(q.waiting, func(a, b int32) int { return cmp.Compare(q.ops[a].Call, q.ops[b].Call) })
	return twice, true
}

// match gives pending dequeues to the values that were passed by others. It returns a core where there are too few of them.
func (q *queued) match() []int32 {
	type passed struct {
		n, by    int32
		deadline time.Duration
	}
	var all []passed
	ends := make([]int32, 0, len(q.all)) // in order of the enqueue's end, last first
	for n := range q.all {
		if q.all[n].dequeue < 0 {
			ends = append(ends, int32(n))
		}
	}
	slices.SortFunc(ends, func(a, b int32) int { return cmp.Compare(q.all[b].enqEnd, q.all[a].enqEnd) })
	first, next := int32(-1), len(q.all)-1 // the first dequeue of what was enqueued later
	for _, n := range ends {
		for ; next >= 0 && q.all[next].enqCall > q.all[n].enqEnd; next-- {
			if e := &q.all[next]; e.dequeue >= 0 && (first < 0 || e.deqEnd < q.all[first].deqEnd) {
				first = int32(next)
			}
		}
		if first >= 0 {
			all = append(all, passed{n, first, q.all[first].deqEnd})
		}
	}
	slices.SortFunc(all, func(a, b passed) int { return cmp.Compare(a.deadline, b.deadline) })
	for k, p := range all {
		if k < len(q.waiting) && q.ops[q.waiting[k]].Call <= p.deadline {
			e := &q.all[p.n]
			e.dequeue, e.deqCall, e.deqEnd = q.waiting[k], max(q.ops[q.waiting[k]].Call, e.enqCall), forever-1
			continue
		}
		core := slices.Clone(q.waiting[:min(k, len(q.waiting))])
		for _, p := range all[:k+1] {
			core = append(core, q.all[p.n].enqueue, q.all[p.by].enqueue, q.all[p.by].dequeue)
		}
		return core
	}
	return nil
}

// swapped returns two values that were enqueued in one order and dequeued in the other.
func (q *queued) swapped() []int32 {
	ends := make([]int32, len(q.all))
	for n := range ends {
		ends[n] = int32(n)
	}
	slices.SortFunc(ends, func(a, b int32) int { return cmp.Compare(q.all[a].enqEnd, q.all[b].enqEnd) })
	var last *stay // the last to be dequeued of those that were enqueued before
	next := 0
	for n := range q.all {
		e := &q.all[n]
		for ; next < len(ends) && q.all[ends[next]].enqEnd < e.enqCall; next++ {
			if before := &q.all[ends[next]]; last == nil || before.deqCall > last.deqCall {
				last = before
			}
		}
		if last != nil && e.dequeue >= 0 && e.deqEnd < last.deqCall {
			return []int32{last.enqueue, last.dequeue, e.enqueue, e.dequeue}
		}
	}
	return nil
}

// covered returns a dequeue that found nothing and the values that were there all the while. Else it finds a moment for each such
// dequeue at which the queue may be empty.
func (q *queued) covered() []int32 {
	if len(q.empty) == 0 {
		return nil
	}
	var there []int32 // values that are certainly there for some time, in order of when that begins
	for n := range q.all {
		if q.all[n].enqEnd < q.all[n].deqCall {
			there = append(there, int32(n))
		}
	}
	slices.SortFunc(there, func(a, b int32) int { return cmp.Compare(q.all[a].enqEnd, q.all[b].enqEnd) })
	type span struct {
		from, to time.Duration
		first    int // of there
	}
	var spans []span
	for k, n := range there {
		e := &q.all[n]
		if last := len(spans) - 1; last >= 0 && e.enqEnd < spans[last].to {
			spans[last].to = max(spans[last].to, e.deqCall)
			continue
		}
		spans = append(spans, span{e.enqEnd, e.deqCall, k})
	}
	for _, i := range q.empty {
		call, end := q.ops[i].Call, q.ops[i].Return
		at, _ := slices.BinarySearchFunc(spans, call, func(s span, t time.Duration) int { return cmp.Compare(s.from, t) })
		moment := call
		if at > 0 && spans[at-1].to > call {
			moment = spans[at-1].to
		}
		if moment > end {
			return q.cover(there[spans[at-1].first:], i)
		}
		q.cuts = append(q.cuts, cut{moment, i})
	}
	slices.SortFunc(q.cuts, func(a, b cut) int { return cmp.Compare(a.at, b.at) })
	return nil
}

// cover returns a dequeue that found nothing with few values that cover it: each begins before the one before it ends.
func (q *queued) cover(there []int32, i int32) []int32 {
	core := []int32{i}
	to := q.ops[i].Call // covered up to here
	for k := 0; to <= q.ops[i].Return; {
		best := int32(-1)
		for ; k < len(there) && q.all[there[k]].enqEnd < to; k++ {
			if best < 0 || q.all[there[k]].deqCall > q.all[best].deqCall {
				best = there[k]
			}
		}
		if best < 0 {
			return nil // not covered: the caller was wrong
		}
		core = append(core, q.all[best].enqueue, q.all[best].dequeue)
		to = max(to, q.all[best].deqCall)
	}
	return core
}
