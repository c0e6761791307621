package txn

import (
	"cmp"
	"slices"
)

// A class of cycles, from the worst to the least, by the anti-dependencies (rw) in it.
type class uint8

const (
	classG0          class = iota // writes alone
	classG1c                      // and reads of what was written
	classSingle                   // one anti-dependency
	classNonadjacent              // more, no two of them in a row
	classG2                       // more, two of them in a row
	classes
)

// footing returns what edges may rest on that count in cycles of a class.
func (c class) footing() footing {
	switch {
	case c < classSingle:
		return onData
	case c < classG2:
		return onSingle
	}
	return onSerial
}

var classNames = [...]string{"G0", "G1c", "G-single", "G-nonadjacent", "G2-item"}

var levelNames = [...]string{"", "-process", "-realtime"}

// A step is an edge between transactions, helpers taken out.
type step struct {
	from, to int32
	kind     uint8
}

// A cycle is closed: the last step leads to where the first one starts. No transaction is in it twice.
type cycle struct {
	class class
	level level
	steps []step
}

func (c cycle) name() string { return classNames[c.class] + levelNames[c.level] }

// How many edges the search for shorter cycles may look at, for each class. Whether there is a cycle is decided without a limit.
const shortenSteps = 30_000_000

// A searcher looks for cycles in a graph whose nodes all lie on some.
//
// Whether a class exists is decided exactly and in polynomial time. A closed walk of a class may pass a transaction twice: then it
// falls apart into cycles, of which one is of this class or of a worse one, and that one is found.
type searcher struct {
	g     *graph
	found map[string]cycle
	steps int // taken
	most  int // for shorter cycles of each class
	stop  func() bool

	mark  []int32 // by node and state: the search that reached it
	via   []int32 // the node and state it was reached from
	edge  []int32
	epoch int32
}

// searchCycles returns the cycles found, one of each class and level, a level left out where a lower one has the class.
// The search for shorter ones ends after that many steps for each class. It says how many steps it took.
func searchCycles(g *graph, want level, most int, stop func() bool) (map[string]cycle, int) {
	s := &searcher{g: g, found: map[string]cycle{}, most: most, stop: stop}
	for c := range classes {
		for l := byData; l <= want; l++ {
			if stop() || s.search(c, l) {
				break // the higher levels follow
			}
		}
	}
	return s.found, s.steps
}

// A start is a first edge for the search of a cycle.
type start struct{ node, edge int32 }

// search says whether there is a closed walk of a class at a level.
func (s *searcher) search(c class, l level) bool {
	starts, m, comps := s.starts(c, l)
	if len(starts) == 0 {
		return false
	}
	best := int(^uint(0) >> 1)
	had := s.steps
	states := automata[c].states
	if n := s.g.nodes() * states; len(s.mark) < n {
		s.mark, s.via, s.edge = make([]int32, n), make([]int32, n), make([]int32, n)
		s.epoch = 0
	}
	exists := false
	for _, from := range starts {
		if exists && s.steps-had > s.most || s.stop() {
			break
		}
		walk := s.walk(c, m, comps, from, best)
		if walk == nil {
			continue
		}
		exists = true
		if s.record(walk) && len(walk) < best {
			best = len(walk)
		}
	}
	return exists
}

// starts returns edges that each lie on a walk of the class, the edges allowed after it, and the components that bound it.
func (s *searcher) starts(c class, l level) ([]start, mask, *sccs) {
	all := l.upTo(c.footing())
	switch c {
	case classG0:
		m := all &^ (anyRW | kinds(edgeWR))
		comps := s.g.components(m)
		return s.inside(comps, m&anyWW), m, comps
	case classG1c:
		m := all &^ anyRW
		comps := s.g.components(m)
		return s.inside(comps, kinds(edgeWR)), m, comps
	case classSingle:
		m := all &^ anyRW
		comps := s.g.components(m)
		return append(s.inside(comps, m&inferredWW), s.closing(comps, m, all&anyRW)...), m, comps
	case classNonadjacent:
		return s.nonadjacent(all), all, nil
	default:
		comps := s.g.components(all)
		return append(s.inside(comps, all&serialWW), s.adjacent(comps, all&anyRW)...), all, comps
	}
}

// inside returns the edges of the given kinds that lie in a component.
func (s *searcher) inside(comps *sccs, m mask) []start {
	var starts []start
	g := s.g
	for v := range int32(g.nodes()) {
		for e := g.start[v]; e < g.start[v+1]; e++ {
			if m.has(g.kind[e]) && comps.comp[g.dst[e]] == comps.comp[v] {
				starts = append(starts, start{v, e})
			}
		}
	}
	return starts
}

