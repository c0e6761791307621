package linear

import (
	"cmp"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

const forcedEngine = "circle of forced orders"

// A cell is what an operation does to a register: what it certainly read, what it writes if it takes effect, and the register's value
// at first.
type cell struct {
	reads, writes      bool
	read, wrote, start history.Value
}

// forced are the orders of a register's operations that any order of the clients must keep. A read comes after the write of its value,
// where only one wrote it. Another write that comes before the read comes before that write; and one that comes after the write comes
// after the read. A circle of such orders is a fail, found in polynomial time; that there is none says nothing.
type forced struct {
	ops    []history.Op
	nodes  []forcedOp
	chains [][]int32 // of clients: nodes, in order of call; a pending operation is a chain of its own
	edges  []forcedEdge
	out    [][]int32   // node: edges
	past   []int32     // node × chain: how many of the chain come before it, or are it
	lines  [][][]int32 // key: the writes of each chain
	steps  int64
}

// A forcedOp is an operation. It reads what node from wrote; fromStart is the value at first, and fromNobody one that is not known.
type forcedOp struct {
	i, chain, at int32
	key          int32
	from         int32
	writes       bool
}

const (
	fromNobody = -1
	fromStart  = -2
)

// A forcedEdge is an order, and why: because first comes before then, and read reads what it does. Others are given: first is -1.
type forcedEdge struct{ from, to, first, then, read int32 }

// What finding forced orders may cost: places of past, and rounds.
const (
	maxPast   = 50_000_000
	maxRounds = 100
)

// decideForced returns a fail with its core, or else the orders that are forced, if that is not too much.
func decideForced(m Model, ops []history.Op, members []int32) (f outcome, g *forced) {
	if m.cell == nil {
		return f, nil
	}
	g = &forced{ops: ops}
	core, ok := g.build(m, members)
	for round := 0; ok && core == nil && round < maxRounds; round++ {
		g.steps += int64(len(g.past) + len(g.edges))
		if core = g.circle(); core != nil {
			break
		}
		before := len(g.edges)
		if core = g.saturate(); len(g.edges) == before {
			break
		}
	}
	f.steps = g.steps
	if core != nil {
		slices.Sort(core)
		f.verdict, f.core, f.engine = verdict.Fail, slices.Compact(core), forcedEngine
	}
	if !ok || core != nil {
		g = nil
	}
	return f, g
}

// build makes nodes and the orders that are given. It returns a read of what nobody wrote; and false if it is too much.
func (g *forced) build(m Model, members []int32) (core []int32, ok bool) {
	members = slices.Clone(members)
	slices.SortStableFunc(members, func(a, b int32) int { return cmp.Compare(g.ops[a].Call, g.ops[b].Call) })
	cells := make([]cell, len(members))
	var keys, values numbers
	writers := map[[2]int32]int32{} // key and value: the only writer, -1 if there are more
	name := func(op *history.Op, v history.Value) [2]int32 {
		key, _ := keys.of(m.partition(op))
		value, _ := values.of(v)
		return [2]int32{key, value}
	}
	for n, i := range members {
		cells[n] = m.cell(&g.ops[i])
		if !cells[n].writes {
			continue
		}
		id := name(&g.ops[i], cells[n].wrote)
		if _, twice := writers[id]; twice {
			writers[id] = -1
		} else {
			writers[id] = int32(n)
		}
	}
	seen := map[int32]bool{} // members whose value was read: they took effect
	from := make([]int32, len(members))
	for n, i := range members {
		if from[n] = fromNobody; !cells[n].reads {
			continue
		}
		writer, written := writers[name(&g.ops[i], cells[n].read)]
		first := cells[n].read.Equal(cells[n].start)
		switch {
		case !written && !first:
			return []int32{i}, true
		case !written:
			from[n] = fromStart
		case !first && writer >= 0 && writer != int32(n):
			from[n], seen[writer] = writer, true
		}
	}
	return nil, g.link(m, members, cells, from, seen, &keys)
}

// link makes nodes of operations that took effect, and chains of those of clients.
func (g *forced) link(m Model, members []int32, cells []cell, from []int32, seen map[int32]bool, keys *numbers) bool {
	clients := map[string]int32{}
	node := make([]int32, len(members))
	var before []int32 // pending nodes and what they come after
	for n, i := range members {
		op := &g.ops[i]
		if node[n] = -1; op.Outcome != history.OK && !seen[int32(n)] {
			continue
		}
		chain, known := clients[op.Client]
		if !known {
			chain = int32(len(g.chains))
			clients[op.Client], g.chains = chain, append(g.chains, nil)
		}
		line := g.chains[chain]
		node[n] = int32(len(g.nodes))
		if last := len(line) - 1; last >= 0 && g.ops[g.nodes[line[last]].i].Call == op.Call {
			return false // of two at one moment neither is first
		} else if op.Outcome != history.OK {
			if last >= 0 {
				before = append(before, line[last], node[n])
			}
			chain = int32(len(g.chains))
			g.chains = append(g.chains, nil)
		}
		key, _ := keys.of(m.partition(op))
		g.nodes = append(g.nodes, forcedOp{i: i, chain: chain, at: int32(len(g.chains[chain])), key: key, from: from[n], writes: cells[n].writes})
		g.chains[chain] = append(g.chains[chain], node[n])
	}
	if len(g.nodes)*len(g.chains) > maxPast {
		return false
	}
	g.out, g.past = make([][]int32, len(g.nodes)), make([]int32, len(g.nodes)*len(g.chains))
	g.lines = make([][][]int32, keys.next)
	lines := map[[2]int32]int{} // key and chain
	for n := 0; n < len(before); n += 2 {
		g.edge(forcedEdge{before[n], before[n+1], -1, -1, -1})
	}
	for n := range g.nodes {
		o := &g.nodes[n]
		if o.from >= 0 {
			o.from = node[o.from]
			g.edge(forcedEdge{o.from, int32(n), -1, -1, -1})
		}
		if !o.writes {
			continue
		}
		at, known := lines[[2]int32{o.key, o.chain}]
		if !known {
			at = len(g.lines[o.key])
			lines[[2]int32{o.key, o.chain}], g.lines[o.key] = at, append(g.lines[o.key], nil)
		}
		g.lines[o.key][at] = append(g.lines[o.key][at], int32(n))
	}
	return true
}

func (g *forced) edge(e forcedEdge) {
	g.out[e.from] = append(g.out[e.from], int32(len(g.edges)))
	g.edges = append(g.edges, e)
}

// comes says whether a comes before b, or is b.
func (g *forced) comes(a, b int32) bool {
	return g.past[int(b)*len(g.chains)+int(g.nodes[a].chain)] > g.nodes[a].at
}

// circle finds out what comes before each node; or returns the core of a circle.
func (g *forced) circle() []int32 {
	clear(g.past)
	waits := make([]int32, len(g.nodes))
	for _, e := range g.edges {
		waits[e.to]++
	}
	var ready []int32
	for n := range g.nodes {
		if g.nodes[n].at > 0 {
			waits[n]++
		}
		if waits[n] == 0 {
			ready = append(ready, int32(n))
		}
	}
	width, done := len(g.chains), 0
	pass := func(from, to int32) {
		a, b := g.past[int(from)*width:int(from+1)*width], g.past[int(to)*width:int(to+1)*width]
		for c := range a {
			b[c] = max(b[c], a[c])
		}
		if waits[to]--; waits[to] == 0 {
			ready = append(ready, to)
		}
	}
	for ; len(ready) > 0; done++ {
		n := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		o := &g.nodes[n]
		g.past[int(n)*width+int(o.chain)] = o.at + 1
		if next := int(o.at) + 1; next < len(g.chains[o.chain]) {
			pass(n, g.chains[o.chain][next])
		}
		for _, e := range g.out[n] {
			pass(n, g.edges[e].to)
		}
	}
	if done == len(g.nodes) {
		return nil
	}
	for n := range g.nodes {
		if waits[n] > 0 {
			if core := g.proof(int32(n), int32(n)); core != nil {
				return core
			}
		}
	}
	return nil
}

// saturate adds the orders that reads force. It returns a core where a read of the value at first comes after a write.
func (g *forced) saturate() []int32 {
	for n := range g.nodes {
		r := int32(n)
		w := g.nodes[r].from
		if w == fromNobody {
			continue
		}
		for _, line := range g.lines[g.nodes[r].key] {
			g.steps += 2
			if other := g.lastBefore(line, r); other >= 0 && other != w {
				if w == fromStart {
					return g.proof(other, r)
				}
				if !g.comes(other, w) {
					g.edge(forcedEdge{other, w, other, r, r})
				}
			}
			if other := g.firstAfter(line, w, r); other >= 0 && !g.comes(r, other) {
				g.edge(forcedEdge{r, other, w, other, r})
			}
		}
	}
	return nil
}

// lastBefore returns the last of a chain's writes that comes before a read, or -1.
func (g *forced) lastBefore(line []int32, r int32) int32 {
	at, _ := slices.BinarySearchFunc(line, true, func(n int32, _ bool) int {
		if g.comes(n, r) && n != r {
			return -1
		}
		return 1
	})
	if at == 0 {
		return -1
	}
	return line[at-1]
}

// firstAfter returns the first of a chain's writes, but the read itself, that comes after a write, or -1. All come after the start.
func (g *forced) firstAfter(line []int32, w, r int32) int32 {
	at := 0
	if w >= 0 {
		at, _ = slices.BinarySearchFunc(line, true, func(n int32, _ bool) int {
			if g.comes(w, n) && n != w {
				return 1
			}
			return -1
		})
	}
	if at < len(line) && line[at] == r {
		at++
	}
	if at == len(line) {
		return -1
	}
	return line[at]
}
