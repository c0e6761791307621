package linear

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// uniqueDrawers draw operations that put each value once; some show values that nobody put.
func uniqueDrawers() map[string]func(next *int64) drawer {
	old := func(r *rand.Rand, next *int64) history.Value { return history.Int(1 + r.Int64N(*next+1)) }
	return map[string]func(next *int64) drawer{
		"register": func(next *int64) drawer {
			return func(r *rand.Rand, op *history.Op) {
				if op.Name = "read"; r.IntN(2) == 0 {
					*next++
					op.Name, op.Input = "write", history.Int(*next)
				} else if op.Output = old(r, next); r.IntN(6) == 0 {
					op.Output = history.Value{}
				}
			}
		},
		"queue": func(next *int64) drawer {
			taken := int64(0)
			return func(r *rand.Rand, op *history.Op) {
				switch r.IntN(9) {
				case 0, 1, 2, 3:
					*next++
					op.Name, op.Input = "enqueue", history.Int(*next)
				case 4:
					op.Name = "dequeue"
				case 5:
					op.Name, op.Output = "dequeue", old(r, next)
				default:
					taken++
					op.Name, op.Output = "dequeue", history.Int(taken)
				}
			}
		},
		"set": func(next *int64) drawer {
			removed := int64(0)
			return func(r *rand.Rand, op *history.Op) {
				switch r.IntN(6) {
				case 0, 1:
					*next++
					op.Name, op.Input = "add", history.Int(*next)
				case 2:
					removed++
					op.Name, op.Input, op.Output = "remove", history.Int(removed), history.Bool(true)
				case 3:
					op.Name, op.Input, op.Output = []string{"add", "remove"}[r.IntN(2)], old(r, next), history.Bool(false)
				default:
					op.Name, op.Input, op.Output = "contains", old(r, next), history.Bool(r.IntN(2) == 0)
				}
			}
		},
	}
}

// Monitors agree with every order, decide all histories but those that they say they cannot, and their orders and cores hold.
func TestMonitorsAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	for name, draw := range uniqueDrawers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Named(name)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[verdict.Verdict]int{}
			searched, large := 0, 0
			for seed := range seeds(4 * histories()) {
				var next int64
				r := rand.New(rand.NewPCG(seed, 2))
				ops := drawHistory(r, 9, draw(&next))
				r.Shuffle(len(ops), func(i, j int) {
					ops[i].Call, ops[j].Call, ops[i].Return, ops[j].Return = ops[j].Call, ops[i].Call, ops[j].Return, ops[i].Return
				})
				res := checkBoth(t, m, ops, seed)
				counts[res.Verdict]++
				if strings.HasPrefix(res.Engine, "search") {
					searched++
				}
				if errors.Is(Certify(m, ops, res), ErrLarge) {
					large++
				}
			}
			t.Logf("%d histories: %v, %d by search, %d cores too large", 4*histories(), counts, searched, large)
			if counts[verdict.Pass] < histories()/10 || counts[verdict.Fail] < histories()/10 || searched > histories() {
				t.Errorf("the random histories are one-sided: %v, %d by search", counts, searched)
			}
		})
	}
}

// uniqueHistory is a right history of n operations by many clients, each of which takes effect at one moment.
func uniqueHistory(model string, seed uint64, n, clients int) []history.Op {
	r := rand.New(rand.NewPCG(seed, 3))
	ops := make([]history.Op, n)
	var current history.Value
	var queue []int64
	next := int64(0)
	for i := range ops {
		op := &ops[i]
		at := time.Duration(i+clients) * 1000
		*op = history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Client: "c", Outcome: history.OK}
		op.Call, op.Return = at-time.Duration(r.IntN(clients*500)), at+time.Duration(r.IntN(clients*500))
		half := r.IntN(2) == 0
		switch {
		case model == "register" && half:
			next++
			op.Name, op.Input = "write", history.Int(next)
			current = op.Input
		case model == "register":
			op.Name, op.Output = "read", current
		case model == "queue" && (half || len(queue) == 0):
			next++
			op.Name, op.Input = "enqueue", history.Int(next)
			queue = append(queue, next)
		case model == "queue":
			op.Name, op.Output = "dequeue", history.Int(queue[0])
			queue = queue[1:]
		case half || next == 0:
			next++
			op.Name, op.Input, op.Output = "add", history.Int(next), history.Bool(true)
		default:
			seen := 1 + r.Int64N(next)
			op.Name, op.Input, op.Output = "contains", history.Int(seen), history.Bool(true)
		}
	}
	return ops
}

func TestMillionsOfUniqueValues(t *testing.T) {
	t.Parallel()
	n := 100_000
	if full() {
		n = 1_000_000
	}
	for _, name := range []string{"register", "queue", "set"} {
		m, _ := Named(name)
		ops := uniqueHistory(name, 1, n, 10)
		start := time.Now()
		res := Check(t.Context(), m, ops, Options{})
		t.Logf("%s: %d operations in %v by %s", name, n, time.Since(start), res.Engine)
		if res.Verdict != verdict.Pass {
			t.Fatalf("%s: %v: %s", name, res.Verdict, res.Reason)
		}
		if name == "set" && n > 1000 {
			continue // to replay the order of a large set takes long
		}
		if err := Certify(m, ops, res); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkUnique(b *testing.B) {
	for _, name := range []string{"register", "queue", "set"} {
		m, _ := Named(name)
		ops := uniqueHistory(name, 1, 1_000_000, 10)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if res := Check(b.Context(), m, ops, Options{}); res.Verdict != verdict.Pass {
					b.Fatal(res.Reason)
				}
			}
		})
	}
}
