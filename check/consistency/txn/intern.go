package txn

import "github.com/assay-dev/assay/history"

// values gives each distinct value a small number. Integers, which most keys and values are, go through a table of their own, so
// that no text is made of them.
type values struct {
	ints  table
	nums  []int64                 // by id; meaningless for an id in other
	other map[int32]history.Value // by id, what is no integer
	texts map[string]int32        // what is no integer, by its JSON
}

func (v *values) int(x int64) int32 {
	return v.ints.find(mix(uint64(x)), len(v.nums), func(id int32) bool { return v.nums[id] == x }, func() {
		v.nums = append(v.nums, x)
	}, func(id int32) uint64 { return v.hash(id) })
}

func (v *values) hash(id int32) uint64 { return mix(uint64(v.nums[id])) }

func (v *values) id(x history.Value) int32 {
	if i, ok := x.AsInt(); ok {
		return v.int(i)
	}
	text := x.String()
	if id, ok := v.texts[text]; ok {
		return id
	}
	if v.texts == nil {
		v.texts, v.other = map[string]int32{}, map[int32]history.Value{}
	}
	id := int32(len(v.nums))
	v.nums = append(v.nums, 0)
	v.texts[text], v.other[id] = id, x
	return id
}

func (v *values) value(id int32) history.Value {
	if x, ok := v.other[id]; ok {
		return x
	}
	return history.Int(v.nums[id])
}

// table is an open-addressed set of ids: four bytes a slot, at most half full. What an id stands for is kept by its owner.
type table struct {
	slots []int32 // id + 1, 0 for free
	used  int
}

// find returns the id that same accepts, or gives out next after calling add.
func (t *table) find(hash uint64, next int, same func(int32) bool, add func(), rehash func(int32) uint64) int32 {
	if 2*t.used >= len(t.slots) {
		t.grow(rehash)
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		id := t.slots[i] - 1
		if id < 0 {
			add()
			t.slots[i] = int32(next) + 1
			t.used++
			return int32(next)
		}
		if same(id) {
			return id
		}
	}
}

func (t *table) grow(rehash func(int32) uint64) {
	old := t.slots
	t.slots = make([]int32, max(64, 2*len(old)))
	mask := uint64(len(t.slots) - 1)
	for _, slot := range old {
		if slot == 0 {
			continue
		}
		i := rehash(slot-1) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = slot
	}
}

// mix spreads all bits of x over all bits of the result, and maps no two numbers to one.
func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0x9e3779b97f4a7c15
	x ^= x >> 29
	x *= 0xd6e8feb86659fd93
	x ^= x >> 32
	return x
}