// adjacent returns the anti-dependencies in a component that another one of it may follow.
func (s *searcher) adjacent(comps *sccs, rw mask) []start {
	starts := s.inside(comps, rw)
	leaves := make([]bool, s.g.nodes())
	for _, st := range starts {
		leaves[st.node] = true
	}
	return slices.DeleteFunc(starts, func(st start) bool {
		w := s.g.dst[st.edge]
		return int(w) < s.g.txns && !leaves[w] && !serialRW.has(s.g.kind[st.edge])
	})
}

// nonadjacent returns the anti-dependencies on a closed walk without two of them in a row: those inside a component of the graph
// whose nodes are doubled by whether the edge before was one.
func (s *searcher) nonadjacent(all mask) []start {
	g := s.g
	n := g.nodes()
	double := newGraph(2*n, 2*n, 3*len(g.dst))
	for v := range int32(n) {
		for after := range int32(2) {
			for e := g.start[v]; e < g.start[v+1]; e++ {
				switch kind := g.kind[e]; {
				case !all.has(kind):
				case kind == edgePass:
					double.add(2*g.dst[e]+after, kind)
				case !anyRW.has(kind):
					double.add(2*g.dst[e], kind)
				case after == 0:
					double.add(2*g.dst[e]+1, kind)
				}
			}
			double.done()
		}
	}
	comps := double.components(^mask(0))
	var starts []start
	for v := range int32(n) {
		for e := g.start[v]; e < g.start[v+1]; e++ {
			if all.has(g.kind[e]) && anyRW.has(g.kind[e]) && comps.comp[2*v] == comps.comp[2*g.dst[e]+1] {
				starts = append(starts, start{v, e})
			}
		}
	}
	return starts
}

// Of anti-dependencies whose ends are that near in topological order, all are looked at before the others.
const nearSpan = 4096

// closing returns anti-dependencies u → v for which v leads back to u over the edges in m; all of those that are near, and else
// the first that are found.
//
// Components are numbered in reverse topological order, so v can lead to u only if its number is not below, and only components
// between the two matter. Sixty-four questions are asked at once, a bit for each.
func (s *searcher) closing(comps *sccs, m, rw mask) []start {
	g, comp := s.g, comps.comp
	var found, open []start
	for v := range int32(g.nodes()) {
		for e := g.start[v]; e < g.start[v+1]; e++ {
			switch from, to := comp[v], comp[g.dst[e]]; {
			case !rw.has(g.kind[e]) || to < from:
			case to == from:
				found = append(found, start{v, e})
			default:
				open = append(open, start{v, e})
			}
		}
	}
	far := func(st start) int32 {
		if comp[g.dst[st.edge]]-comp[st.node] > nearSpan {
			return 1
		}
		return 0
	}
	slices.SortFunc(open, func(a, b start) int {
		return cmp.Or(cmp.Compare(far(a), far(b)), cmp.Compare(comp[g.dst[b.edge]], comp[g.dst[a.edge]]), cmp.Compare(a.edge, b.edge))
	})
	reach := make([]uint64, comps.count)
	ends := make([]int32, comps.count+1) // of component c: comps.order[ends[c]:ends[c+1]]
	for i, v := range comps.order {
		ends[comp[v]+1] = int32(i) + 1
	}
	for len(open) > 0 && (len(found) == 0 || far(open[0]) == 0) {
		n := 1
		for n < min(64, len(open)) && far(open[n]) == far(open[0]) {
			n++
		}
		found = append(found, s.ask(open[:n], comps, ends, reach, m)...)
		open = open[n:]
	}
	return found
}

// ask returns those of up to 64 anti-dependencies that close.
func (s *searcher) ask(open []start, comps *sccs, ends []int32, reach []uint64, m mask) []start {
	g, comp := s.g, comps.comp
	low, high := comps.count, int32(0)
	for i, st := range open {
		to := comp[g.dst[st.edge]]
		reach[to] |= 1 << i
		low, high = min(low, comp[st.node]), max(high, to)
	}
	for c := high; c > low; c-- {
		if reach[c] == 0 {
			continue
		}
		for _, v := range comps.order[ends[c]:ends[c+1]] {
			for e := g.start[v]; e < g.start[v+1]; e++ {
				if w := comp[g.dst[e]]; m.has(g.kind[e]) && w >= low {
					reach[w] |= reach[c]
				}
			}
		}
	}
	var found []start
	for i, st := range open {
		if reach[comp[st.node]]>>i&1 == 1 {
			found = append(found, st)
		}
	}
	clear(reach[low : high+1])
	return found
}
