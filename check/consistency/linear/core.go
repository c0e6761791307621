package linear

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// What making a core small may cost: searches, and steps of each and of all.
const (
	coreSearches = 600
	coreSteps    = 2_000_000
	coreAllSteps = 20_000_000
)

// A shrinker makes the core of a failing history small. Each smaller one is searched again, and counts only if it fails too.
//
// Not every part will do: without a write, a right read of its value looks wrong. Sound are these: all that was called up to a
// moment, with what had not returned by then pending; and what leaveOut leaves.
type shrinker struct {
	ctx      context.Context
	m        Model
	ops      []history.Op
	search   func(core []int32) outcome // nil: of real time
	searches int
	steps    int64
}

func (s *shrinker) fails(core []int32, until time.Duration) bool {
	if s.searches >= coreSearches || s.steps > coreAllSteps {
		return false
	}
	s.searches++
	var f outcome
	if s.search != nil {
		f = s.search(core)
	} else {
		f = s.m.search(s.ctx, s.ops, core, until, coreSteps)
	}
	s.steps += f.steps
	return f.verdict == verdict.Fail
}

// explain makes the core of a failing part small, and puts it in words.
func (r Result) explain(ctx context.Context, m Model, ops []history.Op, part []int32, f outcome, o Options) Result {
	s := &shrinker{ctx: ctx, m: m, ops: ops}
	r.Core, r.Until = part, forever
	if f.core != nil {
		r.Core = f.core
	}
	returned := returns(ops, part)
	if !o.WholeCore {
		times := returns(ops, r.Core)
		from := int(f.farthest)
		if len(times) < len(returned) && from > 0 {
			from = sort.Search(len(times), func(i int) bool { return times[i] > returned[from-1] })
		}
		r.Core, r.Until = s.prefix(r.Core, r.Until, times, from)
		r.Core = s.shrink(r.Core, r.Until)
	}
	r.Steps += s.steps
	slices.SortStableFunc(r.Core, func(a, b int32) int { return cmp.Compare(ops[a].Call, ops[b].Call) })
	if r.Good = int(f.farthest); f.monitored {
		wrong := returns(ops, r.Core)
		r.Good = longestGood(m, ops, part, returned, min(r.Until, append(wrong, forever)[max(0, len(wrong)-1)]))
	}
	if r.Good > 0 {
		r.GoodUntil = returned[r.Good-1]
	}
	r.Reason = fmt.Sprintf("no order of the operations%s fits the %s and real time: %s", r.where(), r.Model, tell(ops, r.Core, r.Until))
	return r
}

// longestGood returns how many operations, in order of return, a monitor finds an order for. It fails at until.
func longestGood(m Model, ops []history.Op, part []int32, returned []time.Duration, until time.Duration) int {
	high := sort.Search(len(returned), func(i int) bool { return returned[i] >= until })
	bad := func(i int) bool {
		f, ok := m.monitor.decide(ops, part, returned[i])
		return !ok || f.verdict == verdict.Fail
	}
	if high > 0 && !bad(high-1) { // as a rule the core's last return is the first that is wrong
		return high
	}
	return sort.Search(max(0, high-1), bad)
}

// prefix returns the core as it stood when its first wrong operation returned, which is not before from operations had returned.
func (s *shrinker) prefix(core []int32, until time.Duration, returned []time.Duration, from int) ([]int32, time.Duration) {
	if len(returned) == 0 {
		return core, until
	}
	// A history that is wrong up to a moment is wrong up to any later one: steps that double, then halves.
	low, high := min(from, len(returned)-1), min(from, len(returned)-1)
	for step := 1; high < len(returned)-1 && !s.fails(core, returned[high]); step *= 2 {
		low, high = high+1, min(high+step, len(returned)-1)
	}
	for low < high {
		if mid := (low + high) / 2; s.fails(core, returned[mid]) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if returned[high] >= until || !s.fails(core, returned[high]) {
		return core, until
	}
	return s.called(core, returned[high]), returned[high]
}

// called leaves out what was called later, and pending operations that nobody needs.
func (s *shrinker) called(core []int32, until time.Duration) []int32 {
	var rest []int32
	for _, i := range core {
		op := &s.ops[i]
		late := op.Outcome == history.Maybe || op.Return > until
		if op.Call <= until && !(late && s.m.reads(op)) {
			rest = append(rest, i)
		}
	}
	return rest
}

// shrink leaves out ever smaller runs of operations.
func (s *shrinker) shrink(core []int32, until time.Duration) []int32 {
	for size := max(1, len(core)/2); size >= 1; size /= 2 {
		for from := 0; from < len(core) && s.searches < coreSearches; {
			chosen := make([]bool, len(core))
			for i := from; i < min(from+size, len(core)); i++ {
				chosen[i] = true
			}
			if rest := s.m.leaveOut(s.ops, core, chosen); len(rest) < len(core) && s.fails(rest, until) {
				core = rest
				continue
			}
			from += size
		}
	}
	return core
}

// tell prints a core's operations.
func tell(ops []history.Op, core []int32, until time.Duration) string {
	const most = 12
	var words []string
	for _, i := range core[:min(most, len(core))] {
		words = append(words, Describe(&ops[i], until))
	}
	if len(core) > most {
		words = append(words, fmt.Sprintf("… (%d in all)", len(core)))
	}
	return strings.Join(words, ", ")
}

// Describe prints an operation as it stood at a moment: client, name, key, input, output.
func Describe(op *history.Op, until time.Duration) string {
	text := op.Client + ": " + op.Name
	if !op.Key.IsNil() {
		text += fmt.Sprintf(" %v", op.Key)
	}
	if !op.Input.IsNil() {
		text += fmt.Sprintf(" %v", op.Input)
	}
	if op.Outcome == history.Maybe || op.Return > until {
		return text + " (pending)"
	}
	if op.Output.Equal(op.Input) && !op.Output.IsNil() || op.Output.IsNil() && op.Name != "read" && op.Name != "get" && op.Name != "dequeue" {
		return text
	}
	return text + fmt.Sprintf(" -> %v", op.Output)
}
