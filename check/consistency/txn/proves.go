package txn

import "github.com/assay-dev/assay/history"

// proves says whether each read returns what it returned when the transactions run in an order.
func (h *History) proves(order []int32) bool {
	if h.typ == ListAppend {
		return h.provesLists(order)
	}
	state := make([]int32, len(h.keyName))
	for k := range state {
		state[k] = noElem
	}
	for _, t := range order {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			switch {
			case h.op[i] == opWrite:
				state[h.key[i]] = h.arg[i]
			case h.known(int(t), i) && state[h.key[i]] != h.arg[i]:
				return false
			}
		}
	}
	return true
}

// provesLists is proves of lists: each is the first elements of its key's trunk, until something is appended that the trunk does not
// have next, which nobody may read.
func (h *History) provesLists(order []int32) bool {
	const past = -1
	length := make([]int32, len(h.trunk))
	for _, t := range order {
		for i := h.first[t]; i < h.first[t+1]; i++ {
			k := h.key[i]
			n, trunk := length[k], h.trunk[k]
			switch {
			case h.op[i] == opWrite && n >= 0 && int(n) < len(trunk) && trunk[n] == h.arg[i]:
				length[k]++
			case h.op[i] == opWrite:
				length[k] = past
			case h.outcome[t] == history.OK && h.arg[i] != unknownRead && h.arg[i] != n:
				return false
			}
		}
	}
	return true
}
