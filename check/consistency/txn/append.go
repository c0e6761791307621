package txn

import (
	"slices"

	"github.com/assay-dev/assay/history"
)

// lists is what a list-append history says about the order of its elements.
//
// A list only grows, and each read shows all of it, so the longest read is the order of the elements it holds, and an element that
// took effect and that no read shows comes after all of them.
type lists struct {
	h      *History
	live   []bool    // by transaction: it is ok, or something it wrote was read
	pos    []int32   // by element: its place in order, or -1
	order  [][]int32 // by key: its elements in order, as far as all reads agree
	cut    []bool    // by key: reads disagree on what follows order
	seen   []bool    // by element: some read shows it
	tails  [][]int32 // by key: live transactions with an element that no read shows, ascending; nil for most
	base   []int32   // by key: the first helper of a long tail
	helper int       // helpers of tails

	readers []int32 // of element e: readers[from[e]] to readers[from[e+1]]
	from    []int32
}

// A tail of that length is written as edges, a longer one as helpers.
const shortTail = 4

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
	l.indexReaders()
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
	l.tails, l.base = make([][]int32, len(h.trunk)), make([]int32, len(h.trunk))
	for t := range l.live {
		if !l.live[t] {
			continue
		}
		for i := h.first[t]; i < h.first[t+1]; i++ {
			k := h.key[i]
			if h.op[i] != opWrite || l.seen[h.arg[i]] || l.cut[k] {
				continue
			}
			if tail := l.tails[k]; len(tail) == 0 || tail[len(tail)-1] != int32(t) {
				l.tails[k] = append(tail, int32(t))
			}
		}
	}
	for k, tail := range l.tails {
		if len(tail) > shortTail {
			l.base[k] = int32(l.helper)
			l.helper += 2 * len(tail)
		}
	}
}

func (l *lists) indexReaders() {
	h := l.h
	l.from = make([]int32, len(h.elemVal)+2)
	each := func(visit func(t, e int32)) {
		for t := range h.Len() {
			if h.outcome[t] != history.OK {
				continue
			}
			for i := h.first[t]; i < h.first[t+1]; i++ {
				if h.op[i] != opRead {
					continue
				}
				if e := h.last(i); e >= 0 && h.writer[e] != int32(t) && h.writer[e] >= 0 {
					visit(int32(t), e)
				}
			}
		}
	}
	each(func(_, e int32) { l.from[e+2]++ })
	for e := range l.from[1:] {
		l.from[e+1] += l.from[e]
	}
	l.readers = make([]int32, l.from[len(l.from)-1])
	each(func(t, e int32) {
		l.readers[l.from[e+1]] = t
		l.from[e+1]++
	})
}

// graph returns the graph of dependencies. Its nodes are the transactions, the barriers of real time, and helpers of long tails.
func (l *lists) graph(want level) *graph {
	h := l.h
	n := h.Len()
	var times *timeline
	var next [][2]int32
	barriers := 0
	if want >= byTime {
		times = newTimeline(h)
		barriers = len(times.first)
	}
	if want >= byProcess {
		next = h.sessions()
	}
	g := newGraph(n, n+barriers+l.helper, len(l.readers)+len(h.op)+4*n)
	tails := int32(n + barriers)
	for t := range int32(n) {
		if l.live[t] {
			l.addData(g, t, tails)
			if next != nil {
				addSessions(g, next[t], l.live)
			}
			if times != nil && times.barrier[t] >= 0 {
				g.add(int32(n)+times.barrier[t], edgeTime)
			}
		}
		g.done()
	}
	if times != nil {
		times.addBarriers(g, int32(n), n, func(t int32) bool { return l.live[t] })
	}
	l.addHelpers(g, tails)
	return g
}

func addSessions(g *graph, next [2]int32, live []bool) {
	for _, u := range next {
		if u >= 0 && live[u] {
			g.add(u, edgeProcess)
		}
	}
}

// addData adds the edges of a transaction that the data shows.
func (l *lists) addData(g *graph, t, tails int32) {
	h := l.h
	for i := h.first[t]; i < h.first[t+1]; i++ {
		if h.op[i] == opWrite {
			e := h.arg[i]
			for _, reader := range l.readers[l.from[e]:l.from[e+1]] {
				g.add(reader, edgeWR)
			}
			if l.pos[e] >= 0 {
				l.addNext(g, t, h.key[i], l.pos[e]+1, edgeWW, tails)
			}
			continue
		}
		// A list that disagrees with others does not show what came next.
		if n := h.arg[i]; h.outcome[t] == history.OK && n >= 0 && int(n) <= len(l.order[h.key[i]]) {
			if n > 0 && h.writer[h.last(i)] == t {
				continue // its own append says it
			}
			l.addNext(g, t, h.key[i], n, edgeRW, tails)
		}
	}
}

// addNext adds edges from t to whoever appended the element at a place of a key's order, or the next one that took effect.
func (l *lists) addNext(g *graph, t, k, at int32, kind uint8, tails int32) {
	order := l.order[k]
	for ; int(at) < len(order); at++ {
		if w := l.h.writer[order[at]]; w >= 0 && l.live[w] {
			if w != t {
				g.add(w, kind)
			}
			return
		}
	}
	tail := l.tails[k]
	if len(tail) <= shortTail {
		for _, w := range tail {
			if w != t {
				g.add(w, kind)
			}
		}
		return
	}
	// Helpers: i leads to the i-th of the tail and all after it, len+i to the i-th and all before it. A transaction that is itself
	// in the tail goes around itself.
	base, m := tails+l.base[k], int32(len(tail))
	i, in := slices.BinarySearch(tail, t)
	if !in {
		g.add(base, kind)
		return
	}
	if i > 0 {
		g.add(base+m+int32(i)-1, kind)
	}
	if int32(i) < m-1 {
		g.add(base+int32(i)+1, kind)
	}
}

func (l *lists) addHelpers(g *graph, tails int32) {
	for k, tail := range l.tails {
		m := int32(len(tail))
		if m <= shortTail {
			continue
		}
		base := tails + l.base[k]
		for i, t := range tail {
			g.add(t, edgePass)
			if i+1 < len(tail) {
				g.add(base+int32(i)+1, edgePass)
			}
			g.done()
		}
		for i, t := range tail {
			g.add(t, edgePass)
			if i > 0 {
				g.add(base+m+int32(i)-1, edgePass)
			}
			g.done()
		}
	}
}
