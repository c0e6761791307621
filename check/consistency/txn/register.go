package txn

import (
	"fmt"
	"math"
	"slices"

	"github.com/assay-dev/assay/history"
)

// registers is what a register history says about the order of its versions. A write hides what it replaced, so that order is
// inferred: the initial state comes first; who reads a version and writes the key wrote a later one; and, for models that keep them,
// the order of processes and of time.
type registers struct {
	h       *History
	live    []bool // by transaction: it is ok, or something it wrote was read
	touches *touches
	writers tails      // live transactions that write a key
	readers index      // by version: who read it
	later   index      // by version: version * orders + how it is known to be later: its level + 3 * its footing
	fresh   [][2]int32 // pairs of a version and an item of later that are not in it yet
}

// In how many ways a version may be known to be later than another.
const orders = 9

func newRegisters(h *History, want level) *registers {
	g := &registers{h: h, live: h.okay(), readers: h.readers(), writers: newTails(len(h.keyName))}
	for e, w := range h.writer {
		if w >= 0 && h.outcome[w] == history.Maybe && len(g.readers.of(int32(e))) > 0 {
			g.live[w] = true
		}
	}
	g.touches = h.touches(g.live)
	for i := range g.touches.all {
		if x := &g.touches.all[i]; x.write >= 0 {
			g.writers.add(x.key, x.txn)
		}
	}
	g.writers.number()
	g.later = newIndex(len(h.elemVal), g.order(want)).distinct()
	return g
}

// How many earlier transactions on a key a transaction is ordered after by time.
const recentTouches = 6

// order infers which versions are later than which, key by key.
func (g *registers) order(want level) func(add func(v, packed int32)) {
	h, all := g.h, g.touches.all
	byKey := g.touches.byKey(len(h.keyName))
	last := make([]int32, len(h.names.nums)) // by process: where its last touch is, plus 1
	recent := make([]visit, 0, 4*recentTouches)
	return func(add func(v, packed int32)) {
		later := func(v, w int32, l level) {
			if v != w && h.writer[w] >= 0 && g.live[h.writer[w]] {
				add(v, orders*w+int32(l))
			}
		}
		clear(last)
		for k := range int32(len(h.keyName)) {
			recent = recent[:0]
			for _, at := range byKey.of(k) {
				now := &all[at]
				v, call, process := now.first(), h.call[now.txn], h.proc[now.txn]
				if v < 0 || v >= h.initial(0) {
					continue // what replaced the first version is in writers
				}
				if now.write >= 0 {
					later(v, now.write, byData)
				}
				if want == byData {
					continue
				}
				if i := last[process] - 1; i >= 0 && all[i].key == k && h.ret[all[i].txn] <= call {
					later(all[i].last(), v, byProcess)
				}
				if want >= byTime {
					afterRecent(recent, call, func(u int32) { later(u, v, byTime) })
				}
				if h.outcome[now.txn] != history.OK {
					continue
				}
				last[process] = at + 1
				if len(recent) == cap(recent) {
					recent = recent[:copy(recent, recent[len(recent)-recentTouches+1:])]
				}
				recent = append(recent, visit{call, h.ret[now.txn], now.last()})
			}
		}
	}
}

// A visit is when a transaction touched a key, and the version it left.
type visit struct {
	call, ret int64
	left      int32
}

// afterRecent calls after with the versions that the last few visits of a key left, if they returned ahead of a call. What is ahead
// of one of them needs no order of its own.
func afterRecent(visits []visit, call int64, after func(v int32)) {
	latest := int64(math.MinInt64)
	for n := len(visits) - 1; n >= max(0, len(visits)-recentTouches); n-- {
		if x := &visits[n]; x.ret < call && x.ret >= latest {
			after(x.left)
			latest = max(latest, x.call)
		}
	}
}

// graph returns the graph of dependencies, with the same kinds of nodes as that of lists.
func (g *registers) graph(want level) *graph {
	edges := len(g.readers.items)
	for _, x := range g.touches.all {
		if v := x.read; v >= 0 && v < g.h.initial(0) {
			edges += len(g.later.of(v))
		}
		if x.write >= 0 {
			edges += len(g.later.of(x.write))
		}
	}
	return g.h.dependencies(want, g.live, &g.writers, edges, g.addData)
}

func (g *registers) addData(out *graph, t int32) {
	h := g.h
	ww, rw := edges(true), edges(false)
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
			g.writers.follow(out, t, h.key[i], edgeRW)
		case h.writer[e] != t:
			follow(e, &rw)
		}
	}
}

