package txn

import "math"

// Kinds of edges. The graph's nodes are transactions, and helpers that stand for many edges at once: the barriers of realtime.go,
// and the tails of append.go.
const (
	edgePass    uint8 = iota // from a helper: it says nothing beyond the edge that led to the helper
	edgeWW                   // overwrote, or appended after
	edgeWR                   // read what the other wrote
	edgeRW                   // did not see what the other wrote
	edgeProcess              // the same process, later
	edgeTime                 // called after the other returned
	// Of registers, whose order of versions rests on the order of a process or of time: if it is not so, there is a G-single.
	edgeProcessWW
	edgeProcessRW
	edgeTimeWW
	edgeTimeRW
	// The same by what wrote and read what: if it is not so, there is a G1c or a G-single.
	edgeDataWW
	edgeDataRW
	// The order of versions rests on there being a serial order.
	edgeSerialWW
	edgeSerialRW
	edgeSerialProcessWW
	edgeSerialProcessRW
	edgeSerialTimeWW
	edgeSerialTimeRW
)

// A footing is what the order of two versions rests on: if it is wrong, there is a cycle of a class all the same.
type footing uint8

const (
	onData   footing = iota
	onSingle         // there is no G-single, nor anything worse
	onSerial         // there is a serial order
)

// A mask is a set of kinds of edges.
type mask uint32

func kinds(ks ...uint8) mask {
	var m mask
	for _, k := range ks {
		m |= 1 << k
	}
	return m
}

func (m mask) has(kind uint8) bool { return m>>kind&1 == 1 }

// What an edge is, whatever its order of versions was inferred by.
const (
	inferredWW = mask(1<<edgeProcessWW | 1<<edgeTimeWW | 1<<edgeDataWW)
	inferredRW = mask(1<<edgeProcessRW | 1<<edgeTimeRW | 1<<edgeDataRW)
	serialWW   = mask(1<<edgeSerialWW | 1<<edgeSerialProcessWW | 1<<edgeSerialTimeWW)
	serialRW   = mask(1<<edgeSerialRW | 1<<edgeSerialProcessRW | 1<<edgeSerialTimeRW)
	anyWW      = serialWW | inferredWW | 1<<edgeWW
	anyRW      = serialRW | inferredRW | 1<<edgeRW
)

// A level says which orders besides that of the data transactions must keep.
type level uint8

const (
	byData    level = iota
	byProcess       // and the order of each process
	byTime          // and the order of real time
)

// upTo returns the edges that count at a level, and rest on no more than that.
func (l level) upTo(most footing) mask {
	m := kinds(edgePass, edgeWW, edgeWR, edgeRW, edgeDataWW, edgeDataRW, edgeSerialWW, edgeSerialRW)
	if l >= byProcess {
		m |= kinds(edgeProcess, edgeProcessWW, edgeProcessRW, edgeSerialProcessWW, edgeSerialProcessRW)
	}
	if l >= byTime {
		m |= kinds(edgeTime, edgeTimeWW, edgeTimeRW, edgeSerialTimeWW, edgeSerialTimeRW)
	}
	if most < onSingle {
		m &^= inferredWW | inferredRW
	}
	if most < onSerial {
		m &^= serialWW | serialRW
	}
	return m
}

func levelOf(kind uint8) level {
	switch kind {
	case edgeProcess, edgeProcessWW, edgeProcessRW, edgeSerialProcessWW, edgeSerialProcessRW:
		return byProcess
	case edgeTime, edgeTimeWW, edgeTimeRW, edgeSerialTimeWW, edgeSerialTimeRW:
		return byTime
	}
	return byData
}

// A graph is its edges sorted by source: those of v are start[v] to start[v+1].
type graph struct {
	start []int32
	dst   []int32
	kind  []uint8
	txns  int // nodes below are transactions, the others helpers
}

func (g *graph) nodes() int { return len(g.start) - 1 }

// newGraph returns a graph without nodes, with room for that many nodes and edges.
func newGraph(txns, nodes, edges int) *graph {
	g := &graph{txns: txns, start: make([]int32, 1, nodes+1), dst: make([]int32, 0, edges), kind: make([]uint8, 0, edges)}
	return g
}

