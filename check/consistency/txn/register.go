package txn

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/history"
)

// registers is what a register history says about the order of its versions. A write hides what it replaced, so that order is
// inferred: the initial state comes first; who reads a version and writes the key wrote a later one; and, for models that keep them,
// the order of processes and of time.
type registers struct {
	h       *History
	live    []bool    // by transaction: it is ok, or something it wrote was read
	writers [][]int32 // by key: live transactions that write it, ascending
	base    []int32
	helper  int
	readers index // by version: who read it
	pairs   [][2]int32
	later   index // by version: version * orders + how it is known to be later: its level + 3 * its footing
}

// In how many ways a version may be known to be later than another.
const orders = 9

// An index lists numbers for each element: those of e are items[from[e]] to items[from[e+1]].
type index struct{ from, items []int32 }

// newIndex sorts pairs of an element and a number, by counting; the numbers of an element keep their order, and each is there once.
func newIndex(pairs [][2]int32, elems int) index {
	x := index{from: make([]int32, elems+1), items: make([]int32, len(pairs))}
	end := make([]int32, elems+1)
	for _, p := range pairs {
		end[p[0]+1]++
	}
	for e := range elems {
		end[e+1] += end[e]
	}
	copy(x.from, end)
	for _, p := range pairs {
		if e := p[0]; !slices.Contains(x.items[x.from[e]:end[e]], p[1]) {
			x.items[end[e]] = p[1]
			end[e]++
		}
	}
	to := int32(0)
	for e := range elems { // closes the gaps of what was there twice
		n := int32(copy(x.items[to:], x.items[x.from[e]:end[e]]))
		x.from[e] = to
		to += n
	}
	x.from[elems], x.items = to, x.items[:to]
	return x
}

func (x index) of(e int32) []int32 { return x.items[x.from[e]:x.from[e+1]] }

// known says whether an operation is a read of which it is known what it returned.
func (h *History) known(t int, mop int32) bool {
	return h.op[mop] == opRead && h.arg[mop] != firstBranch && h.outcome[t] == history.OK
}

func newRegisters(h *History, want level) *registers {
	g := &registers{h: h, live: h.okay()}
	reads := make([][2]int32, 0, len(h.op))
	for t := range h.Len() {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			e := h.arg[i]
			if !h.known(t, i) || e < 0 || h.writer[e] < 0 || h.writer[e] == int32(t) {
				continue
			}
			reads = append(reads, [2]int32{e, int32(t)})
			if w := h.writer[e]; h.outcome[w] == history.Maybe {
				g.live[w] = true
			}
		}
	}
	g.readers = newIndex(reads, len(h.elemVal))
	g.writers, g.base = make([][]int32, len(h.keyName)), make([]int32, len(h.keyName))
	for t := range h.Len() {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			k := h.key[i]
			if ws := g.writers[k]; g.live[t] && h.op[i] == opWrite && (len(ws) == 0 || ws[len(ws)-1] != int32(t)) {
				g.writers[k] = append(ws, int32(t))
			}
		}
	}
	for k, ws := range g.writers {
		if len(ws) > shortTail {
			g.base[k] = int32(g.helper)
			g.helper += 2 * len(ws)
		}
	}
	g.order(want)
	return g
}

// A touch is what a transaction did to a key, seen from outside.
type touch struct {
	txn         int32
	first, last int32 // versions: the first read, or else what it wrote; and what it left
}

// How many earlier transactions on a key a transaction is ordered after by time.
const recentTouches = 6

