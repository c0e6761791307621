package txn

import "slices"

// A part is what a smaller history keeps of a transaction.
type part struct {
	txn  int
	mops []int // of its micro-operations
}

// keep returns the history of the parts alone, or nil if they make none. What was read of writes that are left out is left out as
// well: such elements of the lists, and such reads of registers. So whatever explains the whole explains the part.
func (h *History) keep(parts []part) *History {
	kept := make([]bool, len(h.elemVal))
	for _, p := range parts {
		for _, i := range p.mops {
			if mop := h.first[p.txn] + int32(i); h.op[mop] == opWrite {
				kept[h.arg[mop]] = true
			}
		}
	}
	for e, w := range h.writer {
		kept[e] = kept[e] || w < 0
	}
	b := NewBuilder(h.typ)
	b.h.names = h.names // no value is new
	for _, p := range parts {
		b.begin(h.proc[p.txn], h.call[p.txn])
		for _, i := range p.mops {
			b.copy(h, h.first[p.txn]+int32(i), kept)
		}
		call, ret := h.Interval(p.txn)
		b.End(h.outcome[p.txn], max(call, ret))
	}
	sub, err := b.History()
	if err != nil {
		return nil
	}
	return sub
}

// copy adds an operation of another history with the same names.
func (b *Builder) copy(h *History, mop int32, kept []bool) {
	k := b.key(h.keyName[h.key[mop]])
	switch arg := h.arg[mop]; {
	case h.op[mop] == opWrite:
		b.write(k, h.elemVal[arg])
	case h.typ == ListAppend && arg == unknownRead, h.typ == Register && arg < 0:
		b.add(opRead, k, arg)
	case h.typ == Register:
		if kept[arg] {
			b.add(opRead, k, b.elem(k, h.elemVal[arg]))
		}
	default:
		b.ids = b.ids[:0]
		for _, e := range h.list(mop) {
			if kept[e] {
				b.ids = append(b.ids, h.elemVal[e])
			}
		}
		b.readIDs(k, b.ids)
	}
}

// size is how much work it is to go through a history: its operations, and the elements that lists hold.
func (h *History) size() int {
	n := len(h.op) + h.Len()
	for i, op := range h.op {
		if op == opRead && h.typ == ListAppend {
			n += len(h.list(int32(i)))
		}
	}
	return n
}

// fewest leaves out what is not needed for holds to hold, first in halves, then in ever smaller pieces.
func fewest[T any](items []T, holds func([]T) bool) []T {
	for size := max(1, len(items)/2); size >= 1; size /= 2 {
		for at := 0; at < len(items); {
			less := slices.Concat(items[:at], items[min(at+size, len(items)):])
			if len(less) > 0 && holds(less) {
				items = less
			} else {
				at += size
			}
		}
	}
	return items
}
