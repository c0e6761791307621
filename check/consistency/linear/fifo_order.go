package linear

import (
	"cmp"
	"slices"
	"time"
)

// order puts enqueues and dequeues one after the other. Between two moments at which the queue is empty, values come in an order that
// fits both their enqueues and their dequeues; each operation takes effect as early as that allows.
func (q *queued) order() ([]int32, bool) {
	segment := func(e *stay) int {
		at, _ := slices.BinarySearchFunc(q.cuts, e.deqCall, func(c cut, t time.Duration) int { return cmp.Compare(c.at, t) })
		return at
	}
	bySegment := make([][]int32, len(q.cuts)+1)
	if len(q.cuts) == 0 {
		bySegment[0] = make([]int32, 0, len(q.all))
	}
	for n := range q.all {
		s := segment(&q.all[n])
		bySegment[s] = append(bySegment[s], int32(n))
	}
	order := make([]int32, 0, 2*len(q.all)+len(q.cuts))
	ready := make([]uint8, len(q.all))
	for s, members := range bySegment {
		line, ok := q.line(members, ready)
		if !ok {
			return nil, false
		}
		order = q.interleave(order, line)
		if s < len(q.cuts) {
			order = append(order, q.cuts[s].i)
		}
	}
	return order, true
}

// line orders values so that none comes before one whose enqueue or dequeue returned before its own was called.
// In ready, 2 says that a value may be next, and 3 that it came.
func (q *queued) line(members []int32, ready []uint8) ([]int32, bool) {
	sorted := func(time func(e *stay) time.Duration) []int32 {
		s := slices.Clone(members)
		slices.SortFunc(s, func(a, b int32) int { return cmp.Compare(time(&q.all[a]), time(&q.all[b])) })
		return s
	}
	enqCall := func(e *stay) time.Duration { return e.enqCall }
	enqEnd := func(e *stay) time.Duration { return e.enqEnd }
	deqCall := func(e *stay) time.Duration { return e.deqCall }
	deqEnd := func(e *stay) time.Duration { return e.deqEnd }
	calls := [2][]int32{members, sorted(deqCall)} // members are in order of the enqueue's call
	ends := [2][]int32{sorted(enqEnd), sorted(deqEnd)}
	call := [2]func(*stay) time.Duration{enqCall, deqCall}
	end := [2]func(*stay) time.Duration{enqEnd, deqEnd}

	var nextCall, nextEnd [2]int
	var line, may []int32
	for len(line) < len(members) {
		for side := range 2 {
			for ready[ends[side][nextEnd[side]]] == 3 {
				nextEnd[side]++
			}
			first := end[side](&q.all[ends[side][nextEnd[side]]])
			for ; nextCall[side] < len(members) && call[side](&q.all[calls[side][nextCall[side]]]) <= first; nextCall[side]++ {
				n := calls[side][nextCall[side]]
				if ready[n]++; ready[n] == 2 {
					may = append(may, n)
				}
			}
		}
		if len(may) == 0 {
			return nil, false
		}
		n := may[len(may)-1]
		may = may[:len(may)-1]
		ready[n] = 3
		line = append(line, n)
	}
	return line, true
}

// interleave adds the enqueues and dequeues of a line of values, each as early as it may come.
func (q *queued) interleave(order, line []int32) []int32 {
	enq, deq := -forever, -forever
	d := 0
	dequeues := func(before time.Duration, upTo int) {
		for ; d < upTo && q.all[line[d]].dequeue >= 0; d++ {
			if deq = max(deq, q.all[line[d]].deqCall); deq >= before {
				return
			}
			order = append(order, q.all[line[d]].dequeue)
		}
	}
	for n, at := range line {
		enq = max(enq, q.all[at].enqCall)
		dequeues(enq, n)
		order = append(order, q.all[at].enqueue)
	}
	dequeues(forever, len(line))
	return order
}
