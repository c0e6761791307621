package linear

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// generated is a right history of a cas register with few values, where clients give up now and then; and if planted, one read of it is wrong.
func generated(seed uint64, n, clients int, planted bool) []history.Op {
	r := rand.New(rand.NewPCG(seed, 6))
	ops := make([]history.Op, n)
	busy := make([]time.Duration, clients)
	state := int64(0)
	for i := range ops {
		op, client := &ops[i], i%clients
		at := time.Duration(i+clients) * 1000
		*op = history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Client: fmt.Sprint(client), Outcome: history.OK}
		op.Call = max(busy[client]+1, at-time.Duration(r.IntN(clients*400)))
		op.Return = at + time.Duration(r.IntN(clients*400))
		busy[client] = op.Return
		switch r.IntN(4) {
		case 0:
			state = 1 + r.Int64N(5)
			op.Name, op.Input = "write", history.Int(state)
		case 1:
			from, to := r.Int64N(6), 1+r.Int64N(5)
			op.Name, op.Input, op.Output = "cas", history.List(registerValue(from), history.Int(to)), history.Bool(from == state)
			if from == state {
				state = to
			}
		default:
			op.Name, op.Output = "read", registerValue(state)
		}
		if r.IntN(n/8) == 0 {
			op.Outcome, op.Output = history.Maybe, history.Value{}
		}
	}
	if planted {
		at := slices.IndexFunc(ops[n*3/4:], func(op history.Op) bool { return op.Name == "read" && op.Outcome == history.OK })
		ops[n*3/4+at].Output = history.Int(7)
	}
	return ops
}

func registerValue(n int64) history.Value {
	if n == 0 {
		return history.Value{}
	}
	return history.Int(n)
}

// A porcupineOp is an operation on a register of small numbers, as Porcupine is usually told it.
type porcupineOp struct {
	name             byte
	from, to         int64
	pending, swapped bool
}

func forPorcupine(ops []history.Op) (porcupine.Model, []porcupine.Operation) {
	number := func(v history.Value) int64 { n, _ := v.AsInt(); return n }
	var all []porcupine.Operation
	for _, op := range ops {
		in := porcupineOp{name: op.Name[0], pending: op.Outcome == history.Maybe}
		switch in.swapped, _ = op.Output.AsBool(); {
		case op.Name == "read":
			in.from = number(op.Output)
		case op.Name == "write":
			in.to = number(op.Input)
		default:
			in.from, in.to = number(op.Input.Items()[0]), number(op.Input.Items()[1])
		}
		end := int64(op.Return)
		if in.pending {
			end = math.MaxInt64
		}
		all = append(all, porcupine.Operation{Input: in, Call: int64(op.Call), Return: end})
	}
	step := func(state, input, _ any) (bool, any) {
		s, op := state.(int64), input.(porcupineOp)
		switch {
		case op.name == 'r':
			return op.pending || s == op.from, s
		case op.name == 'w':
			return true, op.to
		case s == op.from:
			return op.pending || op.swapped, op.to
		}
		return op.pending || !op.swapped, s
	}
	return porcupine.Model{Init: func() any { return int64(0) }, Step: step, Hash: func(s any) uint64 { return uint64(s.(int64)) }}, all
}