// add adds an edge of the node that is being made.
func (g *graph) add(to int32, kind uint8) {
	g.dst, g.kind = append(g.dst, to), append(g.kind, kind)
}

// done ends the node that is being made.
func (g *graph) done() { g.start = append(g.start, int32(len(g.dst))) }

const assigned = math.MaxInt32

type frame struct{ node, edge int32 }

// A sccs is the result of components.
type sccs struct {
	comp  []int32 // by node: the number of its component, in reverse topological order from 0
	count int32
	order []int32 // nodes in reverse topological order of their components
	big   []int32 // nodes in components of more than one node, each component together
}

// components finds the strongly connected components over the edges in m, by Tarjan's algorithm without recursion.
//
// Roots are taken from the last to the first: nodes are numbered about in order of time, most edges lead forward, and so what a
// node leads to is mostly done, and the stack stays short.
func (g *graph) components(m mask) *sccs {
	n := g.nodes()
	s := &sccs{comp: make([]int32, n), order: make([]int32, 0, n)}
	low := make([]int32, n) // 0: not seen
	var stack []int32
	var frames []frame
	next := int32(1)
	for root := int32(n) - 1; root >= 0; root-- {
		if low[root] != 0 {
			continue
		}
		frames = append(frames[:0], frame{root, g.start[root]})
		s.comp[root], low[root] = next, next // comp holds the index of visit until the component is known
		next++
		stack = append(stack, root)
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			v := f.node
			if child := g.advance(f, m, low); child >= 0 {
				s.comp[child], low[child] = next, next
				next++
				stack = append(stack, child)
				frames = append(frames, frame{child, g.start[child]})
				continue
			}
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				parent := frames[len(frames)-1].node
				low[parent] = min(low[parent], low[v])
			}
			if low[v] == s.comp[v] {
				stack = s.pop(stack, v, low)
			}
		}
	}
	return s
}

// advance goes on with the edges of a frame to the next node that was not seen, and returns it, or -1 at the end.
func (g *graph) advance(f *frame, m mask, low []int32) int32 {
	v, end := f.node, g.start[f.node+1]
	for f.edge < end {
		e := f.edge
		if !m.has(g.kind[e]) {
			f.edge++
			continue
		}
		w := g.dst[e]
		f.edge++
		switch l := low[w]; {
		case l == 0:
			return w
		case l != assigned:
			low[v] = min(low[v], l)
		}
	}
	return -1
}

// pop takes the component of root off the stack.
func (s *sccs) pop(stack []int32, root int32, low []int32) []int32 {
	at := len(stack) - 1
	for stack[at] != root {
		at--
	}
	members := stack[at:]
	for _, v := range members {
		low[v], s.comp[v] = assigned, s.count
	}
	s.order = append(s.order, members...)
	if len(members) > 1 {
		s.big = append(s.big, members...)
	}
	s.count++
	return stack[:at]
}

// within returns the graph of the nodes in big components, with the edges inside of one component, and the old number of each
// node. Transactions keep their order and stay ahead of helpers.
func (g *graph) within(s *sccs) (*graph, []int32) {
	in := make([]int32, g.nodes())
	for _, v := range s.big {
		in[v] = 1
	}
	var ids []int32
	txns := 0
	for v := range in {
		if in[v] == 0 {
			continue
		}
		in[v] = int32(len(ids)) + 1
		ids = append(ids, int32(v))
		if v < g.txns {
			txns++
		}
	}
	sub := newGraph(txns, len(ids), 4*len(ids))
	for _, v := range ids {
		for e := g.start[v]; e < g.start[v+1]; e++ {
			if w := g.dst[e]; s.comp[w] == s.comp[v] {
				sub.add(in[w]-1, g.kind[e])
			}
		}
		sub.done()
	}
	return sub, ids
}

// without returns the graph without some kinds of edges.
func (g *graph) without(m mask) *graph {
	out := newGraph(g.txns, g.nodes(), len(g.dst))
	for v := range g.nodes() {
		for e := g.start[v]; e < g.start[v+1]; e++ {
			if !m.has(g.kind[e]) {
				out.add(g.dst[e], g.kind[e])
			}
		}
		out.done()
	}
	return out
}
