package linear

import "github.com/assay-dev/assay/history"

// A guide keeps a search of the clients' orders from what forced orders rule out: an operation before one that must come first, and
// a write over a value that is still to be read.
type guide struct {
	*forced
	of      map[int32]*guided // place in the history
	chains  []int32           // of forced: the client of the search, or -1 for a pending operation
	left    []int32           // node: how many reads of its value are to come
	first   []int32           // key: the same for the value at first
	current []int32           // key: the node that wrote last, fromStart, or fromNobody
}

// A guided operation has a node, or -1, and a key.
type guided struct {
	node, key int32
	writes    bool
}

// newGuide returns the guide of what was saturated without a circle; nil if there is none.
func newGuide(g *forced, m Model, members []int32) *guide {
	if g == nil || len(g.nodes) == 0 {
		return nil
	}
	d := &guide{forced: g, of: map[int32]*guided{}, left: make([]int32, len(g.nodes))}
	keys := map[string]int32{}
	nodes := map[int32]int32{}
	for n := range g.nodes {
		nodes[g.nodes[n].i] = int32(n)
	}
	for _, i := range members {
		op := &g.ops[i]
		name := partName(m, op)
		key, known := keys[name]
		if !known {
			key = int32(len(keys))
			keys[name], d.first, d.current = key, append(d.first, 0), append(d.current, fromStart)
		}
		o := &guided{node: -1, key: key, writes: m.cell(op).writes}
		if n, known := nodes[i]; known {
			o.node = n
			d.promise(o, 1)
		}
		d.of[i] = o
	}
	return d
}

// promise counts a read of the value that a node reads.
func (d *guide) promise(o *guided, by int32) {
	if o.node < 0 {
		return
	}
	switch from := d.nodes[o.node].from; {
	case from >= 0:
		d.left[from] += by
	case from == fromStart:
		d.first[o.key] += by
	}
}

// mayCome says whether an operation may come next, where at says how many of each client came.
func (d *guide) mayCome(i int32, s *sessions) bool {
	o := d.of[i]
	if o.writes {
		d.promise(o, -1)
		left := int32(0)
		switch now := d.current[o.key]; {
		case now >= 0:
			left = d.left[now]
		case now == fromStart:
			left = d.first[o.key]
		}
		d.promise(o, 1)
		if left > 0 {
			return false
		}
	}
	if o.node < 0 {
		return true
	}
	width := len(d.forced.chains)
	for chain, past := range d.past[int(o.node)*width : int(o.node+1)*width] {
		if chain == int(d.nodes[o.node].chain) {
			continue
		}
		if client := d.chains[chain]; client >= 0 && past > s.at[client] {
			return false
		}
	}
	return true
}

// take says that an operation came, and returns what wrote last before it.
func (d *guide) take(i int32) (last int32) {
	if d == nil {
		return 0
	}
	o := d.of[i]
	d.promise(o, -1)
	if last = d.current[o.key]; o.writes {
		d.current[o.key] = o.node
	}
	return last
}

func (d *guide) undo(i, last int32) {
	if d == nil {
		return
	}
	o := d.of[i]
	d.promise(o, 1)
	d.current[o.key] = last
}

// follow gives a search its guide.
func (s *sessions) follow(d *guide, clients map[string]int32) {
	if d == nil {
		return
	}
	d.chains = make([]int32, len(d.forced.chains))
	for c, line := range d.forced.chains {
		d.chains[c] = -1
		if len(line) > 0 && d.ops[d.nodes[line[0]].i].Outcome == history.OK {
			d.chains[c] = clients[d.ops[d.nodes[line[0]].i].Client]
		}
	}
	s.guide = d
}
