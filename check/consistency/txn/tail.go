package txn

import "slices"

// A tail of that length is written as edges, a longer one as helpers.
const shortTail = 4

// tails are, by key, transactions of which each may be the next to write it: what comes ahead of them comes ahead of all. Long
// ones have two helpers a transaction, so that there are as many edges as transactions.
type tails struct {
	of      [][]int32 // by key: ascending; nil for most
	base    []int32   // by key: the first helper of a long tail
	helpers int
	at      int32 // the number of the first helper in the graph
}

func newTails(keys int) tails { return tails{of: make([][]int32, keys), base: make([]int32, keys)} }

// add adds a transaction, which is not below those that were added to the key before.
func (x *tails) add(key, t int32) {
	if tail := x.of[key]; len(tail) == 0 || tail[len(tail)-1] != t {
		x.of[key] = append(tail, t)
	}
}

// number gives out the helpers.
func (x *tails) number() {
	for k, tail := range x.of {
		if len(tail) > shortTail {
			x.base[k] = int32(x.helpers)
			x.helpers += 2 * len(tail)
		}
	}
}

// follow adds edges from t to all others in the tail of a key.
func (x *tails) follow(g *graph, t, key int32, kind uint8) {
	tail := x.of[key]
	if len(tail) <= shortTail {
		for _, w := range tail {
			if w != t {
				g.add(w, kind)
			}
		}
		return
	}
	// Helpers: i leads to the i-th of the tail and all after it, len+i to the i-th and all before it. A transaction that is itself
	// in the tail goes around itself.
	base, m := x.at+x.base[key], int32(len(tail))
	i, in := slices.BinarySearch(tail, t)
	if !in {
		g.add(base, kind)
		return
	}
	if i > 0 {
		g.add(base+m+int32(i)-1, kind)
	}
	if int32(i) < m-1 {
		g.add(base+int32(i)+1, kind)
	}
}

// addHelpers adds the helpers as nodes.
func (x *tails) addHelpers(g *graph) {
	for k, tail := range x.of {
		m := int32(len(tail))
		if m <= shortTail {
			continue
		}
		base := x.at + x.base[k]
		for i, t := range tail {
			g.add(t, edgePass)
			if i+1 < len(tail) {
				g.add(base+int32(i)+1, edgePass)
			}
			g.done()
		}
		for i, t := range tail {
			g.add(t, edgePass)
			if i > 0 {
				g.add(base+m+int32(i)-1, edgePass)
			}
			g.done()
		}
	}
}
