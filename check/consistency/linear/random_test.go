package linear

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// full says whether the long forms of tests are asked for.
func full() bool { return os.Getenv("ASSAY_CONSISTENCY_FULL") != "" }

// A drawer draws operations of one model.
type drawer func(r *rand.Rand, op *history.Op)

func value(r *rand.Rand) history.Value {
	return []history.Value{{}, history.Int(1), history.Int(2)}[r.IntN(3)]
}

func small(r *rand.Rand) history.Value { return history.Int(int64(1 + r.IntN(3))) }

func yesNo(r *rand.Rand) history.Value {
	return []history.Value{{}, history.Bool(true), history.Bool(false)}[r.IntN(3)]
}

func drawers() map[string]drawer {
	return map[string]drawer{
		"register": func(r *rand.Rand, op *history.Op) {
			if op.Name, op.Input = "write", value(r); r.IntN(2) == 0 {
				op.Name, op.Input, op.Output = "read", history.Value{}, value(r)
			}
		},
		"cas-register": func(r *rand.Rand, op *history.Op) {
			switch r.IntN(4) {
			case 0:
				op.Name, op.Input = "write", value(r)
			case 1:
				op.Name, op.Input, op.Output = "cas", history.List(value(r), value(r)), yesNo(r)
			default:
				op.Name, op.Output = "read", value(r)
			}
		},
		"multi-register": func(r *rand.Rand, op *history.Op) {
			op.Name = "txn"
			var in, out []history.Value
			for range 1 + r.IntN(2) {
				k, v := small(r), value(r)
				if r.IntN(2) == 0 {
					in, out = append(in, history.List(history.String("w"), k, v)), append(out, history.List(history.String("w"), k, v))
				} else {
					in, out = append(in, history.List(history.String("r"), k, history.Value{})), append(out, history.List(history.String("r"), k, v))
				}
			}
			op.Input, op.Output = history.List(in...), history.List(out...)
		},
		"kv": func(r *rand.Rand, op *history.Op) {
			text := func() history.Value {
				return []history.Value{{}, history.String("a"), history.String("b"), history.String("ab")}[r.IntN(4)]
			}
			switch r.IntN(6) {
			case 0:
				op.Name, op.Input = "put", text()
			case 1:
				op.Name, op.Input = "append", history.String([]string{"a", "b"}[r.IntN(2)])
			case 2:
				op.Name, op.Output = "delete", yesNo(r)
			case 3:
				op.Name, op.Input, op.Output = "cas", history.List(text(), text()), yesNo(r)
			default:
				op.Name, op.Output = "get", text()
			}
		},
		"mutex":       drawLock,
		"owner-mutex": drawLock,
		"lease": func(r *rand.Rand, op *history.Op) {
			op.Name = []string{"acquire", "acquire", "renew", "release"}[r.IntN(4)]
			op.Client = fmt.Sprint(r.IntN(2))
			op.Input = history.Int(int64(r.IntN(8)))
			if r.IntN(5) == 0 {
				op.Output = history.Bool(false)
			}
		},
		"set": func(r *rand.Rand, op *history.Op) {
			op.Input = small(r)
			switch r.IntN(5) {
			case 0:
				op.Name, op.Output = "remove", yesNo(r)
			case 1, 2:
				op.Name, op.Output = "contains", history.Bool(r.IntN(2) == 0)
			case 3:
				op.Name, op.Output = "add", yesNo(r)
			default:
				op.Name, op.Input, op.Output = "read", history.Value{}, history.List(small(r), small(r))
			}
		},
		"queue": func(r *rand.Rand, op *history.Op) {
			if op.Name, op.Input = "enqueue", small(r); r.IntN(2) == 0 {
				op.Name, op.Input, op.Output = "dequeue", history.Value{}, small(r)
				if r.IntN(4) == 0 {
					op.Output = history.Value{}
				}
			}
		},
		"counter": func(r *rand.Rand, op *history.Op) {
			if op.Name, op.Input = "add", history.Int(int64(r.IntN(4))); r.IntN(2) == 0 {
				op.Name, op.Input, op.Output = "read", history.Value{}, history.Int(int64(r.IntN(6)))
			} else if r.IntN(2) == 0 {
				op.Output = history.Int(int64(r.IntN(6)))
			}
		},
		"log": func(r *rand.Rand, op *history.Op) {
			switch r.IntN(4) {
			case 0, 1:
				if op.Name, op.Input = "append", small(r); r.IntN(2) == 0 {
					op.Output = history.Int(int64(r.IntN(3)))
				}
			case 2:
				op.Name, op.Input, op.Output = "read", history.Int(int64(r.IntN(3))), value(r)
			default:
				op.Name = "read"
				var items []history.Value
				for range r.IntN(4) {
					items = append(items, small(r))
				}
				op.Output = history.List(items...)
			}
		},
	}
}

func drawLock(r *rand.Rand, op *history.Op) {
	op.Name = []string{"acquire", "release"}[r.IntN(2)]
	op.Client = fmt.Sprint(r.IntN(3))
	if r.IntN(5) == 0 {
		op.Output = history.Bool(false)
	}
}

