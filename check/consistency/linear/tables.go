package linear

import (
	"encoding/binary"
	"slices"

	"github.com/assay-dev/assay/history"
)

// illegal is no state.
const illegal = int32(-1)

// A machine is a specification with numbers for states and operations. State 0 is the first.
// Operations that no step tells apart have one class.
type machine interface {
	class(op *history.Op) int32
	step(state, class int32) int32
}

// tables remember each step. A state is a set of the specification's states: what a nondeterministic object may be in.
type tables[S any] struct {
	spec    Spec[S]
	states  []S
	numbers map[any]int32
	sets    [][]int32
	setIDs  map[string]int32
	ops     []*history.Op // of each class
	classes map[string]int32
	steps   pairTable
	text    []byte
}

func newTables[S any](spec Spec[S]) *tables[S] {
	t := &tables[S]{spec: spec, numbers: map[any]int32{}, setIDs: map[string]int32{}, classes: map[string]int32{}}
	t.set([]int32{t.number(spec.Init)})
	return t
}

func (t *tables[S]) number(s S) int32 {
	var key any = s
	if t.spec.Hash != nil {
		key = t.spec.Hash(s)
	}
	id, ok := t.numbers[key]
	if !ok {
		id = int32(len(t.states))
		t.states, t.numbers[key] = append(t.states, s), id
	}
	return id
}

// set returns the number of a set of states, which it keeps.
func (t *tables[S]) set(members []int32) int32 {
	if len(members) == 0 {
		return illegal
	}
	slices.Sort(members)
	members = slices.Compact(members)
	t.text = t.text[:0]
	for _, m := range members {
		t.text = binary.LittleEndian.AppendUint32(t.text, uint32(m))
	}
	id, ok := t.setIDs[string(t.text)]
	if !ok {
		id = int32(len(t.sets))
		t.sets, t.setIDs[string(t.text)] = append(t.sets, members), id
	}
	return id
}

func (t *tables[S]) class(op *history.Op) int32 {
	b := append(append(t.text[:0], op.Name...), 0, byte(op.Outcome))
	b = appendValue(appendValue(b, op.Key), op.Input)
	if op.Outcome != history.Maybe {
		b = appendValue(b, op.Output)
	}
	if t.spec.ByClient || t.spec.ByTime {
		b = append(append(b, op.Client...), 0)
	}
	if t.spec.ByTime {
		b = binary.LittleEndian.AppendUint64(b, uint64(op.Call))
		b = binary.LittleEndian.AppendUint64(b, uint64(op.Return))
	}
	t.text = b
	id, ok := t.classes[string(b)]
	if !ok {
		id = int32(len(t.ops))
		t.ops, t.classes[string(b)] = append(t.ops, op), id
	}
	return id
}

func (t *tables[S]) step(state, class int32) int32 {
	at, known := t.steps.find(uint64(uint32(state))<<32 | uint64(uint32(class)))
	if known {
		return t.steps.values[at]
	}
	var next []int32
	for _, member := range t.sets[state] {
		for _, s := range t.spec.Step(t.states[member], t.ops[class]) {
			next = append(next, t.number(s))
		}
	}
	id := t.set(next)
	t.steps.put(at, uint64(uint32(state))<<32|uint64(uint32(class)), id)
	return id
}

// appendValue writes a value so that equal bytes mean equal values.
func appendValue(b []byte, v history.Value) []byte {
	switch v.Kind() {
	case history.KindNil:
		return append(b, 'n')
	case history.KindInt:
		i, _ := v.AsInt()
		return binary.LittleEndian.AppendUint64(append(b, 'i'), uint64(i))
	case history.KindString:
		s, _ := v.AsString()
		return append(binary.LittleEndian.AppendUint32(append(b, 's'), uint32(len(s))), s...)
	}
	s := v.String()
	return append(binary.LittleEndian.AppendUint32(append(b, 'j'), uint32(len(s))), s...)
}

// A pairTable maps numbers to small numbers, with open addressing.
type pairTable struct {
	keys   []uint64 // key + 1, so that 0 is free
	values []int32
	used   int
}

// find returns the place of a key, and whether it is there.
func (t *pairTable) find(key uint64) (at int, known bool) {
	if len(t.keys) == 0 {
		t.keys, t.values = make([]uint64, firstPlaces), make([]int32, firstPlaces)
	}
	mask := len(t.keys) - 1
	for at = int(mix(key)) & mask; t.keys[at] != 0; at = (at + 1) & mask {
		if t.keys[at] == key+1 {
			return at, true
		}
	}
	return at, false
}

// put stores a value at the place that find returned, unless the table was changed since.
func (t *pairTable) put(at int, key uint64, value int32) {
	t.keys[at], t.values[at] = key+1, value
	t.used++
	if 2*t.used < len(t.keys) {
		return
	}
	keys, values := t.keys, t.values
	t.keys, t.values = make([]uint64, 2*len(keys)), make([]int32, 2*len(keys))
	for i, k := range keys {
		if k != 0 {
			to, _ := t.find(k - 1)
			t.keys[to], t.values[to] = k, values[i]
		}
	}
}

func mix(x uint64) uint64 {
	x ^= x >> 32
	x *= 0x9E3779B97F4A7C15
	x ^= x >> 29
	x *= 0xBF58476D1CE4E5B9
	return x ^ x>>32
}
