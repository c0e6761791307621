package txn

import "slices"

// An automaton reads the kinds of a walk's edges after the first. It keeps in a few states what a class asks of the whole walk.
type automaton struct {
	states int
	first  int // after the first edge
	accept int // the walk may close in this state
	next   func(state int, kind uint8) (int, bool)
}

// Of G-nonadjacent: whether the edge before was an anti-dependency, and whether there were two.
const (
	afterRW = 1
	twoRW   = 2
)

func anyNext(state int, _ uint8) (int, bool) { return state, true }

var automata = [classes]automaton{
	classG0:     {states: 1, next: anyNext},
	classG1c:    {states: 1, next: anyNext},
	classSingle: {states: 1, next: anyNext},
	classNonadjacent: {states: 4, first: afterRW, accept: twoRW, next: func(state int, kind uint8) (int, bool) {
		switch {
		case kind == edgePass:
			return state, true
		case !anyRW.has(kind):
			return state &^ afterRW, true
		}
		return afterRW | twoRW, state&afterRW == 0
	}},
	// The second edge is an anti-dependency like the first.
	classG2: {states: 2, accept: 1, next: func(state int, kind uint8) (int, bool) {
		if kind == edgePass {
			return state, true
		}
		return 1, state == 1 || anyRW.has(kind)
	}},
}

// walk returns the shortest closed walk of a class that starts with an edge and is shorter than a limit, or nil. Each pair of node
// and state is visited once, so it takes time in proportion to the graph.
func (s *searcher) walk(c class, m mask, comps *sccs, from start, limit int) []step {
	g, a := s.g, automata[c]
	s.epoch++
	state := a.first
	if c == classG2 && (serialWW | serialRW).has(g.kind[from.edge]) {
		state = a.accept // what rests on a serial order needs no other edge beside it
	}
	at := int(g.dst[from.edge])*a.states + state
	goal := int(from.node)*a.states + a.accept
	s.mark[at], s.via[at], s.edge[at] = s.epoch, -1, from.edge
	if at == goal {
		return nil // no edge leads to itself
	}
	level, next := []int32{int32(at)}, []int32(nil)
	for length := 1; len(level) > 0 && length+1 < limit; length++ {
		for i := 0; i < len(level); i++ { // helpers are added to level while it is read: they have no length
			at := level[i]
			v, state := at/int32(a.states), int(at)%a.states
			s.steps += int(g.start[v+1] - g.start[v])
			for e := g.start[v]; e < g.start[v+1]; e++ {
				if !m.has(g.kind[e]) {
					continue
				}
				w := g.dst[e]
				if comps != nil && comps.comp[w] < comps.comp[from.node] {
					continue // no way back
				}
				to, ok := a.next(state, g.kind[e])
				if !ok {
					continue
				}
				there := w*int32(a.states) + int32(to)
				if s.mark[there] == s.epoch {
					continue
				}
				s.mark[there], s.via[there], s.edge[there] = s.epoch, at, e
				switch {
				case int(there) == goal:
					return s.trace(a.states, from.node, there)
				case int(w) >= g.txns:
					level = append(level, there)
				default:
					next = append(next, there)
				}
			}
		}
		level, next = next, level[:0]
	}
	return nil
}

// trace reads a walk back from its end, and takes the helpers out.
func (s *searcher) trace(states int, first, end int32) []step {
	g := s.g
	var edges []int32
	for at := end; at >= 0; at = s.via[at] {
		edges = append(edges, s.edge[at])
	}
	slices.Reverse(edges)
	var steps []step
	from, kind := first, edgePass
	for _, e := range edges {
		if g.kind[e] != edgePass {
			kind = g.kind[e]
		}
		if to := g.dst[e]; int(to) < g.txns {
			steps = append(steps, step{from, to, kind})
			from = to
		}
	}
	return steps
}

// record keeps the cycles of a closed walk that are the shortest of their class so far. It says whether the walk is one cycle.
func (s *searcher) record(walk []step) (whole bool) {
	at := map[int32]int{} // transaction: where it is in path
	var path []step
	for _, st := range walk {
		at[st.from] = len(path)
		path = append(path, st)
		i, again := at[st.to]
		if !again {
			continue
		}
		whole = len(path) == len(walk)
		s.keep(slices.Clone(path[i:]))
		for _, old := range path[i:] {
			delete(at, old.from)
		}
		path = path[:i]
	}
	return whole
}

func (s *searcher) keep(steps []step) {
	c := classify(steps)
	if old, ok := s.found[c.name()]; !ok || len(steps) < len(old.steps) {
		s.found[c.name()] = c
	}
}

// classify names a cycle by its edges.
func classify(steps []step) cycle {
	c := cycle{class: classG0, steps: steps}
	rws, adjacent, inferred, serial := 0, false, false, false
	before := anyRW.has(steps[len(steps)-1].kind)
	for _, st := range steps {
		c.level = max(c.level, levelOf(st.kind))
		rw := anyRW.has(st.kind)
		if rw {
			rws++
			adjacent = adjacent || before
		}
		inferred = inferred || inferredWW.has(st.kind)
		serial = serial || (serialWW | serialRW).has(st.kind)
		if st.kind == edgeWR {
			c.class = classG1c
		}
		before = rw
	}
	switch {
	case serial:
		c.class = classG2
	case rws == 1, rws == 0 && inferred:
		c.class = classSingle
	case rws > 1 && adjacent:
		c.class = classG2
	case rws > 1:
		c.class = classNonadjacent
	}
	return c
}
