package linear

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Circles of forced orders are found only where no order exists, they hold by themselves, and most of what is wrong with unique
// values has one.
func TestForcedAgainstEveryOrder(t *testing.T) {
	t.Parallel()
	fails, found := 0, 0
	for seed := range seeds(4 * histories()) {
		r := rand.New(rand.NewPCG(seed, 12))
		var next int64
		draw := uniqueDrawers()["register"](&next)
		if seed%2 == 1 {
			draw = drawers()["cas-register"]
		}
		ops := drawHistory(r, 9, draw)
		for i := range ops {
			ops[i].Client, ops[i].Call, ops[i].Return = fmt.Sprint(r.IntN(3)), time.Duration(2*i), time.Duration(2*i+1)
			ops[i].Key = history.Int(int64(r.IntN(2)))
		}
		var all []int32
		for i := range ops {
			if ops[i].Outcome != history.Failed {
				all = append(all, int32(i))
			}
		}
		right := hasAnOrder(CASRegister(), ops, true)
		whole := Sequential(t.Context(), CASRegister(), ops, Options{WholeCore: true})
		if err := CertifySequential(CASRegister(), ops, whole); err != nil || right != (whole.Verdict == verdict.Pass) {
			t.Fatalf("seed %d: %v by %s: %v; an order exists: %v\n%s", seed, whole.Verdict, whole.Engine, err, right, show(ops))
		}
		f, _ := decideForced(CASRegister(), ops, all)
		if !right {
			fails++
		}
		if f.verdict != verdict.Fail {
			continue
		}
		found++
		res := Result{Verdict: f.verdict, Core: f.core, Until: forever}
		if right || CertifySequential(CASRegister(), ops, res) != nil {
			t.Fatalf("seed %d: an order exists: %v; core %v: %v\n%s", seed, right, f.core, CertifySequential(CASRegister(), ops, res), show(ops))
		}
	}
	t.Logf("%d histories, %d have no order, %d of them by a circle", 4*histories(), fails, found)
	if found < fails*2/3 {
		t.Errorf("of %d histories without an order a circle was found in %d", fails, found)
	}
}

// sessionHistory is a right history of unique values on keys, by clients each of which sees all writes in one order, some later.
func sessionHistory(seed uint64, n, clients, keys int) []history.Op {
	r := rand.New(rand.NewPCG(seed, 13))
	type write struct{ key, value int64 }
	var log []write
	seen := make([]int, clients) // how much of the log a client sees
	state := make([]map[int64]int64, clients)
	ops := make([]history.Op, n)
	for i := range ops {
		client := r.IntN(clients)
		if state[client] == nil {
			state[client] = map[int64]int64{}
		}
		catchUp := func(to int) {
			for ; seen[client] < to; seen[client]++ {
				w := log[seen[client]]
				state[client][w.key] = w.value
			}
		}
		key := r.Int64N(int64(keys))
		ops[i] = history.Op{ID: uint64(i + 1), Client: fmt.Sprint(client), Outcome: history.OK, Name: "read", Key: history.Int(key), Call: time.Duration(2 * i), Return: time.Duration(2*i + 1)}
		if r.IntN(3) == 0 {
			log = append(log, write{key, int64(i + 1)})
			catchUp(len(log)) // a write comes last, and its client has seen all before
			ops[i].Name, ops[i].Input = "write", history.Int(int64(i+1))
			continue
		}
		catchUp(seen[client] + r.IntN(len(log)-seen[client]+1))
		ops[i].Output = registerValue(state[client][key])
	}
	return ops
}

// What is wrong in a large history is found without a search: a client that sees two writes of different keys in another order.
func TestSequentialCircleAtScale(t *testing.T) {
	t.Parallel()
	n := 10_000
	if full() {
		n = 100_000
	}
	ops := sessionHistory(1, n, 10, 5)
	start := time.Now()
	res := Sequential(t.Context(), Register(), ops, Options{Budget: 1_000_000})
	t.Logf("right: %v in %v: %s", res.Verdict, time.Since(start), res.Reason)
	if res.Verdict == verdict.Fail {
		t.Errorf("a right history: %s", res.Reason)
	}
	at := time.Duration(2 * n)
	for i, text := range []string{"a:w-1", "a:w-2", "b:r-2", "b:r0", "c:w-3", "d:w-4", "e:r-3", "e:r0", "f:r-4", "f:r0"} {
		op := history.Op{ID: uint64(n + i + 1), Client: text[:1] + "'", Outcome: history.OK, Name: "read", Call: at, Return: at + 1}
		var v int64
		fmt.Sscan(text[3:], &v)
		if op.Output = registerValue(v); text[2] == 'w' {
			op.Name, op.Input, op.Output = "write", op.Output, history.Value{}
		}
		op.Key = history.Int(100 + int64(i%2)) // fresh keys: see below
		ops, at = append(ops, op), at+2
	}
	// b sees the second of a's writes, and not the first; of another client's two writes e sees one and not the other, and f the reverse.
	keys := []int64{101, 102, 102, 101, 103, 104, 103, 104, 104, 103}
	for i, key := range keys {
		ops[n+i].Key = history.Int(key)
	}
	for _, part := range [][2]int{{0, 4}, {4, 10}} {
		wrong := append(append([]history.Op(nil), ops[:n]...), ops[n+part[0]:n+part[1]]...)
		start = time.Now()
		res = Sequential(t.Context(), Register(), wrong, Options{Budget: 1_000_000})
		t.Logf("wrong: %v in %v by %s, %d steps: %s", res.Verdict, time.Since(start), res.Engine, res.Steps, res.Reason)
		if res.Verdict != verdict.Fail || res.Engine != forcedEngine {
			t.Errorf("%v by %s: %s", res.Verdict, res.Engine, res.Reason)
		}
		if err := CertifySequential(Register(), wrong, res); err != nil {
			t.Error(err)
		}
		if want := part[1] - part[0]; len(res.Core) != want {
			t.Errorf("a core of %d, want %d: %s", len(res.Core), want, res.Reason)
		}
	}
}

// A right history stays right for sequential consistency at any size, or is unknown.
func TestSequentialRight(t *testing.T) {
	t.Parallel()
	counts := map[verdict.Verdict]int{}
	for seed := range uint64(50) {
		ops := sessionHistory(seed, 200, 5, 3)
		res := Sequential(t.Context(), Register(), ops, Options{Budget: 200_000})
		counts[res.Verdict]++
		if err := CertifySequential(Register(), ops, res); err != nil && !errors.Is(err, ErrLarge) || res.Verdict == verdict.Fail {
			t.Fatalf("seed %d: %v %v: %s", seed, res.Verdict, err, res.Reason)
		}
	}
	t.Log(counts)
}
