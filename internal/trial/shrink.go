package trial

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/check/consistency/txn"
	"github.com/assay-dev/assay/history"
)

// How much the transactions on the keys of an anomaly may hold, micro-operations and elements of lists, for their history to be
// made smaller: each check goes through all of it.
const mostToShrink = 5_000_000

// shrink makes the smallest failing part of a history of transactions, which may hold less of each than it did.
func (r *Report) shrink(ctx context.Context, c *Case, h *txn.History, model txn.Model, a txn.Anomaly, places []int) {
	if n := touching(h, a); n > mostToShrink {
		r.NoSmallest = fmt.Sprintf("the keys of the anomaly have %d micro-operations and elements, too many to leave them out one by one (at most %d)", n, mostToShrink)
		return
	}
	part := txn.Shrink(ctx, h, model)
	sub := part.History
	if sub == nil {
		r.NoSmallest = "no part of it fails"
		return
	}
	if sub.Len() == h.Len() && h.Len() > mostToShrink {
		r.NoSmallest = cmp.Or(part.Why, "nothing can be left out of it")
		return
	}
	r.small, r.NotSmaller = sub, part.Why
	for t := range sub.Len() {
		of := part.Txns[t] // of the whole
		op := c.Ops[places[of]]
		op.Input, op.Output = microOps(sub.Mops(t), h.Type(), op.Outcome)
		r.Smallest, r.smallPlaces = append(r.Smallest, op), append(r.smallPlaces, places[of])
		r.SmallestNames = append(r.SmallestNames, fmt.Sprintf("T%d", of))
	}
}

// touching counts what transactions hold of the keys of an anomaly.
func touching(h *txn.History, a txn.Anomaly) int {
	keys := []history.Value{a.Key}
	for _, s := range a.Cycle {
		keys = append(keys, s.Key)
	}
	n := 0
	for t := range h.Len() {
		for _, m := range h.Mops(t) {
			if slices.ContainsFunc(keys, m.Key.Equal) {
				n += 1 + len(m.List)
			}
		}
	}
	return n
}

// microOps writes a transaction as an operation has it.
func microOps(mops []txn.Mop, typ txn.DataType, outcome history.Outcome) (in, out history.Value) {
	write := map[txn.DataType]string{txn.ListAppend: "append", txn.Register: "w"}[typ]
	var ins, outs []history.Value
	for _, m := range mops {
		name, asked, got := "r", history.Value{}, m.Value
		switch {
		case m.Write:
			name, asked = write, m.Value
		case typ == txn.ListAppend && m.Known:
			got = history.List(m.List...)
		}
		ins = append(ins, history.List(history.String(name), m.Key, asked))
		outs = append(outs, history.List(history.String(name), m.Key, got))
	}
	in = history.List(ins...)
	if outcome == history.OK {
		out = history.List(outs...)
	}
	return in, out
}

// same says whether the smallest part is the witness and no less.
func (r *Report) same() bool {
	if len(r.Smallest) != len(r.Witness) {
		return false
	}
	for i := range r.Witness {
		if Tell(&r.Smallest[i]) != Tell(&r.Witness[i].Op) {
			return false
		}
	}
	return true
}
