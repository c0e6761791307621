package linear

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// porcupineTime is what Porcupine may take for a history. It has no budget of steps, so that what it cannot decide depends on the
// machine; our verdict does not.
func porcupineTime() time.Duration {
	if full() {
		return 2 * time.Second
	}
	return 200 * time.Millisecond
}

// mixed is a generated history where operations overlap so little that Porcupine decides most: right, with a wrong read, or with an
// outcome of some operation turned round.
func mixed(seed uint64, n, clients int) []history.Op {
	ops := generated(seed, n, clients, seed%3 == 1)
	for i := range ops { // Porcupine remembers each pending operation to the end: a few are enough
		op := &ops[i]
		if op.Outcome == history.Maybe && i%4 != 0 {
			op.Outcome = history.Failed
		}
		if (clients > 20 || clients > 5 && n > 100) && i%8 != 0 { // most are short, so that not all overlap
			at := time.Duration(i+clients) * 1000
			op.Call, op.Return = max(op.Call, at-1500), min(op.Return, at+1500)
		}
	}
	ops = repaired(ops, seed%3 == 1)
	if seed%3 != 2 {
		return ops
	}
	r := rand.New(rand.NewPCG(seed, 9))
	for range 1 + r.IntN(3) {
		i := r.IntN(len(ops))
		switch op := &ops[i]; {
		case op.Outcome != history.OK:
		case op.Name == "read":
			op.Output = registerValue(r.Int64N(6))
		case op.Name == "cas":
			swapped, _ := op.Output.AsBool()
			op.Output = history.Bool(!swapped)
		}
	}
	return ops
}

// repaired makes a history right again without what failed: operations take effect in their order.
func repaired(ops []history.Op, planted bool) []history.Op {
	state := history.Value{}
	for i := range ops {
		op := &ops[i]
		switch {
		case op.Outcome == history.Failed:
		case op.Name == "write":
			state = op.Input
		case op.Name == "read" && planted && op.Output.Equal(history.Int(7)):
		case op.Name == "read" && op.Outcome == history.OK:
			op.Output = state
		case op.Name == "cas":
			pair := op.Input.Items()
			same := pair[0].Equal(state)
			if op.Outcome == history.OK {
				op.Output = history.Bool(same)
			}
			if same {
				state = pair[1]
			}
		}
	}
	return slices.DeleteFunc(ops, func(op history.Op) bool { return op.Outcome == history.Failed })
}

// A comparison counts what came of histories that both checkers saw.
type comparison struct {
	same             map[verdict.Verdict]int
	undecided, large int
	overlap          int // the most operations at one time
	ours, theirs     time.Duration
}

func TestAgainstPorcupine(t *testing.T) {
	t.Parallel()
	total := 0
	for _, size := range []struct {
		n, short int
		long     [3]int
	}{{100, 30, [3]int{1200, 600, 200}}, {1000, 3, [3]int{60, 20, 20}}, {10_000, 0, [3]int{12, 6, 6}}} {
		for i, clients := range []int{5, 20, 100} {
			seeds := size.short
			if full() {
				seeds = size.long[i]
			}
			if seeds == 0 {
				continue
			}
			c := comparison{same: map[verdict.Verdict]int{}}
			for seed := range uint64(seeds) {
				c.compare(t, mixed(seed, size.n, clients), seed)
			}
			total += c.same[verdict.Pass] + c.same[verdict.Fail]
			compared := c.same[verdict.Pass] + c.same[verdict.Fail]
			t.Logf("%6d operations, %3d clients: up to %d at a time: %d of %d verdicts compared (%d pass, %d fail), Porcupine undecided %d; ours %v, Porcupine %v; %d cores too large to try every order",
				size.n, clients, c.overlap, compared, seeds, c.same[verdict.Pass], c.same[verdict.Fail], c.undecided, c.ours, c.theirs, c.large)
			if full() && 2*compared < seeds { // in little time it depends on the machine
				t.Errorf("%d operations, %d clients: Porcupine decided %d of %d histories", size.n, clients, compared, seeds)
			}
		}
	}
	t.Logf("%d verdicts compared", total)
}

func (c *comparison) compare(t *testing.T, ops []history.Op, seed uint64) {
	c.overlap = max(c.overlap, overlap(ops))
	start := time.Now()
	res := Check(t.Context(), CASRegister(), ops, Options{WholeCore: true})
	c.ours += time.Since(start)
	model, theirOps := forPorcupine(ops)
	start = time.Now()
	theirs := porcupine.CheckOperationsTimeout(model, theirOps, porcupineTime())
	c.theirs += time.Since(start)
	if want, decided := map[porcupine.CheckResult]verdict.Verdict{porcupine.Ok: verdict.Pass, porcupine.Illegal: verdict.Fail}[theirs]; !decided {
		c.undecided++
	} else if c.same[want]++; res.Verdict != want {
		t.Errorf("%d operations, seed %d: %v (%s), and Porcupine says %v", len(ops), seed, res.Verdict, res.Reason, theirs)
	}
	if err := Certify(CASRegister(), ops, res); errors.Is(err, ErrLarge) {
		c.large++
	} else if err != nil {
		t.Errorf("%d operations, seed %d: %v", len(ops), seed, err)
	}
}

// overlap returns how many operations that returned are under way at one time, at most.
func overlap(ops []history.Op) int {
	var calls, returned []time.Duration
	for _, op := range ops {
		if op.Outcome == history.OK {
			calls, returned = append(calls, op.Call), append(returned, op.Return)
		}
	}
	slices.Sort(calls)
	slices.Sort(returned)
	most, ended := 0, 0
	for i, call := range calls {
		for returned[ended] < call {
			ended++
		}
		most = max(most, i+1-ended)
	}
	return most
}
