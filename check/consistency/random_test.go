package consistency

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// rounds of a hundred histories each, so that every verdict is among them.
const rounds = 10

// drawOps draws up to n operations of the given names, called and returning at
// random moments of a short time, so that they overlap and meet at the same instant.
func drawOps(t *rapid.T, n int, draw func(t *rapid.T, op *history.Op)) check.Input {
	var in check.Input
	for i := range rapid.IntRange(1, n).Draw(t, "operations") {
		op := history.Op{ID: uint64(i) + 1, Kind: history.Model, Object: "x", Client: fmt.Sprint(i), Outcome: history.OK}
		op.Call = time.Duration(rapid.IntRange(0, 12).Draw(t, "call"))
		op.Return = op.Call + time.Duration(rapid.IntRange(0, 5).Draw(t, "length"))
		if rapid.IntRange(0, 4).Draw(t, "outcome") == 0 {
			op.Outcome = rapid.SampledFrom([]history.Outcome{history.Maybe, history.Failed}).Draw(t, "bad outcome")
		}
		draw(t, &op)
		in.Ops = append(in.Ops, op)
	}
	return in
}

func drawRegisterOp(t *rapid.T, op *history.Op) {
	value := func(label string) history.Value {
		return rapid.SampledFrom([]history.Value{{}, history.Int(1), history.Int(2)}).Draw(t, label)
	}
	switch op.Name = rapid.SampledFrom([]string{"read", "read", "write", "cas"}).Draw(t, "name"); op.Name {
	case "read":
		op.Output = value("read")
	case "write":
		op.Input = value("written")
	case "cas":
		op.Input = history.List(value("from"), value("to"))
		op.Output = history.Bool(rapid.Bool().Draw(t, "swapped"))
	}
}

// hasAnOrder tries every order of the operations that fits real time.
func hasAnOrder(ops []history.Op, state history.Value) bool {
	if !slices.ContainsFunc(ops, func(op history.Op) bool { return op.Outcome == history.OK }) {
		return true // what is left never took effect
	}
	for i, op := range ops {
		mayBeNext := !slices.ContainsFunc(ops, func(other history.Op) bool { return other.Outcome == history.OK && other.Return < op.Call })
		if legal, next := apply(op, state); mayBeNext && legal && hasAnOrder(slices.Delete(slices.Clone(ops), i, i+1), next) {
			return true
		}
	}
	return false
}

func apply(op history.Op, state history.Value) (legal bool, next history.Value) {
	switch op.Name {
	case "read":
		return op.Outcome == history.Maybe || state.Equal(op.Output), state
	case "write":
		return true, op.Input
	}
	pair := op.Input.Items()
	if swapped, _ := op.Output.AsBool(); !swapped && op.Outcome == history.OK {
		return !state.Equal(pair[0]), state
	}
	return state.Equal(pair[0]), pair[1]
}

func TestLinearizableAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	verdicts := map[verdict.Verdict]int{}
	for range rounds {
		rapid.Check(t, func(t *rapid.T) { checkRegister(t, verdicts) })
	}
	if verdicts[ok] == 0 || verdicts[bad] == 0 || verdicts[open] == 0 {
		t.Errorf("the random histories are one-sided: %v", verdicts)
	}
}

func checkRegister(t *rapid.T, verdicts map[verdict.Verdict]int) {
	in := drawOps(t, 7, drawRegisterOp)
	effective := slices.DeleteFunc(slices.Clone(in.Ops), func(op history.Op) bool { return op.Outcome == history.Failed })
	res := Linearizable("x").Check(context.Background(), in)
	verdicts[res.Verdict]++
	if want := hasAnOrder(effective, start(in.Ops)); res.Verdict == bad && want || res.Verdict == ok && !want {
		t.Fatalf("%v (%s), and an order exists: %v", res.Verdict, res.Reason, want)
	}
	if res.Verdict == bad && hasAnOrder(inPrefix(res.Witness, effective, start(in.Ops)), start(in.Ops)) {
		t.Fatalf("the witness has an order: %s", res.Reason)
	}
	for _, op := range res.Witness {
		if op.Name == "read" && puts(effective, op) > 0 && puts(res.Witness, op) == 0 {
			t.Fatalf("the witness lacks what operation %d read: %s", op.ID, res.Reason)
		}
	}
}

// start returns what was read before anything was called that might change it.
func start(ops []history.Op) history.Value {
	for _, read := range ops {
		early := read.Name == "read" && read.Outcome == history.OK
		for _, op := range ops {
			early = early && (op.Name == "read" || read.Return < op.Call)
		}
		if early {
			return read.Output
		}
	}
	return history.Value{}
}

// puts returns how many operations may have put there what a read returned.
func puts(ops []history.Op, read history.Op) int {
	n := 0
	for _, op := range ops {
		next := op.Input
		if op.Name == "cas" {
			next = next.Items()[1]
		}
		swapped, _ := op.Output.AsBool()
		puts := op.Name == "write" || op.Name == "cas" && (swapped || op.Outcome == history.Maybe)
		if puts && op.Call <= read.Return && next.Equal(read.Output) {
			n++
		}
	}
	return n
}

// inPrefix returns the witness as it stood when the last of its operations
// that show anything returned: those that returned later were pending then.
func inPrefix(witness, all []history.Op, start history.Value) []history.Op {
	for _, op := range slices.SortedFunc(slices.Values(all), func(a, b history.Op) int { return int(a.Return - b.Return) }) {
		if op.Outcome != history.OK {
			continue
		}
		part := slices.Clone(witness)
		for i := range part {
			if part[i].Return > op.Return {
				part[i].Outcome = history.Maybe
			}
		}
		part = slices.DeleteFunc(part, func(o history.Op) bool { return o.Call > op.Return })
		if !hasAnOrder(part, start) {
			return part
		}
	}
	return witness
}

