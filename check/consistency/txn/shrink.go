package txn

import (
	"context"
	"slices"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A part is what a smaller history keeps of a transaction.
type part struct {
	txn  int
	mops []int // of its micro-operations
}

// How many checks Shrink makes at most.
const shrinkChecks = 2000

// Shrink returns the smallest part found of a history that fails a model by the same anomaly as the whole does first, and which
// transactions of the whole it holds. Each part is checked anew. It returns nil if the whole does not fail, and the whole without
// numbers if the keys of the anomaly alone do not show it.
//
// It starts from the keys that the anomaly is about, with all who touched them, so it is meant for keys with thousands of
// operations and not millions.
func Shrink(ctx context.Context, h *History, model Model) (*History, []int) {
	res := Check(ctx, h, model)
	if res.Verdict != verdict.Fail {
		return nil, nil
	}
	name := res.worst(model).Name
	keys := []history.Value{res.worst(model).Key}
	for _, st := range res.worst(model).Cycle {
		keys = append(keys, st.Key)
	}
	var parts []part
	for t := range h.Len() {
		p := part{txn: t}
		for i, m := range h.Mops(t) {
			if slices.ContainsFunc(keys, m.Key.Equal) {
				p.mops = append(p.mops, i)
			}
		}
		if len(p.mops) > 0 || slices.Contains(res.worst(model).Txns, t) {
			parts = append(parts, p)
		}
	}
	checks := 0
	fails := func(parts []part) bool {
		checks++
		sub := h.keep(parts)
		if sub == nil || checks > shrinkChecks {
			return false
		}
		res := Check(ctx, sub, model)
		return res.Verdict == verdict.Fail && res.worst(model).Name == name && (name == "garbage-read" || res.Count["garbage-read"] == 0)
	}
	if !fails(parts) {
		return h, nil // the anomaly needs more than its keys
	}
	for size := max(1, len(parts)/2); size >= 1; size /= 2 {
		for at := 0; at < len(parts); {
			less := slices.Concat(parts[:at], parts[min(at+size, len(parts)):])
			if len(less) > 0 && fails(less) {
				parts = less
			} else {
				at += size
			}
		}
	}
	for i := range parts {
		for j := 0; j < len(parts[i].mops); {
			less := slices.Clone(parts)
			less[i].mops = slices.Delete(slices.Clone(parts[i].mops), j, j+1)
			if fails(less) {
				parts = less
			} else {
				j++
			}
		}
	}
	var txns []int
	for _, p := range parts {
		txns = append(txns, p.txn)
	}
	return h.keep(parts), txns
}

// worst returns the first anomaly that the model forbids.
func (res Result) worst(model Model) Anomaly {
	forbidden := forbidden(model)
	for _, a := range res.Anomalies {
		for name := range expand([]string{a.Name}) {
			if forbidden[name] {
				return a
			}
		}
	}
	return Anomaly{}
}

// keep returns the history of the parts alone, or nil if they make none.
func (h *History) keep(parts []part) *History {
	b := NewBuilder(h.typ)
	for _, p := range parts {
		call, ret := h.Interval(p.txn)
		b.Begin(h.Process(p.txn), call)
		mops := h.Mops(p.txn)
		for _, i := range p.mops {
			b.mopOf(mops[i])
		}
		b.End(h.Outcome(p.txn), ret)
	}
	sub, err := b.History()
	if err != nil {
		return nil
	}
	return sub
}

func (b *Builder) mopOf(m Mop) {
	switch {
	case m.Write:
		b.Write(m.Key, m.Value)
	case !m.Known:
		b.ReadUnknown(m.Key)
	case b.h.typ == Register:
		b.ReadValue(m.Key, m.Value)
	default:
		b.ReadList(m.Key, m.List)
	}
}
