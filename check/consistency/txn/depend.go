package txn

import "github.com/assay-dev/assay/history"

// readers lists by element the transactions that are ok whose read of its key returned it, or ends with it, and who did not write
// it themselves.
func (h *History) readers() index {
	return newIndex(len(h.elemVal), func(add func(e, t int32)) {
		for t := range h.Len() {
			if h.outcome[t] != history.OK {
				continue
			}
			for i := h.first[t]; i < h.first[t+1]; i++ {
				if h.op[i] != opRead {
					continue
				}
				if e := h.shown(i); e >= 0 && h.writer[e] >= 0 && h.writer[e] != int32(t) {
					add(e, int32(t))
				}
			}
		}
	})
}

// dependencies returns a graph of that about many edges, of those that add adds for each live transaction and those of the orders
// of a level. Its nodes are the transactions, the barriers of real time, and helpers of long tails.
func (h *History) dependencies(want level, live []bool, tails *tails, edges int, add func(g *graph, t int32)) *graph {
	n := h.Len()
	var times *timeline
	var next index
	barriers := 0
	if want >= byTime {
		times = newTimeline(h)
		barriers = len(times.first)
	}
	if want >= byProcess {
		next = h.sessions()
	}
	tails.at = int32(n + barriers)
	g := newGraph(n, n+barriers+tails.helpers, edges+4*n+2*tails.helpers)
	for t := range int32(n) {
		if live[t] {
			add(g, t)
			if want >= byProcess {
				addSessions(g, next.of(t), live)
			}
			if times != nil && times.barrier[t] >= 0 {
				g.add(int32(n)+times.barrier[t], edgeTime)
			}
		}
		g.done()
	}
	if times != nil {
		times.addBarriers(g, int32(n), n, func(t int32) bool { return live[t] })
	}
	tails.addHelpers(g)
	return g
}

func addSessions(g *graph, next []int32, live []bool) {
	for _, u := range next {
		if live[u] {
			g.add(u, edgeProcess)
		}
	}
}
