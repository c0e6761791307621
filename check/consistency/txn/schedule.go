package txn

import (
	"container/heap"
	"context"
)

// A scheduler looks for an order in which the transactions of a history may have run: it keeps the edges of the graph, and no
// version is replaced while somebody is left who read it. What it finds is proof; where it tried all, there is none.
//
// For a serial order each transaction is one unit. For snapshots there are two, 2t for the start of t, which reads, and 2t+1 for its
// commit, which writes, and no two transactions that write one key overlap.
type scheduler struct {
	h     *History
	g     *graph // of units, then helpers
	split bool
	live  []bool
	steps int // left to take

	touches *touches

	before []int32 // by node: what must come first and is not done
	left   []int32 // by version, elements and then the initial ones of keys: who read it and is not done
	now    []int32 // by key: its version
	held   []bool  // by key: a transaction that writes it has started
	done   []bool  // by unit
	order  []int32
	total  int
	stop   func() bool
	tried  map[[2]uint64]bool
}

// How a search for an order ended.
type ending uint8

const (
	outOfSteps ending = iota
	found
	none // all were tried
)

// How many steps a search for an order takes at most besides one for each operation.
const orderSteps = 20_000_000

func newScheduler(ctx context.Context, h *History, g *graph, live []bool, touches *touches, split bool, steps int) *scheduler {
	s := &scheduler{h: h, g: g, split: split, live: live, touches: touches, steps: steps, stop: func() bool { return ctx.Err() != nil }}
	if split {
		s.g = g.split()
	}
	return s
}

// split returns the graph of starts and commits: who wrote what another replaces or reads commits before it starts, and who did not
// see what another wrote starts before that one commits.
func (g *graph) split() *graph {
	n := int32(g.txns)
	at := func(v, half int32) int32 { return 2*v + half } // of helpers too: they lead to starts, or to commits
	out := newGraph(2*g.txns, 2*g.nodes(), 2*len(g.dst)+g.txns)
	for v := range int32(g.nodes()) {
		for half := range int32(2) {
			if v < n && half == 0 {
				out.add(at(v, 1), edgePass)
			}
			for e := g.start[v]; e < g.start[v+1]; e++ {
				kind := g.kind[e]
				switch {
				case kind == edgePass:
					out.add(at(g.dst[e], half), kind)
				case anyRW.has(kind) && half == 0:
					out.add(at(g.dst[e], 1), kind)
				case !anyRW.has(kind) && half == 1:
					out.add(at(g.dst[e], 0), kind)
				}
			}
			out.done()
		}
	}
	return out
}

// search looks for an order: at first without a second thought, then by trying all.
func (s *scheduler) search() ending {
	s.reset()
	if s.greedy(false) {
		return found
	}
	s.reset()
	if s.greedy(true) {
		return found
	}
	s.reset()
	s.tried = map[[2]uint64]bool{}
	return s.all([2]uint64{})
}

func (s *scheduler) reset() {
	h := s.h
	s.order, s.total = s.order[:0], 0
	s.done = make([]bool, s.g.txns)
	s.before = make([]int32, s.g.nodes())
	for _, w := range s.g.dst {
		s.before[w]++
	}
	s.left = make([]int32, len(h.elemVal)+len(h.keyName))
	for _, x := range s.touches.all {
		if x.read >= 0 {
			s.left[x.read]++
		}
	}
	s.now, s.held = make([]int32, len(h.keyName)), make([]bool, len(h.keyName))
	for k := range s.now {
		s.now[k] = s.h.initial(int32(k))
	}
	for u := range int32(s.g.txns) {
		if s.live[s.txn(u)] {
			s.total++
		}
	}
	var free []int32 // helpers that nothing leads to
	for v := int32(s.g.txns); v < int32(s.g.nodes()); v++ {
		if s.before[v] == 0 {
			free = append(free, v)
		}
	}
	for _, v := range free {
		s.follow(v, nil)
	}
}

