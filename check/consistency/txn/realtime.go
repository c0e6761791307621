package txn

import (
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

// sessions returns for each transaction the next of its process whose effect is not excluded, or -1. One that is not ok leads to
// none: what it wrote may take effect later than what follows it.
func (h *History) sessions() (next [][2]int32) {
	next = make([][2]int32, h.Len())
	last := map[int32]int32{}
	for v := range next {
		next[v] = [2]int32{-1, -1}
		p := h.proc[v]
		if h.outcome[v] == history.Failed {
			continue
		}
		if u, ok := last[p]; ok && h.ret[u] <= h.call[v] {
			if h.outcome[v] == history.OK {
				next[u][0] = int32(v)
			} else {
				next[u][1] = int32(v)
			}
		}
		if h.outcome[v] == history.OK {
			last[p] = int32(v)
		}
	}
	return next
}