// A right history stays right, and a wrong one wrong, when values and clients have other names, when time is shifted and stretched,
// and when one more client reads what a read just returned.
func TestMetamorphic(t *testing.T) {
	t.Parallel()
	rename := func(v history.Value) history.Value {
		if n, ok := v.AsInt(); ok {
			return history.String(fmt.Sprint("v", n))
		}
		return v
	}
	for seed := range uint64(histories() / 10) {
		ops := drawHistory(rand.New(rand.NewPCG(seed, 7)), 12, drawers()["cas-register"])
		want := Check(t.Context(), CASRegister(), ops, Options{}).Verdict
		other := slices.Clone(ops)
		for i := range other {
			op := &other[i]
			op.Client, op.Call, op.Return = "client "+op.Client, 3*op.Call+1000, 3*op.Return+1000
			op.Output = rename(op.Output)
			if op.Name == "cas" {
				op.Input = history.List(rename(op.Input.Items()[0]), rename(op.Input.Items()[1]))
			} else {
				op.Input = rename(op.Input)
			}
		}
		for _, op := range other {
			if op.Name == "read" && op.Outcome == history.OK { // at some moment of it the value was there
				op.ID, op.Client = op.ID+100, op.Client+"'"
				other = append(other, op)
			}
		}
		rand.New(rand.NewPCG(seed, 8)).Shuffle(len(other), func(i, j int) { other[i], other[j] = other[j], other[i] })
		if res := Check(t.Context(), CASRegister(), other, Options{}); res.Verdict != want {
			t.Fatalf("seed %d: %v, and changed %v:\n%s", seed, want, res.Verdict, show(ops))
		}
	}
}

// For every model: a verdict stays when time is shifted and stretched, when clients have other names, when the object is two, of which
// the other is right, and when one more operation was begun of which nobody knows whether it happened, after all others.
func TestMetamorphicOfEveryModel(t *testing.T) {
	t.Parallel()
	for name, draw := range drawers() {
		m, _ := Named(name)
		for seed := range seeds(histories() / 10) {
			ops := crowded(rand.New(rand.NewPCG(seed, 15)), m, 6, draw)
			want := Check(t.Context(), m, ops, Options{WholeCore: true}).Verdict
			for what, change := range map[string]func([]history.Op) []history.Op{
				"shifted": func(ops []history.Op) []history.Op {
					for i := range ops {
						ops[i].Call, ops[i].Return = ops[i].Call+1000, ops[i].Return+1000
					}
					return ops
				},
				"stretched": func(ops []history.Op) []history.Op {
					for i := range ops {
						ops[i].Call, ops[i].Return = 3*ops[i].Call, 3*ops[i].Return
						if n, isInt := ops[i].Input.AsInt(); name == "lease" && isInt {
							ops[i].Input = history.Int(3 * n)
						}
					}
					return ops
				},
				"clients renamed": func(ops []history.Op) []history.Op {
					for i := range ops {
						ops[i].Client = "client " + ops[i].Client
					}
					return ops
				},
				"twice, by key": func(ops []history.Op) []history.Op {
					for i := range ops {
						if other := ops[i]; name != "multi-register" {
							other.Key, other.ID = history.String("other"), other.ID+100
							ops = append(ops, other)
						}
					}
					return ops
				},
				"one more that never was": func(ops []history.Op) []history.Op {
					more := ops[0]
					more.ID, more.Client, more.Outcome, more.Output, more.Call = 99, "late", history.Maybe, history.Value{}, 10_000
					more.Return = more.Call
					return append(ops, more)
				},
			} {
				if res := Check(t.Context(), m, change(slices.Clone(ops)), Options{WholeCore: true}); res.Verdict != want {
					t.Fatalf("%s, seed %d: %v, and %s %v (%s):\n%s", name, seed, want, what, res.Verdict, res.Reason, show(ops))
				}
			}
		}
	}
}

// Each wrong history is found by each way to decide it.
func TestPlanted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ model, history string }{
		{"register", "0:w1 1:r1 0:w2 1:r1"},
		{"register", "0:w1( 1:r1 2:r 0:)"},
		{"cas-register", "0:w1 0:c[1,2]( 1:c[1,3] 0:)"},
		{"cas-register", "0:w1 0:c[3,2]? 1:r2"},
		{"queue", "0:e1 0:e2 1:d2 1:d1"},
		{"queue", "0:e1 0:e2 1:d2"},
		{"queue", "0:e1 1:d"},
		{"queue", "0:e1 1:d1 1:d1"},
		{"queue", "0:e1 1:d7"},
		{"queue", "0:e1 0:e2( 1:d1 0:) 1:d"},
		{"log", "0:a1 0:a2 1:r[2,1]"},
		{"log", "0:a1 1:r[]"},
	} {
		ops, err := history.Shorthand(tt.history)
		if err != nil {
			t.Fatal(err)
		}
		m, _ := Named(tt.model)
		for _, o := range []Options{{}, {Search: true}, {WholeCore: true}} {
			res := Check(t.Context(), m, ops, o)
			if res.Verdict != verdict.Fail {
				t.Errorf("%s %s: %v (%s)", tt.model, tt.history, res.Verdict, res.Reason)
			}
			if err := Certify(m, ops, res); err != nil {
				t.Errorf("%s %s: %v", tt.model, tt.history, err)
			}
		}
	}
}

