package txn

import "github.com/assay-dev/assay/history"

// A keyTouch is what a transaction did to one key, seen from outside: the version that it read ahead of any write of its own, and
// the one that it left. Either is -1 where there is none, or none that is known.
type keyTouch struct{ txn, key, read, write int32 }

// touches lists what each transaction did to its keys: those of transaction t are all[from[t]:from[t+1]].
type touches struct {
	from []int32
	all  []keyTouch
}

// touches lists what the live transactions did to their keys. A key's first version has a number of its own.
func (h *History) touches(live []bool) *touches {
	x := &touches{from: make([]int32, 1, h.Len()+1), all: make([]keyTouch, 0, len(h.op))}
	at := make([]int32, len(h.keyName)) // by key: where its touch is in all, plus 1
	for t := range int32(h.Len()) {
		for i := h.first[t]; live[t] && i < h.first[t+1]; i++ {
			k := h.key[i]
			first := at[k] <= x.from[t]
			if first {
				x.all = append(x.all, keyTouch{t, k, -1, -1})
				at[k] = int32(len(x.all))
			}
			switch touch := &x.all[at[k]-1]; {
			case h.op[i] == opWrite:
				touch.write = h.arg[i]
			case first && h.known(int(t), i):
				touch.read = h.version(i)
			}
		}
		x.from = append(x.from, int32(len(x.all)))
	}
	return x
}

// of returns what a transaction did to its keys.
func (x *touches) of(t int32) []keyTouch { return x.all[x.from[t]:x.from[t+1]] }

// on returns what a transaction did to a key.
func (x *touches) on(t, key int32) keyTouch {
	for _, touch := range x.of(t) {
		if touch.key == key {
			return touch
		}
	}
	return keyTouch{t, key, -1, -1}
}

// last returns the version that a transaction saw last of a key, from outside.
func (x keyTouch) last() int32 {
	if x.write >= 0 {
		return x.write
	}
	return x.read
}

// first returns the version that a transaction saw first of a key: that it read, or else that it left.
func (x keyTouch) first() int32 {
	if x.read >= 0 {
		return x.read
	}
	return x.write
}

// byKey returns for each key where its touches are, in order of their transactions.
func (x *touches) byKey(keys int) index {
	return newIndex(keys, func(add func(key, at int32)) {
		for i := range x.all {
			add(x.all[i].key, int32(i))
		}
	})
}

// known says whether an operation is a read of which it is known what it returned.
func (h *History) known(t int, mop int32) bool {
	unknown := int32(unknownRead)
	if h.typ == Register {
		unknown = firstBranch
	}
	return h.op[mop] == opRead && h.arg[mop] != unknown && h.outcome[t] == history.OK
}

// version returns the version that a read returned.
func (h *History) version(mop int32) int32 {
	if e := h.shown(mop); e >= 0 {
		return e
	}
	return h.initial(h.key[mop])
}

// initial returns the first version of a key, from before anybody wrote it.
func (h *History) initial(key int32) int32 { return int32(len(h.elemVal)) + key }