// order infers which versions are later than which.
func (g *registers) order(want level) {
	h := g.h
	pairs := make([][2]int32, 0, 2*len(h.op))
	later := func(v, w int32, l level) {
		if v >= 0 && w >= 0 && v != w && h.writer[w] >= 0 && g.live[h.writer[w]] {
			pairs = append(pairs, [2]int32{v, orders*w + int32(l)})
		}
	}
	recent := make([][]touch, len(h.keyName))
	sessions := map[[2]int32]touch{}
	for t := range int32(h.Len()) {
		if !g.live[t] {
			continue
		}
		for i := h.first[t]; i < h.first[t+1]; i++ {
			now, ok := g.touch(t, i)
			if !ok {
				continue
			}
			k := h.key[i]
			later(now.first, now.last, byData)
			if want == byData || now.first < 0 {
				continue
			}
			session := [2]int32{h.proc[t], k}
			if before, ok := sessions[session]; ok && h.ret[before.txn] <= h.call[t] {
				later(before.last, now.first, byProcess)
			}
			for _, before := range recent[k] {
				if want >= byTime && h.ret[before.txn] < h.call[t] {
					later(before.last, now.first, byTime)
				}
			}
			if h.outcome[t] == history.OK {
				sessions[session] = now
				if len(recent[k]) == recentTouches {
					recent[k] = append(recent[k][:0], recent[k][1:]...)
				}
				recent[k] = append(recent[k], now)
			}
		}
	}
	g.pairs, g.later = pairs, newIndex(pairs, len(h.elemVal))
}

// touch returns what a transaction did to the key of an operation, if it is the first one on it.
func (g *registers) touch(t, mop int32) (touch, bool) {
	h, k := g.h, g.h.key[mop]
	if slices.Contains(h.key[h.first[t]:mop], k) {
		return touch{}, false
	}
	x := touch{txn: t, first: noElem, last: noElem}
	if h.op[mop] == opRead && !h.known(int(t), mop) {
		x.first = firstBranch // unknown
	} else if h.op[mop] == opRead {
		x.first, x.last = h.arg[mop], h.arg[mop]
	}
	for i := mop; i < h.first[t+1]; i++ {
		if h.key[i] == k && h.op[i] == opWrite {
			x.last = h.arg[i]
		}
	}
	if x.first == noElem && h.op[mop] == opWrite {
		x.first = x.last
	}
	return x, true
}

// graph returns the graph of dependencies, with the same kinds of nodes as that of lists.
func (g *registers) graph(want level) *graph {
	h, n := g.h, g.h.Len()
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
	out := newGraph(n, n+barriers+g.helper, len(h.op)*2+4*n)
	initial := &lists{h: h, tails: g.writers, base: g.base, order: make([][]int32, len(h.keyName))}
	for t := range int32(n) {
		if g.live[t] {
			g.addData(out, initial, t, int32(n+barriers))
			if next != nil {
				addSessions(out, next[t], g.live)
			}
			if times != nil && times.barrier[t] >= 0 {
				out.add(int32(n)+times.barrier[t], edgeTime)
			}
		}
		out.done()
	}
	if times != nil {
		times.addBarriers(out, int32(n), n, func(t int32) bool { return g.live[t] })
	}
	initial.addHelpers(out, int32(n+barriers))
	return out
}

func (g *registers) addData(out *graph, initial *lists, t, tails int32) {
	h := g.h
	ww := [orders]uint8{edgeWW, edgeProcessWW, edgeTimeWW, edgeDataWW, edgeProcessWW, edgeTimeWW, edgeSerialWW, edgeSerialProcessWW, edgeSerialTimeWW}
	rw := [orders]uint8{edgeRW, edgeProcessRW, edgeTimeRW, edgeDataRW, edgeProcessRW, edgeTimeRW, edgeSerialRW, edgeSerialProcessRW, edgeSerialTimeRW}
	follow := func(e int32, kinds *[orders]uint8) {
		for _, packed := range g.later.of(e) {
			if w := h.writer[packed/orders]; w != t {
				out.add(w, kinds[packed%orders])
			}
		}
	}
	for i := h.first[t]; i < h.first[t+1]; i++ {
		e := h.arg[i]
		switch {
		case h.op[i] == opWrite:
			for _, reader := range g.readers.of(e) {
				out.add(reader, edgeWR)
			}
			follow(e, &ww)
		case !h.known(int(t), i):
		case e < 0:
			initial.addNext(out, t, h.key[i], 0, edgeRW, tails)
		case h.writer[e] != t:
			follow(e, &rw)
		}
	}
}

