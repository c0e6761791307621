package linear

import (
	"math"

	"github.com/assay-dev/assay/history"
)

// A knownLog is what operations that returned say about what a log holds at an offset, whatever their order. What two say otherwise
// has no order: the one that comes later fits no state.
type knownLog struct {
	at    map[int64]history.Value
	owned map[int64]bool // an append said that it put it there
	needs map[string]int // value: how many appends that said nothing must go where it is known to be, less those that can
}

func (k knownLog) say(offset int64, v history.Value) {
	if _, known := k.at[offset]; !known {
		k.at[offset] = v
	}
}

// holds says whether a value may be at an offset. An append that did not say where goes where it is needed.
func (k knownLog) holds(offset int64, v history.Value, silent bool) bool {
	known, ok := k.at[offset]
	if !ok {
		return !silent || k.needs[text(v)] < 0
	}
	return known.Equal(v) && !(silent && k.owned[offset])
}

// informedLog is the machine of a log for a history: since nobody will see what is not known, a state is a length alone.
func informedLog(ops []history.Op, returned, open []int32) machine {
	k := knownLog{at: map[int64]history.Value{}, owned: map[int64]bool{}, needs: map[string]int{}}
	for _, i := range returned {
		op := &ops[i]
		offset, isOffset := op.Input.AsInt()
		switch at, ok := op.Output.AsInt(); {
		case op.Name == "append" && ok:
			k.say(at, op.Input)
			k.owned[at] = true
		case op.Name == "append":
			k.needs[text(op.Input)]--
		case isOffset && !op.Output.IsNil():
			k.say(offset, op.Output)
		case !isOffset:
			for offset, v := range op.Output.Items() {
				k.say(int64(offset), v)
			}
		}
	}
	for _, i := range open {
		k.needs[text(ops[i].Input)]--
	}
	for offset, v := range k.at {
		if !k.owned[offset] {
			k.needs[text(v)]++
		}
	}
	return newTables(Spec[int64]{Step: k.step, rising: &rising[int64]{
		level: func(length int64) int64 { return length },
		limit: limitLog,
	}})
}

func (k knownLog) step(length int64, op *history.Op) []int64 {
	offset, isOffset := op.Input.AsInt()
	silent := op.Outcome == history.Maybe
	switch {
	case op.Name == "append":
		fits := silent || op.Output.IsNil() || op.Output.Equal(history.Int(length))
		return one(fits && k.holds(length, op.Input, silent || op.Output.IsNil()), length+1)
	case silent:
		return []int64{length}
	case isOffset && op.Output.IsNil():
		return one(length <= offset, length)
	case isOffset:
		return one(length > offset && k.holds(offset, op.Output, false), length)
	}
	items := op.Output.Items()
	wrong := false
	for offset, v := range items {
		wrong = wrong || !k.holds(int64(offset), v, false)
	}
	return one(length == int64(len(items)) && !wrong, length)
}

// limitLog is the greatest length at which an operation returns what it did.
func limitLog(op *history.Op) int64 {
	offset, isOffset := op.Input.AsInt()
	at, said := op.Output.AsInt()
	switch {
	case op.Name == "append" && said:
		return at
	case op.Name == "append":
		return math.MaxInt64
	case isOffset && op.Output.IsNil():
		return offset
	case isOffset:
		return math.MaxInt64
	}
	return int64(len(op.Output.Items()))
}
