package linear

import (
	"math"

	"github.com/assay-dev/assay/history"
)

// A knownLog is what operations that returned say about what a log holds at an offset, whatever their order. What two say otherwise
// has no order: the one that comes later fits no state.
type knownLog map[int64]history.Value

func (k knownLog) say(offset int64, v history.Value) {
	if _, known := k[offset]; !known {
		k[offset] = v
	}
}

func (k knownLog) holds(offset int64, v history.Value) bool {
	known, ok := k[offset]
	return !ok || known.Equal(v)
}

// informedLog is the machine of a log for a history: since nobody will see what is not known, a state is a length alone.
func informedLog(ops []history.Op, returned []int32) machine {
	k := knownLog{}
	for _, i := range returned {
		op := &ops[i]
		offset, isOffset := op.Input.AsInt()
		switch at, ok := op.Output.AsInt(); {
		case op.Name == "append" && ok:
			k.say(at, op.Input)
		case op.Name == "read" && isOffset && !op.Output.IsNil():
			k.say(offset, op.Output)
		case op.Name == "read" && !isOffset:
			for offset, v := range op.Output.Items() {
				k.say(int64(offset), v)
			}
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
		return one(fits && k.holds(length, op.Input), length+1)
	case silent:
		return []int64{length}
	case isOffset && op.Output.IsNil():
		return one(length <= offset, length)
	case isOffset:
		return one(length > offset && k.holds(offset, op.Output), length)
	}
	items := op.Output.Items()
	wrong := false
	for offset, v := range items {
		wrong = wrong || !k.holds(int64(offset), v)
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
