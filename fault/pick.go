package fault

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/system"
)

// A Mode says how many of the instances that a target names are hit. The zero value means All.
type Mode string

const (
	All          Mode = "all"
	One          Mode = "one"           // one of them
	Fixed        Mode = "fixed"         // With.Value of them
	FixedPercent Mode = "fixed-percent" // With.Value percent of them, rounded up, at least one
)

func modes() []string {
	return []string{string(All), string(Fixed), string(FixedPercent), string(One)}
}

// With narrows or widens a fault. The zero value changes nothing.
type With struct {
	Mode  Mode
	Value int // for Fixed and FixedPercent

	// What follows is for links.
	Both   bool                // the data from B to A too, written A <-> B
	Jitter time.Duration       // delay: plus or minus this much, drawn anew for every chunk or request
	Dist   system.Distribution // delay: how the jitter is spread
	Each   bool                // throttle: each connection has the rate for itself
	Spread int64               // slice: plus or minus so many bytes
	Wait   time.Duration       // blackhole: until it closes; reset: until it resets; slice: between pieces
	When   system.Trigger      // which connections or requests, and when
	Match  system.Match        // which requests, for faults of requests and delay
}

// ofLinks says that a field is set which only links have.
func (w With) ofLinks() bool {
	w.Mode, w.Value = "", 0
	return w != With{}
}

// maxValue bounds With.Value, so that amounts cannot overflow.
const maxValue = 1_000_000

// pick narrows a choice of instances. Mode "" takes all.
type pick struct {
	mode  Mode
	value int
}

func (p pick) String() string {
	text := ""
	if p.mode != "" {
		text += ", mode=" + string(p.mode)
	}
	if p.value != 0 {
		text += fmt.Sprintf(", value=%d", p.value)
	}
	return text
}

// problem says what is wrong with the mode and its value, or "".
func (p pick) problem() string {
	switch p.mode {
	case "", One:
		if p.value != 0 {
			return "value needs mode=fixed or mode=fixed-percent"
		}
	case Fixed:
		if p.value < 1 || p.value > maxValue {
			return fmt.Sprintf("mode=fixed needs a value from 1 to %d", maxValue)
		}
	case FixedPercent:
		if p.value < 1 || p.value > 100 {
			return "mode=fixed-percent needs a value from 1 to 100"
		}
	default:
		return fmt.Sprintf("no mode is called %q", p.mode)
	}
	return ""
}

// amount returns how many of n are taken. Fixed may ask for more than there are.
func (p pick) amount(n int) int {
	switch p.mode {
	case One:
		return min(1, n)
	case Fixed:
		return p.value
	case FixedPercent:
		return (n*p.value + 99) / 100
	default:
		return n
	}
}

// from takes its amount of names by seed. Every name draws its own lot, so that
// an instance added to the system changes as few choices as it can.
func (p pick) from(names []string, seed uint64, text, id string) ([]string, error) {
	amount := p.amount(len(names))
	if amount > len(names) {
		return nil, fmt.Errorf("mode=fixed asks for %d of %d instances", amount, len(names))
	}
	byLot := slices.Clone(names)
	slices.SortFunc(byLot, func(a, b string) int {
		return cmp.Or(cmp.Compare(lot(seed, text, id, a), lot(seed, text, id, b)), cmp.Compare(a, b))
	})
	taken := byLot[:amount]
	slices.Sort(taken)
	return taken, nil
}

// lot hashes parts with their lengths, so that ("ab", "c") and ("a", "bc") differ.
func lot(seed uint64, parts ...string) uint64 {
	bytes := binary.BigEndian.AppendUint64(nil, seed)
	for _, part := range parts {
		bytes = binary.BigEndian.AppendUint64(bytes, uint64(len(part)))
		bytes = append(bytes, part...)
	}
	sum := sha256.Sum256(bytes)
	return binary.BigEndian.Uint64(sum[:])
}

// unknown says that there is no such mode.
func (p pick) unknown() bool {
	return p.mode != "" && p.mode != One && p.mode != Fixed && p.mode != FixedPercent
}

// pick returns the part of with that narrows, in its one form: all is the absence of a mode.
func (w With) pick() pick {
	if w.Mode == All {
		w.Mode = ""
	}
	return pick{mode: w.Mode, value: w.Value}
}
