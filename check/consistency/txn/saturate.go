package txn

// How many edges are looked at to infer the order of versions, and from one transaction at least.
const (
	saturateSteps = 100_000_000
	nearSteps     = 64
)

// saturate infers the order of versions from that of transactions, and so more of that one, until nothing changes: if who wrote v
// comes before who wrote w, or before who read w, then v is the earlier version, and so who read v comes before who wrote w. It says
// whether there is anything new, and how many steps it took of those it may take.
//
// Where transactions come before one another by reads and writes alone, the opposite would be a G1c or a G-single; where
// anti-dependencies are among what leads there, it is only known that no serial order has it otherwise.
func (g *registers) saturate(want level, most int, stop func() bool) (any bool, took int) {
	steps := most
	for l := byData; l <= want; l++ {
		for _, on := range []footing{onSingle, onSerial} {
			m := l.upTo(on)
			if on == onSingle {
				m &^= anyRW
			}
			for steps > 0 && !stop() {
				graph := g.graph(want)
				if len(graph.components(m).big) > 0 || !g.inferFrom(graph, m, int32(l)+3*int32(on), &steps, stop) {
					break // a cycle is there already, or nothing is new
				}
				any = true
			}
		}
	}
	return any, most - steps
}

// inferFrom orders the versions of each key by what leads to what over the edges in m. It says whether there is anything new.
func (g *registers) inferFrom(graph *graph, m mask, how int32, steps *int, stop func() bool) bool {
	h := g.h
	writers := 1
	for _, ws := range g.writers.of {
		writers += len(ws)
	}
	near := max(nearSteps, *steps/writers)
	g.fresh = g.fresh[:0]
	r := reacher{g: graph, mask: m, mark: make([]int32, graph.nodes())}
	for k, ws := range g.writers.of {
		if len(ws) < 2 {
			continue
		}
		for _, w := range ws {
			if *steps <= 0 || stop() {
				break
			}
			v := g.touches.on(w, int32(k)).write
			*steps -= r.from(w, near, func(t int32) (pass bool) {
				x := g.touches.on(t, int32(k))
				g.orderVersions(v, x.read, how)
				g.orderVersions(v, x.write, how)
				return x.write < 0
			})
		}
	}
	if len(g.fresh) == 0 {
		return false
	}
	had := g.later
	g.later = newIndex(len(h.elemVal), func(add func(v, packed int32)) {
		for v := range int32(len(h.elemVal)) {
			for _, packed := range had.of(v) {
				add(v, packed)
			}
		}
		for _, p := range g.fresh {
			add(p[0], p[1])
		}
	}).distinct()
	return true
}

// orderVersions notes that w is later than v, unless that is known for as good a reason.
func (g *registers) orderVersions(v, w, how int32) {
	if w < 0 || w >= g.h.initial(0) || w == v || g.h.writer[w] < 0 || !g.live[g.h.writer[w]] || g.h.writer[w] == g.h.writer[v] {
		return
	}
	for _, packed := range g.later.of(v) {
		if known := packed % orders; packed/orders == w && known%3 <= how%3 && known/3 <= how/3 {
			return
		}
	}
	g.fresh = append(g.fresh, [2]int32{v, orders*w + how})
}

// A reacher visits what a transaction leads to.
type reacher struct {
	g     *graph
	mask  mask
	mark  []int32 // by node: the last visit
	queue []int32
	epoch int32
}

// from visits the transactions after one, the nearest first, beyond those that visit lets pass. It returns how many edges it looked
// at, which are not many more than most.
func (r *reacher) from(t int32, most int, visit func(int32) bool) int {
	g := r.g
	r.epoch++
	r.mark[t] = r.epoch
	r.queue = append(r.queue[:0], t)
	steps := 0
	for i := 0; i < len(r.queue) && steps < most; i++ {
		v := r.queue[i]
		for e := g.start[v]; e < g.start[v+1]; e++ {
			steps++
			w := g.dst[e]
			if !r.mask.has(g.kind[e]) || r.mark[w] == r.epoch {
				continue
			}
			r.mark[w] = r.epoch
			if int(w) >= g.txns || visit(w) {
				r.queue = append(r.queue, w)
			}
		}
	}
	return steps
}

// cyclicVersions reports keys whose versions have no order: each was read by who wrote the next, and so round.
func (g *registers) cyclicVersions(r *reporter) {
	h := g.h
	n := len(h.elemVal)
	versions := newGraph(n, n, len(g.later.items))
	for v := range int32(n) {
		for _, packed := range g.later.of(v) {
			if packed%orders == int32(byData) {
				versions.add(packed/orders, edgeWW)
			}
		}
		versions.done()
	}
	comps := versions.components(^mask(0))
	reported := map[int32]bool{}
	for _, v := range comps.big {
		if c := comps.comp[v]; !reported[c] {
			reported[c] = true
			r.add("cyclic-versions", h.elemKey[v], v, versions.round(comps, v, h.writer)...)
		}
	}
}

// round returns who wrote the versions of a cycle in a component.
func (g *graph) round(comps *sccs, v int32, writer []int32) []int32 {
	at := map[int32]int{}
	var cycle []int32
	for {
		if i, again := at[v]; again {
			cycle = cycle[i:]
			break
		}
		at[v] = len(cycle)
		cycle = append(cycle, v)
		for e := g.start[v]; e < g.start[v+1]; e++ {
			if comps.comp[g.dst[e]] == comps.comp[v] {
				v = g.dst[e]
				break
			}
		}
	}
	txns := make([]int32, len(cycle))
	for i, v := range cycle {
		txns[i] = writer[v]
	}
	return txns
}