// direct finds what needs no graph.
func (g *registers) direct(r *reporter) {
	h := g.h
	final := h.finals()
	first := make([]int32, h.initial(int32(len(h.keyName)))) // who read and then wrote a version: 1 + the transaction
	touched := make([]int32, len(h.keyName))                 // the last operation on a key that shows its version, plus 1
	later := make([]int32, len(h.keyName))                   // the last write of a key in the transaction, plus 1
	for t := range int32(h.Len()) {
		if h.outcome[t] != history.OK {
			continue
		}
		begin, end := h.first[t], h.first[t+1]
		h.lastWrites(t, later)
		for i := begin; i < end; i++ {
			k, e := h.key[i], h.arg[i]
			before := touched[k] - 1
			if h.op[i] == opWrite || h.known(int(t), i) {
				touched[k] = i + 1
			}
			if !h.known(int(t), i) {
				continue
			}
			if e >= 0 {
				g.directRead(r, t, k, e, final)
			}
			replaces := later[k]-1 > i
			own := before >= begin && h.arg[before] == e
			if replaces && e >= 0 && h.writer[e] == t && !own && h.writesAfter(i, end) {
				r.add("future-read", k, e, t)
			}
			if before >= begin {
				if !own {
					r.add("internal", k, noElem, t)
				}
				continue
			}
			if !replaces {
				continue
			}
			version := h.version(i)
			if u := first[version] - 1; u >= 0 {
				r.add("lost-update", k, e, u, t)
			} else {
				first[version] = t + 1
			}
		}
	}
}

// writesAfter says whether what a read returned is written behind it.
func (h *History) writesAfter(read, end int32) bool {
	for i := read + 1; i < end; i++ {
		if h.op[i] == opWrite && h.arg[i] == h.arg[read] {
			return true
		}
	}
	return false
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

// edges returns the kinds of edges by how a version is known to be later than another.
func edges(write bool) [orders]uint8 {
	if write {
		return [orders]uint8{edgeWW, edgeProcessWW, edgeTimeWW, edgeDataWW, edgeProcessWW, edgeTimeWW, edgeSerialWW, edgeSerialProcessWW, edgeSerialTimeWW}
	}
	return [orders]uint8{edgeRW, edgeProcessRW, edgeTimeRW, edgeDataRW, edgeProcessRW, edgeTimeRW, edgeSerialRW, edgeSerialProcessRW, edgeSerialTimeRW}
}

// explainRegister names the versions that make an edge.
func (h *History) explainRegister(st *Step, kind uint8, later index) {
	for i := h.first[st.From]; i < h.first[st.From+1] && st.Kind == ""; i++ {
		v, w := h.arg[i], int32(noElem)
		read := h.known(st.From, i)
		st.Key = h.names.value(h.keyName[h.key[i]])
		switch {
		case kind == edgeWR && h.op[i] == opWrite && h.reads(st.To, v):
			st.Kind, st.Value = "wr", h.elem(v)
			st.Reason = fmt.Sprintf("T%d wrote %v to key %v, which T%d read", st.From, st.Value, st.Key, st.To)
		case kind == edgeRW && read && v < 0:
			w = h.writes(st.To, h.key[i])
		case v >= 0 && (anyWW.has(kind) && h.op[i] == opWrite || anyRW.has(kind) && read):
			for _, packed := range later.of(v) {
				if h.writer[packed/orders] == int32(st.To) && edges(!read)[packed%orders] == kind {
					w = packed / orders
				}
			}
		}
		if w < 0 {
			continue
		}
		st.Value = h.elem(w)
		if !read {
			st.Kind = "ww"
			st.Reason = fmt.Sprintf("T%d wrote %v to key %v, and T%d wrote %v later", st.From, h.elem(v), st.Key, st.To, st.Value) + resting(kind)
			return
		}
		st.Kind = "rw"
		was := history.Value{}
		if v >= 0 {
			was = h.elem(v)
		}
		st.Reason = fmt.Sprintf("T%d wrote %v to key %v, which T%d did not see: it read the earlier %v", st.To, st.Value, st.Key, st.From, was) + resting(kind)
	}
}

// reads says whether a transaction read a version of a register.
func (h *History) reads(t int, e int32) bool {
	for i := h.first[t]; i < h.first[t+1]; i++ {
		if h.known(t, i) && h.arg[i] == e {
			return true
		}
	}
	return false
}

// writes returns the last version that a transaction wrote of a key, or noElem.
func (h *History) writes(t int, key int32) int32 {
	for i := h.first[t+1] - 1; i >= h.first[t]; i-- {
		if h.op[i] == opWrite && h.key[i] == key {
			return h.arg[i]
		}
	}
	return noElem
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

// writtenNull returns null as it is written to a register, or noElem.
func (h *History) writtenNull() int32 {
	null, ok := h.names.texts[history.Value{}.String()]
	if !ok || h.typ != Register {
		return noElem
	}
	return int32(slices.Index(h.elemVal, null))
}