func drawListOp(t *rapid.T, op *history.Op) {
	number := rapid.IntRange(1, 4)
	switch op.Name = rapid.SampledFrom([]string{"append", "append", "append", "read"}).Draw(t, "name"); op.Name {
	case "append":
		op.Input = history.Int(int64(number.Draw(t, "value")))
	case "read":
		var items []history.Value
		for _, n := range rapid.SliceOfN(number, 0, 4).Draw(t, "list") {
			items = append(items, history.Int(int64(n)))
		}
		op.Output = history.List(items...)
	}
}

// slowLoss is the definition of no_lost for lists, and slowTwice what once adds.
func slowLoss(ops []history.Op) verdict.Verdict {
	var last history.Op
	want := verdict.Pass
	acknowledged := 0
	for _, op := range ops {
		if op.Name == "read" && op.Outcome == history.OK && (last.ID == 0 || op.Call >= last.Call) {
			last = op
		}
	}
	for _, op := range ops {
		if op.Name != "append" || op.Outcome != history.OK {
			continue
		}
		acknowledged++
		switch {
		case holds(last, op.Input):
		case last.ID != 0 && last.Call > op.Return:
			return verdict.Fail
		default:
			want = verdict.Unknown
		}
	}
	if acknowledged == 0 {
		return verdict.Unknown
	}
	for _, item := range last.Output.Items() {
		if !slices.ContainsFunc(ops, func(op history.Op) bool { return explains(ops, op, last, item) }) {
			return verdict.Fail
		}
	}
	return unlessClash(ops, want)
}

// unlessClash turns a pass into unknown where an acknowledged value is not unique.
func unlessClash(ops []history.Op, want verdict.Verdict) verdict.Verdict {
	if want == verdict.Pass && slices.ContainsFunc(ops, func(op history.Op) bool { return op.Name == "append" && acknowledgements(ops, op.Input) > 1 }) {
		return verdict.Unknown
	}
	return want
}

func acknowledgements(ops []history.Op, value history.Value) int {
	n := 0
	for _, op := range ops {
		if op.Name == "append" && op.Outcome == history.OK && op.Input.Equal(value) {
			n++
		}
	}
	return n
}

func holds(read history.Op, value history.Value) bool {
	return slices.ContainsFunc(read.Output.Items(), value.Equal)
}

// explains says whether op tells why the last read has item.
func explains(ops []history.Op, op, last history.Op, item history.Value) bool {
	if op.Name == "append" {
		return op.Outcome != history.Failed && op.Call <= last.Return && op.Input.Equal(item)
	}
	wasBefore := !slices.ContainsFunc(ops, func(other history.Op) bool { return other.Name == "append" && other.Call <= op.Return })
	return op.Outcome == history.OK && wasBefore && holds(op, item)
}

func slowTwice(ops []history.Op) verdict.Verdict {
	want := slowLoss(ops)
	var last history.Op
	for _, op := range ops {
		if op.Name == "read" && op.Outcome == history.OK && (last.ID == 0 || op.Call >= last.Call) {
			last = op
		}
	}
	items := last.Output.Items()
	for i, item := range items {
		if slices.ContainsFunc(items[:i], item.Equal) && acknowledgements(ops, item) < 2 {
			return verdict.Fail
		}
	}
	return want
}

// slowOrder looks at every pair of places in every read.
func slowOrder(ops []history.Op) verdict.Verdict {
	want := verdict.Unknown
	for _, op := range ops {
		if op.Name != "read" || op.Outcome != history.OK {
			continue
		}
		items := op.Output.Items()
		for i := range items {
			for j := range i {
				if slices.ContainsFunc(items[:i], items[i].Equal) || slices.ContainsFunc(items[:j], items[j].Equal) {
					continue
				}
				earlier, one := onlyPut(ops, items[j])
				later, other := onlyPut(ops, items[i])
				switch {
				case !one || !other:
				case later.Outcome == history.OK && later.Return < earlier.Call:
					return verdict.Fail
				case earlier.Outcome == history.OK && earlier.Return < later.Call:
					want = verdict.Pass
				}
			}
		}
	}
	return unlessClash(ops, want)
}

func onlyPut(ops []history.Op, value history.Value) (history.Op, bool) {
	puts := slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool {
		return op.Name != "append" || op.Outcome == history.Failed || !op.Input.Equal(value)
	})
	if len(puts) != 1 {
		return history.Op{}, false
	}
	return puts[0], true
}

func TestListsAgainstTheirDefinition(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		checker check.Checker
		slow    func([]history.Op) verdict.Verdict
	}{
		{NoLost("x"), slowLoss}, {Once("x"), slowTwice}, {Ordered("x"), slowOrder},
	} {
		t.Run(tt.checker.String(), func(t *testing.T) {
			t.Parallel()
			verdicts := map[verdict.Verdict]int{}
			for range rounds {
				rapid.Check(t, func(t *rapid.T) {
					in := drawOps(t, 8, drawListOp)
					res := tt.checker.Check(context.Background(), in)
					verdicts[res.Verdict]++
					if want := tt.slow(in.Ops); res.Verdict != want {
						t.Fatalf("%v (%s), want %v", res.Verdict, res.Reason, want)
					}
				})
			}
			if verdicts[ok] == 0 || verdicts[bad] == 0 || verdicts[open] == 0 {
				t.Errorf("the random histories are one-sided: %v", verdicts)
			}
		})
	}
}