// drawHistory draws up to n operations that overlap, and meet at the same instant.
func drawHistory(r *rand.Rand, n int, draw drawer) []history.Op {
	ops := make([]history.Op, 1+r.IntN(n))
	for i := range ops {
		op := &ops[i]
		*op = history.Op{ID: uint64(i) + 1, Kind: history.Model, Object: "x", Client: fmt.Sprint(i), Outcome: history.OK}
		op.Call = time.Duration(r.IntN(14))
		op.Return = op.Call + time.Duration(r.IntN(6))
		draw(r, op)
		switch r.IntN(12) {
		case 0, 1:
			op.Outcome = history.Maybe
		case 2:
			op.Outcome = history.Failed
		}
	}
	return ops
}

// hasAnOrder tries every order of what took effect.
func hasAnOrder(m Model, ops []history.Op, sequential bool) bool {
	groups := map[string][]history.Op{}
	for _, op := range ops {
		if op.Outcome != history.Failed {
			name := partName(m, &op)
			if sequential {
				name = ""
			}
			groups[name] = append(groups[name], op)
		}
	}
	for _, group := range groups {
		t := newTrial(m, group, sequential)
		if t.steps = 1 << 40; !t.order() {
			return false
		}
	}
	return true
}

// histories is how many random histories of each model are tried.
func histories() int {
	if full() {
		return 75_000
	}
	return 400
}

// seeds are those of so many histories. ASSAY_CONSISTENCY_FULL=1 is the first chunk of the long form, 2 the next, and so on.
func seeds(count int) iter.Seq[uint64] {
	chunk, _ := strconv.Atoi(os.Getenv("ASSAY_CONSISTENCY_FULL"))
	first := uint64(max(0, chunk-1) * count)
	return func(yield func(uint64) bool) {
		for seed := first; seed < first+uint64(count) && yield(seed); seed++ {
		}
	}
}

func TestAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	for name, draw := range drawers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Named(name)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[verdict.Verdict]int{}
			large, core := 0, 0
			for seed := range seeds(histories()) {
				ops := drawHistory(rand.New(rand.NewPCG(seed, 1)), 7, draw)
				res := checkBoth(t, m, ops, seed)
				counts[res.Verdict]++
				if errors.Is(Certify(m, ops, res), ErrLarge) {
					large++
				}
				core += len(res.Core)
			}
			t.Logf("%d histories: %v, %d cores too large, %.1f operations in a core", histories(), counts, large, float64(core)/float64(counts[verdict.Fail]))
			if counts[verdict.Pass] < histories()/50 || counts[verdict.Fail] < histories()/50 || counts[verdict.Unknown] > 0 {
				t.Errorf("the random histories are one-sided: %v", counts)
			}
		})
	}
}

// checkBoth checks a history by search and by whatever is chosen, against every order.
func checkBoth(t *testing.T, m Model, ops []history.Op, seed uint64) Result {
	t.Helper()
	want := verdict.Fail
	if hasAnOrder(m, ops, false) {
		want = verdict.Pass
	}
	var last Result
	for _, o := range []Options{{Search: true}, {}} {
		last = Check(context.Background(), m, ops, o)
		if last.Verdict != want {
			t.Fatalf("seed %d: %v by %s (%s), want %v:\n%s", seed, last.Verdict, last.Engine, last.Reason, want, show(ops))
		}
		if err := Certify(m, ops, last); err != nil && !errors.Is(err, ErrLarge) {
			t.Fatalf("seed %d: %s: %v by %s, %v %v:\n%s", seed, err, last.Verdict, last.Engine, last.Order, last.Core, show(ops))
		}
	}
	return last
}

func show(ops []history.Op) string {
	text := ""
	for i, op := range ops {
		text += fmt.Sprintf("%d: [%d,%d] %s %v %v %v -> %v (%v)\n", i, op.Call, op.Return, op.Client, op.Name, op.Key, op.Input, op.Output, op.Outcome)
	}
	return text
}

// Clients of their own order, and keys that are apart, for sequential consistency.
func TestSequentialAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	for name, draw := range drawers() {
		if name == "lease" {
			continue // it is about time
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Named(name)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[verdict.Verdict]int{}
			for seed := range seeds(histories()) {
				r := rand.New(rand.NewPCG(seed, 4))
				ops := drawHistory(r, 7, draw)
				for i := range ops {
					ops[i].Client, ops[i].Call, ops[i].Return = fmt.Sprint(r.IntN(3)), time.Duration(2*i), time.Duration(2*i+1)
					if name == "register" || name == "queue" {
						ops[i].Key = history.Int(int64(r.IntN(2)))
					}
				}
				want := hasAnOrder(m, ops, true)
				for _, o := range []Options{{Search: true}, {}} {
					res := Sequential(context.Background(), m, ops, o)
					if want != (res.Verdict == verdict.Pass) || res.Verdict == verdict.Unknown {
						t.Fatalf("seed %d: %v, and an order exists: %v:\n%s", seed, res.Verdict, want, show(ops))
					}
					if err := CertifySequential(m, ops, res); err != nil && !errors.Is(err, ErrLarge) {
						t.Fatalf("seed %d: %v: %v %v %v:\n%s", seed, err, res.Verdict, res.Order, res.Core, show(ops))
					}
					counts[res.Verdict]++
				}
			}
			t.Logf("%d histories: %v", histories(), counts)
			if counts[verdict.Pass] < histories()/50 || counts[verdict.Fail] < histories()/50 {
				t.Errorf("the random histories are one-sided: %v", counts)
			}
		})
	}
}
