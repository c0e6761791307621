package linear

import (
	"cmp"
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// zones is the monitor of registers whose written values are unique.
//
// A cluster is a write and the reads of its value. In an order its operations stand together, so of two clusters one comes first:
// they clash if an operation of each returns before one of the other is called. A cluster's zone goes from its first return to its
// last call; if the last call comes first the zone is backward, and anything may happen between. Zones that go forward must not
// overlap, and none that goes backward may lie within one that goes forward (Gibbons and Korach 1997).
func zones(start history.Value) *monitor {
	return &monitor{"zones of unique values (Gibbons and Korach)", func(ops []history.Op, part []int32, until time.Duration) (finding, bool) {
		return decideZones(start, ops, part, until)
	}}
}

// A cluster is a write, the reads of its value, and its zone.
type cluster struct {
	write         int32 // -1 for the value at first
	reads         int32
	first, last   int32         // the operations that return first and are called last
	returns, call time.Duration // when they do
}

func (c *cluster) add(i int32, call, end time.Duration) {
	if c.first < 0 || end < c.returns {
		c.first, c.returns = i, end
	}
	if c.last < 0 || call > c.call {
		c.last, c.call = i, call
	}
}

func (c *cluster) forward() bool { return c.returns < c.call }

// begin is where a cluster comes in the order.
func (c *cluster) begin() time.Duration { return min(c.returns, c.call) }

// A register being watched.
type watched struct {
	values   numbers
	clusters []cluster
	of       []int32 // place in the part: cluster, -1 if it has none
}

func decideZones(start history.Value, ops []history.Op, part []int32, until time.Duration) (finding, bool) {
	w := &watched{of: make([]int32, len(part))}
	w.values.of(start)
	w.clusters = append(w.clusters, cluster{write: -1, first: -1, last: -1, returns: -1, call: -forever})
	w.clusters[0].returns = -forever // it was written before all else
	for n, i := range part {
		op := &ops[i]
		call, end := interval(op, until)
		w.of[n] = -1
		switch {
		case op.Name == "cas":
			return cannot()
		case call > until || op.Name == "read" && end == forever:
			continue
		case op.Name == "read":
			c := w.cluster(op.Output)
			w.of[n], w.clusters[c].reads = c, w.clusters[c].reads+1
			if c > 0 {
				w.clusters[c].add(i, call, end)
			} else {
				w.clusters[c].call, w.clusters[c].last = max(w.clusters[c].call, call), later(ops, w.clusters[c].last, i)
			}
			continue
		}
		c := w.cluster(op.Input)
		if c == 0 || w.clusters[c].write >= 0 {
			return cannot() // two writes of one value
		}
		w.of[n], w.clusters[c].write = c, i
		w.clusters[c].add(i, call, end)
	}
	if read, write := w.early(ops, part); read >= 0 {
		return wrong(read, write)
	}
	if a, b, clash := w.clash(); clash {
		return wrong(a.write, a.first, a.last, b.write, b.first, b.last)
	}
	return finding{verdict: verdict.Pass, order: w.order(ops, part)}, true
}

func later(ops []history.Op, a, b int32) int32 {
	if a < 0 || ops[b].Call > ops[a].Call {
		return b
	}
	return a
}

func (w *watched) cluster(v history.Value) int32 {
	c, fresh := w.values.of(v)
	if fresh {
		w.clusters = append(w.clusters, cluster{write: -1, first: -1, last: -1})
	}
	return c
}

// early returns a read of what was not written yet, or never.
func (w *watched) early(ops []history.Op, part []int32) (read, write int32) {
	for n, i := range part {
		if w.of[n] <= 0 || ops[i].Name != "read" {
			continue
		}
		if write := w.clusters[w.of[n]].write; write < 0 || ops[i].Return < ops[write].Call {
			return i, write
		}
	}
	return -1, -1
}

// matters says whether somebody saw the cluster's value, or its write returned.
func (c *cluster) matters() bool { return c.reads > 0 || c.write >= 0 && c.returns != forever }

// clash returns two clusters neither of which can come before the other.
func (w *watched) clash() (a, b *cluster, clash bool) {
	var forward []*cluster
	for i := range w.clusters {
		if c := &w.clusters[i]; c.matters() && c.forward() {
			forward = append(forward, c)
		}
	}
	slices.SortFunc(forward, func(a, b *cluster) int { return cmp.Compare(a.returns, b.returns) })
	for i := 1; i < len(forward); i++ {
		if forward[i].returns < forward[i-1].call {
			return forward[i-1], forward[i], true
		}
	}
	for i := range w.clusters {
		c := &w.clusters[i]
		if !c.matters() || c.forward() {
			continue
		}
		at, _ := slices.BinarySearchFunc(forward, c.call, func(f *cluster, call time.Duration) int { return cmp.Compare(f.returns, call) })
		if at > 0 && c.returns < forward[at-1].call {
			return forward[at-1], c, true
		}
	}
	return nil, nil, false
}

// order puts clusters one after the other, and in each the write first.
func (w *watched) order(ops []history.Op, part []int32) []int32 {
	ranks := make([]int32, len(w.clusters))
	for i := range ranks {
		ranks[i] = int32(i)
	}
	slices.SortFunc(ranks[1:], func(a, b int32) int {
		one, other := &w.clusters[a], &w.clusters[b]
		if c := cmp.Compare(one.begin(), other.begin()); c != 0 {
			return c
		}
		if one.forward() == other.forward() {
			return 0
		}
		if one.forward() {
			return 1
		}
		return -1
	})
	starts := make([]int32, len(w.clusters)+1)
	for _, c := range w.of {
		if c >= 0 && w.clusters[c].matters() {
			starts[c]++
		}
	}
	total := int32(0)
	for _, c := range ranks {
		starts[c], total = total, total+starts[c]
	}
	order := make([]int32, total)
	ends := slices.Clone(starts)
	for c := range w.clusters {
		if w.clusters[c].write >= 0 && w.clusters[c].matters() {
			order[ends[c]] = w.clusters[c].write
			ends[c]++
		}
	}
	for n, i := range part {
		if c := w.of[n]; c >= 0 && i != w.clusters[c].write {
			order[ends[c]] = i
			ends[c]++
		}
	}
	byCall := func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) }
	for c := range w.clusters {
		if reads := order[ends[c]-min(ends[c], w.clusters[c].reads) : ends[c]]; !slices.IsSortedFunc(reads, byCall) {
			slices.SortFunc(reads, byCall)
		}
	}
	return order
}