func (s *scheduler) txn(unit int32) int32 {
	if s.split {
		return unit / 2
	}
	return unit
}

// of returns what a unit touches, and whether it reads and writes.
func (s *scheduler) of(unit int32) (touches []keyTouch, reads, writes bool) {
	return s.touches.of(s.txn(unit)), !s.split || unit%2 == 0, !s.split || unit%2 == 1
}

// blocked returns a key that a unit must wait for, or -1.
func (s *scheduler) blocked(unit int32) int32 {
	touches, reads, writes := s.of(unit)
	for _, x := range touches {
		if reads && x.read >= 0 && s.now[x.key] != x.read {
			return x.key
		}
		if x.write < 0 {
			continue
		}
		if s.split && reads && s.held[x.key] {
			return x.key
		}
		others := s.left[s.now[x.key]]
		if reads && x.read >= 0 {
			others-- // itself
		}
		if writes && others > 0 {
			return x.key
		}
	}
	return -1
}

// run runs a unit, and gives each that has nothing ahead of it any more to ready.
func (s *scheduler) run(unit int32, ready func(int32)) {
	touches, reads, writes := s.of(unit)
	for _, x := range touches {
		if reads && x.read >= 0 {
			s.left[x.read]--
		}
		if x.write < 0 {
			continue
		}
		s.held[x.key] = s.split && reads
		if writes {
			s.now[x.key] = x.write
		}
	}
	s.done[unit] = true
	s.order = append(s.order, unit)
	s.follow(unit, ready)
}

func (s *scheduler) follow(v int32, ready func(int32)) {
	for e := s.g.start[v]; e < s.g.start[v+1]; e++ {
		w := s.g.dst[e]
		s.before[w]--
		switch {
		case s.before[w] != 0:
		case int(w) >= s.g.txns:
			s.follow(w, ready)
		case ready != nil:
			ready(w)
		}
	}
}

// A waiting is units in the order in which they are to run.
type waiting struct {
	units []int32
	rank  func(int32) int64
}

func (w *waiting) Len() int           { return len(w.units) }
func (w *waiting) Less(i, j int) bool { return w.rank(w.units[i]) < w.rank(w.units[j]) }
func (w *waiting) Swap(i, j int)      { w.units[i], w.units[j] = w.units[j], w.units[i] }
func (w *waiting) Push(x any)         { w.units = append(w.units, x.(int32)) }
func (w *waiting) Pop() any {
	last := len(w.units) - 1
	u := w.units[last]
	w.units = w.units[:last]
	return u
}

// greedy runs what can run, in order of calls or of returns, and says whether all did. What is blocked waits at a key until
// something happens to it.
func (s *scheduler) greedy(byReturn bool) bool {
	queue := &waiting{rank: func(u int32) int64 {
		if byReturn || s.split && u%2 == 1 {
			return s.h.ret[s.txn(u)]
		}
		return s.h.call[s.txn(u)]
	}}
	parked := make([][]int32, len(s.now))
	ready := func(u int32) {
		if s.live[s.txn(u)] {
			heap.Push(queue, u)
		}
	}
	for u := range int32(s.g.txns) {
		if s.before[u] == 0 {
			ready(u)
		}
	}
	for queue.Len() > 0 {
		u := heap.Pop(queue).(int32)
		if k := s.blocked(u); k >= 0 {
			parked[k] = append(parked[k], u)
			continue
		}
		if len(s.order)&0xfff == 0 && s.stop() {
			return false
		}
		s.run(u, ready)
		touches, _, _ := s.of(u)
		for _, x := range touches {
			again := parked[x.key]
			if len(again) > 0 && (x.write >= 0 || s.left[s.now[x.key]] <= 1) {
				parked[x.key] = nil
				for _, w := range again {
					heap.Push(queue, w)
				}
			}
		}
	}
	return len(s.order) == s.total
}
