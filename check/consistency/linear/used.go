package linear

import (
	"encoding/binary"
	"slices"
)

// uses numbers how many pending operations of each class took effect. Number 0 is none.
type uses struct {
	sets  [][]use // each in order of class
	ids   map[string]int32
	nexts pairTable
	text  []byte
}

// A use says how many pending operations of a class took effect.
type use struct{ waiting, count int32 }

func newUses() *uses { return &uses{sets: [][]use{nil}, ids: map[string]int32{"": 0}} }

// count returns how many of a class are in a set.
func (u *uses) count(id, waiting int32) int32 {
	for _, w := range u.sets[id] {
		if w.waiting == waiting {
			return w.count
		}
	}
	return 0
}

// with returns the set with one more of a class.
func (u *uses) with(id, waiting int32) int32 {
	key := uint64(uint32(id))<<32 | uint64(uint32(waiting))
	at, known := u.nexts.find(key)
	if known {
		return u.nexts.values[at]
	}
	set := slices.Clone(u.sets[id])
	to, found := slices.BinarySearchFunc(set, waiting, func(a use, b int32) int { return int(a.waiting - b) })
	if found {
		set[to].count++
	} else {
		set = slices.Insert(set, to, use{waiting, 1})
	}
	next := u.number(set)
	u.nexts.put(at, key, next)
	return next
}

func (u *uses) number(set []use) int32 {
	u.text = u.text[:0]
	for _, w := range set {
		u.text = binary.LittleEndian.AppendUint32(u.text, uint32(w.waiting))
		u.text = binary.LittleEndian.AppendUint32(u.text, uint32(w.count))
	}
	id, ok := u.ids[string(u.text)]
	if !ok {
		id = int32(len(u.sets))
		u.sets, u.ids[string(u.text)] = append(u.sets, set), id
	}
	return id
}

// within says whether each class is in b at least as often as in a.
func (u *uses) within(a, b int32) bool {
	if a == 0 || a == b {
		return true
	}
	small, large := u.sets[a], u.sets[b]
	for _, w := range small {
		for len(large) > 0 && large[0].waiting < w.waiting {
			large = large[1:]
		}
		if len(large) == 0 || large[0].waiting != w.waiting || large[0].count < w.count {
			return false
		}
	}
	return true
}

// seen remembers where a search has been: how far, which operations beyond that are ordered, the state, and what was used for it.
// A place that was reached with less used, more read and more to hide before is as good, so that only the best are kept.
type seen struct {
	words     int
	keys      []uint64 // 1 + words for each place
	heads     []int32  // into nodes, 0 if the place is free
	nodes     []node
	readWords int
	reads     []uint64 // readWords for each node
	entries   int
}

// A node is how a place was reached.
type node struct{ uses, hides, next int32 }

// firstPlaces is how many places there is room for at first: most searches, as for cores, are small.
const firstPlaces = 64

func newSeen(words, readWords int) *seen {
	return &seen{words: words, keys: make([]uint64, firstPlaces*(1+words)), heads: make([]int32, firstPlaces),
		nodes: make([]node, 1), readWords: readWords, reads: make([]uint64, readWords)}
}

// visit says whether a place is new, and remembers it; and at how many that are alike it looked.
func (s *seen) visit(u *uses, position, state int32, ordered []uint64, how node, read []uint64) (fresh bool, looked int64) {
	at := s.find(uint64(uint32(position))<<32|uint64(uint32(state)), ordered)
	if s.heads[at] == 0 {
		copy(s.keys[at*(1+s.words)+1:], ordered)
		s.keys[at*(1+s.words)] = uint64(uint32(position))<<32 | uint64(uint32(state))
		s.add(at, how, read)
		s.entries++
		if 2*s.entries > len(s.heads) {
			s.grow()
		}
		return true, 0
	}
	last := &s.heads[at]
	for i := *last; i != 0; i = s.nodes[i].next {
		looked++
		n, its := &s.nodes[i], s.reads[int(i)*s.readWords:(int(i)+1)*s.readWords]
		if n.hides >= how.hides && u.within(n.uses, how.uses) && contains(its, read) {
			return false, looked
		}
		if how.hides >= n.hides && u.within(how.uses, n.uses) && contains(read, its) {
			*last = n.next
			continue
		}
		last = &n.next
	}
	s.add(at, how, read)
	return true, looked
}

// contains says whether all bits of b are in a.
func contains(a, b []uint64) bool {
	for i := range a {
		if b[i]&^a[i] != 0 {
			return false
		}
	}
	return true
}

func (s *seen) add(at int, how node, read []uint64) {
	how.next = s.heads[at]
	s.nodes, s.reads = append(s.nodes, how), append(s.reads, read...)
	s.heads[at] = int32(len(s.nodes) - 1)
}

func (s *seen) find(key uint64, ordered []uint64) int {
	hash := mix(key)
	for _, w := range ordered {
		hash = mix(hash ^ w)
	}
	mask := len(s.heads) - 1
	at := int(hash) & mask
	for ; s.heads[at] != 0; at = (at + 1) & mask {
		place := s.keys[at*(1+s.words) : (at+1)*(1+s.words)]
		if place[0] == key && slices.Equal(place[1:], ordered) {
			return at
		}
	}
	return at
}

func (s *seen) grow() {
	keys, heads := s.keys, s.heads
	s.keys, s.heads = make([]uint64, 2*len(keys)), make([]int32, 2*len(heads))
	for i, head := range heads {
		if head != 0 {
			place := keys[i*(1+s.words) : (i+1)*(1+s.words)]
			at := s.find(place[0], place[1:])
			copy(s.keys[at*(1+s.words):], place)
			s.heads[at] = head
		}
	}
}
