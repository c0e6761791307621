package txn

import (
	"slices"

	"github.com/assay-dev/assay/history"
)

// How many anomalies of each name are kept with their transactions; all are counted.
const keepEach = 8

// A reporter collects anomalies that single reads and writes show.
type reporter struct {
	h     *History
	found map[string][]Anomaly
	count map[string]int
	later index // of registers: see there
}

func newReporter(h *History) *reporter {
	return &reporter{h: h, found: map[string][]Anomaly{}, count: map[string]int{}}
}

// add reports an anomaly of a key; elem may be noElem.
func (r *reporter) add(name string, key, elem int32, txns ...int32) {
	r.count[name]++
	if len(r.found[name]) >= keepEach {
		return
	}
	a := Anomaly{Name: name, Key: r.h.names.value(r.h.keyName[key])}
	if elem >= 0 {
		a.Value = r.h.elem(elem)
	}
	for _, t := range txns {
		a.Txns = append(a.Txns, int(t))
	}
	a.Text = r.h.tell(a)
	r.found[name] = append(r.found[name], a)
}

// direct finds what needs no graph.
func (l *lists) direct(r *reporter) {
	h := l.h
	bad := l.directWrites(r)
	l.torn(r)
	final := h.finals()
	first := make([]int32, len(h.elemVal)+len(h.trunk)) // who read and then wrote a version: 1 + the transaction
	touched := make([]int32, len(h.trunk))              // the last operation on a key so far, plus 1
	later := make([]int32, len(h.trunk))                // the last append to a key in the transaction, plus 1
	for t := range int32(h.Len()) {
		if h.outcome[t] != history.OK {
			continue
		}
		begin, end := h.first[t], h.first[t+1]
		h.lastWrites(t, later)
		for i := begin; i < end; i++ {
			k := h.key[i]
			before := touched[k] > begin
			touched[k] = i + 1
			if h.op[i] != opRead || h.arg[i] == unknownRead {
				continue
			}
			e := h.last(i)
			if e >= 0 && !final[e] && h.writer[e] != t && h.writer[e] >= 0 {
				r.add("G1b", k, e, t, h.writer[e])
			}
			if bad[k] {
				l.badRead(r, t, i)
			}
			if before {
				l.internal(r, t, i)
			}
			if later[k] <= i+1 || later[k] <= begin {
				continue
			}
			l.futureRead(r, t, i)
			if !before && h.arg[i] >= 0 {
				version := int32(len(h.elemVal)) + k
				if e >= 0 {
					version = e
				}
				if u := first[version] - 1; u >= 0 {
					r.add("lost-update", k, e, u, t)
				} else {
					first[version] = t + 1
				}
			}
		}
	}
}

// lastWrites notes where a transaction writes its keys last, plus 1.
func (h *History) lastWrites(t int32, last []int32) {
	for i := h.first[t]; i < h.first[t+1]; i++ {
		if h.op[i] == opWrite {
			last[h.key[i]] = i + 1
		}
	}
}

// finals marks the elements that their transaction does not append over.
func (h *History) finals() []bool {
	final := make([]bool, len(h.elemVal))
	last := make([]int32, len(h.keyName)) // the last write of a key in the transaction, plus 1
	for t := range h.Len() {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			if h.op[i] != opWrite {
				continue
			}
			k := h.key[i]
			if last[k] > h.first[t] {
				final[h.arg[last[k]-1]] = false
			}
			final[h.arg[i]], last[k] = true, i+1
		}
	}
	return final
}

// directWrites looks at the order of each key, and returns the keys whose reads may show what they must not.
func (l *lists) directWrites(r *reporter) (bad []bool) {
	h := l.h
	bad = make([]bool, len(h.trunk))
	for k, trunk := range h.trunk {
		bad[k] = l.cut[k]
		aborted := int32(noElem)
		for _, e := range trunk {
			w := h.writer[e]
			switch {
			case w < 0 || h.outcome[w] == history.Failed:
				bad[k] = true
				if w >= 0 && aborted < 0 && l.pos[e] >= 0 {
					aborted = e
				}
			case aborted >= 0 && l.live[w] && l.pos[e] >= 0:
				r.add("dirty-update", int32(k), aborted, h.writer[aborted], w)
				aborted = noElem
			}
		}
	}
	return bad
}

// torn looks for transactions of whose appends to a key the order of the key shows one, and not ahead of it the one before.
func (l *lists) torn(r *reporter) {
	h := l.h
	last := make([]int32, len(h.trunk)) // the last append to a key in the transaction, plus 1
	for t := range int32(h.Len()) {
		for i := h.first[t]; l.live[t] && i < h.first[t+1]; i++ {
			if h.op[i] != opWrite {
				continue
			}
			k, e, before := h.key[i], h.arg[i], last[h.key[i]]-1
			last[k] = i + 1
			if at := l.pos[e]; at >= 0 && before >= h.first[t] && uint32(l.pos[h.arg[before]]) > uint32(at) { // or nowhere: -1
				if reader := l.otherReader(k, int(at)); reader >= 0 {
					r.add("torn-appends", k, e, reader, t)
				}
			}
		}
	}
}

// badRead looks for elements in a read that were aborted, never written, or are there twice, and for lists that disagree.
func (l *lists) badRead(r *reporter, t, mop int32) {
	h, k := l.h, l.h.key[mop]
	list := h.list(mop)
	seen := make(map[int32]bool, len(list))
	for _, e := range list {
		switch w := h.writer[e]; {
		case w < 0:
			r.add("garbage-read", k, e, t)
		case h.outcome[w] == history.Failed:
			r.add("G1a", k, e, t, w)
		}
		if seen[e] {
			r.add("duplicate-elements", k, e, t)
		}
		seen[e] = true
	}
	if h.arg[mop] > firstBranch {
		return
	}
	if other := l.otherReader(k, common(list, h.trunk[k])); other >= 0 {
		r.add("incompatible-order", k, noElem, t, other)
	}
}

// otherReader returns a transaction that read more of a key's trunk than n elements.
func (l *lists) otherReader(k int32, n int) int32 {
	h := l.h
	for t := range int32(h.Len()) {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			if h.op[i] == opRead && h.key[i] == k && int(h.arg[i]) > n {
				return t
			}
		}
	}
	return -1
}

// internal holds a read against what its own transaction did to the key before.
func (l *lists) internal(r *reporter, t, mop int32) {
	h, k := l.h, l.h.key[mop]
	list := h.list(mop)
	rest := len(list) // what is not the transaction's own
	i := mop - 1
	for ; i >= h.first[t]; i-- {
		if h.key[i] != k {
			continue
		}
		if h.op[i] == opRead {
			break
		}
		rest--
		if rest < 0 || list[rest] != h.arg[i] {
			r.add("internal", k, noElem, t)
			return
		}
	}
	if i >= h.first[t] && h.arg[i] != unknownRead && !slices.Equal(list[:rest], h.list(i)) {
		r.add("internal", k, noElem, t)
	}
}

// futureRead looks for elements in a read that its own transaction appends later.
func (l *lists) futureRead(r *reporter, t, mop int32) {
	h := l.h
	for i := mop + 1; i < h.first[t+1]; i++ {
		if h.op[i] != opWrite || h.key[i] != h.key[mop] || !l.seen[h.arg[i]] {
			continue
		}
		e, n := h.arg[i], h.arg[mop]
		if shown := l.pos[e] >= 0 && n >= 0 && l.pos[e] < n; shown || (l.pos[e] < 0 || n < 0) && slices.Contains(h.list(mop), e) {
			r.add("future-read", h.key[mop], e, t)
		}
	}
}
