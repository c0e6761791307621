package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// Schedulers, as the runtime numbers them.
const (
	fifo = iota
	uniform
	pct
	pos
	replay
)

// config is laid out like the struct in the overlay's runtime.
type config struct {
	seed     uint64
	mode     uint64
	yieldN   uint64
	points   uint64
	length   uint64
	quantum  uint64
	maxSteps uint64
	maxTime  uint64
	record   uint64
	stall    uint64
}

// A mode is a way to draw schedules. No one finds every kind of bug, so seeds take turns:
//
//	fifo           goroutines run in the order in which they became runnable
//	uniform/4      any runnable goroutine, and a preemption before one of four operations
//	pct/3/1024     priorities, which three of the first 1,024 operations lower (probabilistic concurrency testing)
//	pos            a priority for each operation, drawn again where operations race (partial order sampling)
//	replay         decisions as recorded, and fifo where none is
type mode struct {
	kind                   uint64
	yieldN, points, length uint64
}

func (m mode) String() string {
	switch m.kind {
	case uniform:
		return fmt.Sprintf("uniform/%d", m.yieldN)
	case pct:
		return fmt.Sprintf("pct/%d/%d", m.points, m.length)
	case pos:
		return "pos"
	case replay:
		return "replay"
	}
	return "fifo"
}

func parseMode(text string) (mode, error) {
	name, rest, _ := strings.Cut(text, "/")
	a, b, _ := strings.Cut(rest, "/")
	number := func(s string, def uint64) uint64 {
		if n, err := strconv.ParseUint(s, 10, 32); err == nil {
			return n
		}
		return def
	}
	switch name {
	case "fifo":
		return mode{kind: fifo}, nil
	case "uniform":
		return mode{kind: uniform, yieldN: number(a, 4)}, nil
	case "pct":
		return mode{kind: pct, points: number(a, 3), length: max(number(b, 1024), 1)}, nil
	case "pos":
		return mode{kind: pos}, nil
	case "replay":
		return mode{kind: replay}, nil
	}
	return mode{}, fmt.Errorf("no mode is called %q (fifo, uniform/N, pct/POINTS/LENGTH, pos)", text)
}

// modeOf is the mode of a seed where none is asked for. Of the bugs in examples/sim/catalogue partial order sampling finds
// nearly all in few seeds, and each of the others some that it finds late: so it has most turns, and they have theirs.
func modeOf(seed uint64) mode {
	h := mix(seed)
	switch h % 16 {
	case 0:
		return mode{kind: fifo}
	case 1, 2, 3:
		return mode{kind: uniform, yieldN: 4}
	case 4:
		return mode{kind: uniform, yieldN: 1}
	case 5:
		return mode{kind: uniform, yieldN: 16}
	case 6, 7, 8, 9:
		return mode{kind: pct, points: 1 + h>>8%3, length: 1 << (4 + h>>16%10)}
	}
	return mode{kind: pos}
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}
