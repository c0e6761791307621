package linear

import (
	"slices"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A monitor decides a part whose values are unique, as it stood at a moment (what returns later is pending then), or says that it
// cannot. It finds an order for a pass, and a core for a fail.
type monitor struct {
	name   string // how it decides, in words
	decide func(ops []history.Op, part []int32, until time.Duration) (finding, bool)
}

// A finding is what a monitor concluded.
type finding struct {
	verdict verdict.Verdict
	order   []int32
	core    []int32
}

func wrong(core ...int32) (finding, bool) {
	rest := core[:0:0]
	for _, i := range core {
		if i >= 0 && !slices.Contains(rest, i) {
			rest = append(rest, i)
		}
	}
	return finding{verdict: verdict.Fail, core: rest}, true
}

// cannot is the answer of a monitor that cannot decide.
func cannot() (finding, bool) { return finding{}, false }

// numbers gives each value a number from 0.
type numbers struct {
	small pairTable
	other map[string]int32
	next  int32
	text  []byte
}

// of returns the number of a value, and whether it is new.
func (n *numbers) of(v history.Value) (number int32, fresh bool) {
	if i, ok := v.AsInt(); ok && i >= 0 {
		at, known := n.small.find(uint64(i))
		if known {
			return n.small.values[at], false
		}
		n.small.put(at, uint64(i), n.next)
		n.next++
		return n.next - 1, true
	}
	n.text = appendValue(n.text[:0], v)
	number, known := n.other[string(n.text)]
	if known {
		return number, false
	}
	if n.other == nil {
		n.other = map[string]int32{}
	}
	n.other[string(n.text)] = n.next
	n.next++
	return n.next - 1, true
}

// interval returns when an operation took effect, as it stood at a moment: its end is forever if it is pending.
func interval(op *history.Op, until time.Duration) (call, end time.Duration) {
	if op.Outcome == history.Maybe || op.Return > until {
		return op.Call, forever
	}
	return op.Call, op.Return
}
