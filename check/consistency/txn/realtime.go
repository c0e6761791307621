package txn

import (
	"math"
	"slices"

	"github.com/assay-dev/assay/history"
)

// A timeline holds the order of real time in as many edges as there are transactions. A barrier stands between a run of returns
// and the calls that follow it: who returned ahead of it leads to it, and it leads to who was called after it, and to the next one.
type timeline struct {
	barrier []int32 // by transaction: the first barrier after its return, or -1 if there is none or the return says nothing
	first   []int32 // by barrier: the first transaction called after it; the next barrier's ends them
}

// newTimeline orders what returned before another was called. Intervals are closed: equal times are concurrent.
func newTimeline(h *History) *timeline {
	n := h.Len()
	t := &timeline{barrier: make([]int32, n)}
	returns := h.returns()
	at := 0
	for called := range n {
		had := at
		for at < len(returns) && h.ret[returns[at]] < h.call[called] {
			t.barrier[returns[at]] = int32(len(t.first))
			at++
		}
		if at > had {
			t.first = append(t.first, int32(called))
		}
	}
	for _, v := range returns[at:] {
		t.barrier[v] = -1
	}
	for v := range n {
		if h.outcome[v] != history.OK {
			t.barrier[v] = -1
		}
	}
	return t
}

// returns lists the transactions that are ok, by their return. They are numbered by call, so they are nearly sorted.
func (h *History) returns() []int32 {
	order := make([]int32, 0, h.Len())
	moves := 0
	for v, outcome := range h.outcome {
		if outcome != history.OK {
			continue
		}
		order = append(order, int32(v))
		if moves > 64*h.Len() {
			continue
		}
		i := len(order) - 1
		for ; i > 0 && h.ret[order[i-1]] > h.ret[v]; i-- {
			order[i] = order[i-1]
			moves++
		}
		order[i] = int32(v)
	}
	if moves > 64*h.Len() {
		slices.SortFunc(order, func(a, b int32) int {
			if h.ret[a] != h.ret[b] {
				return cmpInt(h.ret[a], h.ret[b])
			}
			return int(a - b)
		})
	}
	return order
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// addBarriers adds the barriers as nodes, after the transactions.
func (t *timeline) addBarriers(g *graph, base int32, txns int, live func(int32) bool) {
	for b, first := range t.first {
		end := int32(txns)
		if b+1 < len(t.first) {
			end = t.first[b+1]
			g.add(base+int32(b)+1, edgePass)
		}
		for v := first; v < end; v++ {
			if live(v) {
				g.add(v, edgePass)
			}
		}
		g.done()
	}
}

// sessions returns for each transaction that is ok those of its process that follow it, but for what follows from that, and whose
// effect is not excluded. One that is not ok leads to none: what it wrote may take effect later than what follows it. A process may
// run several at once; then those are in no order.
func (h *History) sessions() index {
	return newIndex(h.Len(), func(add func(u, v int32)) {
		last := map[int32][]int32{} // by process: what is ok and has no successor that everything from now on follows
		for v := range int32(h.Len()) {
			if h.outcome[v] == history.Failed {
				continue
			}
			open := h.latest(last[h.proc[v]], h.call[v])
			for _, u := range open {
				if h.ret[u] <= h.call[v] {
					add(u, v)
				}
			}
			if h.outcome[v] == history.OK {
				open = append(open, v)
			}
			last[h.proc[v]] = open
		}
	})
}

// latest drops from some transactions those that returned before another of them was called that returned by now.
func (h *History) latest(open []int32, now int64) []int32 {
	called := int64(math.MinInt64)
	for _, u := range open {
		if h.ret[u] <= now {
			called = max(called, h.call[u])
		}
	}
	kept := open[:0]
	for _, u := range open {
		if h.ret[u] > called || h.call[u] == called {
			kept = append(kept, u)
		}
	}
	return kept
}
