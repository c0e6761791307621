package linear

// proof returns the operations that force a to come before b, where a is b for a circle; nil if they do not.
func (g *forced) proof(a, b int32) []int32 {
	p := &forcedProof{forced: g, in: map[int32]bool{}, known: map[int32]bool{}}
	if !p.path(a, b, int32(len(g.edges))) {
		return nil
	}
	p.take(a)
	p.take(b)
	var core []int32
	for n := range p.in {
		core = append(core, g.nodes[n].i)
	}
	return core
}

type forcedProof struct {
	*forced
	in    map[int32]bool // nodes
	known map[int32]bool // edges that are explained
}

// take adds an operation, and the write of what it reads.
func (p *forcedProof) take(n int32) {
	for n >= 0 && !p.in[n] {
		p.in[n] = true
		n = p.nodes[n].from
	}
}

// path explains that a comes before b, by edges that were there before one.
func (p *forcedProof) path(a, b, before int32) bool {
	type step struct{ node, prev, edge int32 } // edge -1: the next of the chain
	steps := []step{{a, -1, -1}}
	been := map[int32]bool{}
	for at := 0; at < len(steps); at++ {
		n := steps[at].node
		visit := func(to, edge int32) bool {
			if been[to] {
				return false
			}
			been[to] = true
			steps = append(steps, step{to, int32(at), edge})
			return to == b
		}
		o := &p.nodes[n]
		found := false
		if next := int(o.at) + 1; next < len(p.chains[o.chain]) {
			found = visit(p.chains[o.chain][next], -1)
		}
		for _, e := range p.out[n] {
			found = found || e < before && visit(p.edges[e].to, e)
		}
		if !found {
			continue
		}
		for s := len(steps) - 1; s > 0; s = int(steps[s].prev) {
			if steps[s].edge >= 0 && !p.explain(steps[s].edge) {
				return false
			}
		}
		return true
	}
	return false
}

// explain adds the operations that force an edge.
func (p *forcedProof) explain(e int32) bool {
	if p.known[e] {
		return true
	}
	p.known[e] = true
	edge := p.edges[e]
	p.take(edge.from)
	p.take(edge.to)
	if edge.read < 0 {
		return true
	}
	p.take(edge.read)
	return edge.first < 0 || p.path(edge.first, edge.then, e)
}