// direct finds what needs no graph.
func (g *registers) direct(r *reporter) {
	h := g.h
	final := h.finals()
	first := make([]int32, len(h.elemVal)+len(h.keyName)) // who read and then wrote a version: 1 + the transaction
	for t := range int32(h.Len()) {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			if !h.known(int(t), i) {
				continue
			}
			k, e := h.key[i], h.arg[i]
			if e >= 0 {
				g.directRead(r, t, k, e, final)
			}
			before, after := int32(-1), int32(-1)
			for j := h.first[t]; j < h.first[t+1]; j++ {
				switch {
				case h.key[j] != k:
				case j < i && (h.op[j] == opWrite || h.known(int(t), j)):
					before = j
				case j > i && h.op[j] == opWrite:
					after = j
					if h.arg[j] == e {
						r.add("future-read", k, e, t)
					}
				}
			}
			if before >= 0 && h.arg[before] != e {
				r.add("internal", k, noElem, t)
			}
			if before >= 0 || after < 0 {
				continue
			}
			version := e
			if e < 0 {
				version = int32(len(h.elemVal)) + k
			}
			if u := first[version] - 1; u >= 0 {
				r.add("lost-update", k, e, u, t)
			} else {
				first[version] = t + 1
			}
		}
	}
}

func (g *registers) directRead(r *reporter, t, k, e int32, final []bool) {
	switch w := g.h.writer[e]; {
	case w < 0:
		r.add("garbage-read", k, e, t)
	case g.h.outcome[w] == history.Failed:
		r.add("G1a", k, e, t, w)
	case !final[e] && w != t:
		r.add("G1b", k, e, t, w)
	}
}

func (h *History) explainRegister(st *Step, kind uint8) {
	for i := h.first[st.From]; i < h.first[st.From+1]; i++ {
		for j := h.first[st.To]; j < h.first[st.To+1]; j++ {
			if h.key[i] != h.key[j] || st.Kind != "" {
				continue
			}
			key, a, b := h.names.value(h.keyName[h.key[i]]), h.arg[i], h.arg[j]
			st.Key = key
			switch {
			case kind == edgeWR && h.op[i] == opWrite && h.op[j] == opRead && a == b:
				st.Kind, st.Value = "wr", h.elem(a)
				st.Reason = fmt.Sprintf("T%d wrote %v to key %v, which T%d read", st.From, st.Value, key, st.To)
			case anyWW.has(kind) && h.op[i] == opWrite && h.op[j] == opWrite:
				st.Kind, st.Value = "ww", h.elem(b)
				st.Reason = fmt.Sprintf("T%d wrote %v to key %v, and T%d wrote %v later", st.From, h.elem(a), key, st.To, st.Value) + resting(kind)
			case anyRW.has(kind) && h.known(st.From, i) && h.op[j] == opWrite && a != b:
				st.Kind, st.Value = "rw", h.elem(b)
				read := history.Value{}
				if a >= 0 {
					read = h.elem(a)
				}
				st.Reason = fmt.Sprintf("T%d wrote %v to key %v, which T%d did not see: it read the earlier %v", st.To, st.Value, key, st.From, read) + resting(kind)
			}
		}
	}
}

// resting says what the order of two versions rests on, if a reader does not see it.
func resting(kind uint8) string {
	switch m := mask(1) << kind; {
	case m&(inferredWW|inferredRW) != 0:
		return " (or else the order of versions itself makes a cycle)"
	case m&(serialWW|serialRW) != 0:
		return " (as any serial order has it: the other way round makes a cycle)"
	}
	return ""
}

// proves says whether each read returns what it returned when the transactions run in an order.
func (h *History) proves(order []int32) bool {
	state := make([]int32, len(h.keyName))
	for k := range state {
		state[k] = noElem
	}
	for _, t := range order {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			switch {
			case h.op[i] == opWrite:
				state[h.key[i]] = h.arg[i]
			case h.known(int(t), i) && state[h.key[i]] != h.arg[i]:
				return false
			}
		}
	}
	return true
}