// hard is a history without an order, which only a long search finds out.
func hard(n int) []history.Op {
	var ops []history.Op
	for i := range n {
		op := history.Op{ID: uint64(i + 1), Client: fmt.Sprint(i), Name: "cas", Outcome: history.OK, Return: 100}
		op.Input = history.List(history.Int(int64(i%7)), history.Int(int64((i*i+1)%7)))
		if i%3 == 0 {
			op.Name, op.Input = "write", history.Int(int64(i%7))
		}
		ops = append(ops, op)
	}
	never := history.List(history.Int(8), history.Int(9)) // would write what is read, but for what it must find
	ops = append(ops, history.Op{ID: uint64(n + 2), Client: "never", Name: "cas", Outcome: history.Maybe, Input: never, Call: 10})
	return append(ops, history.Op{ID: uint64(n + 1), Name: "read", Outcome: history.OK, Call: 50, Return: 200, Output: history.Int(9)})
}

// A verdict, its reason and its steps do not depend on the workers, and the budget ends a search at the same step.
func TestSameEverywhere(t *testing.T) {
	t.Parallel()
	var ops []history.Op
	for key := range int64(20) {
		for _, op := range generated(uint64(key), 200, 6, key > 10) {
			op.Key, op.ID = history.Int(key), op.ID+uint64(1000*key)
			ops = append(ops, op)
		}
	}
	for _, op := range hard(30) {
		op.Key = history.Int(3)
		ops = append(ops, op)
	}
	var first Result
	for workers := 1; workers <= 8; workers++ {
		res := Check(t.Context(), CASRegister(), ops, Options{Workers: workers, Budget: 300_000})
		if workers == 1 {
			first = res
		}
		if res.Verdict != verdict.Fail || res.Reason != first.Reason || res.Steps != first.Steps || !slices.Equal(res.Core, first.Core) || res.Good != first.Good {
			t.Errorf("%d workers: %v after %d steps: %s; want %d: %s", workers, res.Verdict, res.Steps, res.Reason, first.Steps, first.Reason)
		}
	}
	res := Check(t.Context(), CASRegister(), hard(40), Options{Budget: 100_000})
	again := Check(t.Context(), CASRegister(), hard(40), Options{Budget: 100_000})
	if res.Verdict != verdict.Unknown || res.Steps != again.Steps || res.Reason != again.Reason {
		t.Errorf("%v after %d steps, then %d: %s", res.Verdict, res.Steps, again.Steps, res.Reason)
	}
	t.Log(res.Reason)
}

func BenchmarkAgainstPorcupine(b *testing.B) {
	for _, size := range []struct{ n, clients int }{{100, 5}, {1000, 10}, {10_000, 10}, {10_000, 50}, {100_000, 20}} {
		ops := generated(2, size.n, size.clients, false)
		b.Run(fmt.Sprintf("ours/%d/%d", size.n, size.clients), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Check(b.Context(), CASRegister(), ops, Options{Workers: 1})
			}
		})
		b.Run(fmt.Sprintf("porcupine/%d/%d", size.n, size.clients), func(b *testing.B) {
			b.ReportAllocs()
			model, theirs := forPorcupine(ops)
			for b.Loop() {
				porcupine.CheckOperationsTimeout(model, theirs, 30*time.Second)
			}
			runtime.GC()
		})
	}
}
