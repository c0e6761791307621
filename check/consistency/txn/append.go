package txn

import "github.com/assay-dev/assay/history"

// lists is what a list-append history says about the order of its elements.
//
// A list only grows, and each read shows all of it, so the longest read is the order of the elements it holds, and an element that
// took effect and that no read shows comes after all of them.
type lists struct {
	h       *History
	live    []bool    // by transaction: it is ok, or something it wrote was read
	pos     []int32   // by element: its place in order, or -1
	order   [][]int32 // by key: its elements in order, as far as all reads agree
	cut     []bool    // by key: reads disagree on what follows order
	seen    []bool    // by element: some read shows it
	tails   tails     // live transactions with an element that no read shows
	readers index     // by element: whose read of the key ends with it
}

func newLists(h *History) *lists {
	l := &lists{h: h, live: h.okay(), order: make([][]int32, len(h.trunk)), cut: make([]bool, len(h.trunk))}
	l.pos, l.seen = make([]int32, len(h.elemVal)), make([]bool, len(h.elemVal))
	for e := range l.pos {
		l.pos[e] = -1
	}
	agreed := l.agreed()
	for k, trunk := range h.trunk {
		l.orderKey(int32(k), trunk, agreed)
	}
	for _, branch := range h.branches {
		l.see(branch)
	}
	l.findTails()
	l.readers = h.readers()
	return l
}

// okay marks the transactions that are ok.
func (h *History) okay() []bool {
	live := make([]bool, h.Len())
	for t, outcome := range h.outcome {
		live[t] = outcome == history.OK
	}
	return live
}

// see marks what a read shows, and so whose effect is certain.
func (l *lists) see(list []int32) {
	for _, e := range list {
		l.seen[e] = true
		if w := l.h.writer[e]; w >= 0 && l.h.outcome[w] == history.Maybe {
			l.live[w] = true
		}
	}
}

// agreed returns for the keys that have branches how much of the trunk they share with all of them.
func (l *lists) agreed() map[int32]int {
	agreed := map[int32]int{}
	h := l.h
	if len(h.branches) == 0 {
		return agreed
	}
	for i, arg := range h.arg {
		if h.op[i] != opRead || arg > firstBranch {
			continue
		}
		k := h.key[i]
		n, ok := agreed[k]
		if !ok {
			n = len(h.trunk[k])
		}
		agreed[k] = min(n, common(h.trunk[k], h.branches[firstBranch-arg]))
	}
	return agreed
}

func common(a, b []int32) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (l *lists) orderKey(k int32, trunk []int32, agreed map[int32]int) {
	l.see(trunk)
	order := trunk
	if n, ok := agreed[k]; ok {
		order, l.cut[k] = trunk[:n], true
	}
	for i, e := range order {
		if l.pos[e] >= 0 {
			order, l.cut[k] = trunk[:i], true // twice in one list: see duplicates
			break
		}
		l.pos[e] = int32(i)
	}
	l.order[k] = order
}

func (l *lists) findTails() {
	h := l.h
	l.tails = newTails(len(h.trunk))
	for t := range l.live {
		if !l.live[t] {
			continue
		}
		for i := h.first[t]; i < h.first[t+1]; i++ {
			if h.op[i] == opWrite && !l.seen[h.arg[i]] && !l.cut[h.key[i]] {
				l.tails.add(h.key[i], int32(t))
			}
		}
	}
	l.tails.number()
}

// graph returns the graph of dependencies.
func (l *lists) graph(want level) *graph {
	edges := len(l.readers.items) + len(l.h.op)
	return l.h.dependencies(want, l.live, &l.tails, edges, l.addData)
}

// addData adds the edges of a transaction that the data shows.
func (l *lists) addData(g *graph, t int32) {
	h := l.h
	for i := h.first[t]; i < h.first[t+1]; i++ {
		if h.op[i] == opWrite {
			e := h.arg[i]
			for _, reader := range l.readers.of(e) {
				g.add(reader, edgeWR)
			}
			if l.pos[e] >= 0 {
				l.addNext(g, t, h.key[i], l.pos[e]+1, edgeWW)
			}
			continue
		}
		// A list that disagrees with others does not show what came next.
		if n := h.arg[i]; h.outcome[t] == history.OK && n >= 0 && int(n) <= len(l.order[h.key[i]]) {
			if n > 0 && h.writer[h.last(i)] == t {
				continue // its own append says it
			}
			l.addNext(g, t, h.key[i], n, edgeRW)
		}
	}
}

// addNext adds edges from t to whoever appended the element at a place of a key's order, or the next one that took effect.
func (l *lists) addNext(g *graph, t, k, at int32, kind uint8) {
	order := l.order[k]
	for ; int(at) < len(order); at++ {
		if w := l.h.writer[order[at]]; w >= 0 && l.live[w] {
			if w != t {
				g.add(w, kind)
			}
			return
		}
	}
	l.tails.follow(g, t, k, kind)
}
