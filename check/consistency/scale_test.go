package consistency

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// registerHistory returns a right history of many clients: each operation takes
// effect at one moment within its interval.
func registerHistory(seed uint64, n, clients, keys int) []history.Op {
	random := rand.New(rand.NewPCG(seed, 0))
	state := make([]history.Value, keys)
	busy := make([]time.Duration, clients)
	ops := make([]history.Op, n)
	for i := range ops {
		at, client, key := time.Duration(i+1)*1000, i%clients, random.IntN(keys)
		op := history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Client: fmt.Sprint(client), Key: history.Int(int64(key)), Outcome: history.OK}
		op.Call = max(busy[client], at-time.Duration(random.IntN(clients*400)))
		op.Return = at + time.Duration(random.IntN(clients*400))
		busy[client] = op.Return + 1
		if random.IntN(2) == 0 {
			op.Name, op.Output = "read", state[key]
		} else {
			op.Name, op.Input = "write", history.Int(int64(i))
			state[key] = op.Input
		}
		ops[i] = op
	}
	return ops
}

func TestLinearizableOfManyOperations(t *testing.T) {
	t.Parallel()
	ops := registerHistory(1, 20_000, 10, 20)
	start := time.Now()
	res := Linearizable("x").Check(context.Background(), check.Input{Ops: ops})
	t.Logf("%d operations in %v: %s", len(ops), time.Since(start), res.Reason)
	if res.Verdict != ok {
		t.Errorf("%v: %s", res.Verdict, res.Reason)
	}
}

// A stale read planted among many operations is found, and told by few of them.
func TestPlantedStaleReadHasASmallWitness(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		ops := registerHistory(seed, 3000, 6, 3)
		plantStaleRead(t, ops)
		res := Linearizable("x").Check(context.Background(), check.Input{Ops: ops})
		if res.Verdict != bad || len(res.Witness) > 6 {
			t.Errorf("seed %d: %v with %d witnesses: %s", seed, res.Verdict, len(res.Witness), res.Reason)
		}
	}
}

// plantStaleRead makes a late read return what an early one of its key did.
func plantStaleRead(t *testing.T, ops []history.Op) {
	t.Helper()
	for i := len(ops) - 1; i > 2000; i-- {
		for j := 500; ops[i].Name == "read" && j < 1000; j++ {
			if ops[j].Name == "read" && ops[j].Key.Equal(ops[i].Key) && !ops[j].Output.Equal(ops[i].Output) {
				ops[i].Output = ops[j].Output
				return
			}
		}
	}
	t.Fatal("the history has no two reads of one key")
}

// Many operations that all overlap, and no order: the search cannot end in time, and is unknown.
func hopeless(n int) check.Input {
	var in check.Input
	for i := range n {
		op := history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Client: fmt.Sprint(i), Outcome: history.OK, Return: time.Second}
		op.Name, op.Input = "write", history.Int(int64(i))
		if i%2 == 0 {
			op.Name, op.Input, op.Output = "read", history.Value{}, history.Int(int64(i)+1)
		}
		in.Ops = append(in.Ops, op)
	}
	in.Ops[0].Output = history.Int(-1) // written only by what found what nobody wrote
	in.Ops = append(in.Ops, history.Op{ID: uint64(n + 1), Kind: history.Model, Object: "x", Client: "cas", Name: "cas", Outcome: history.Maybe, Input: history.List(history.Int(-2), history.Int(-1))})
	in.Ops[3].Input = in.Ops[1].Input // not unique, so that only a search can decide
	in.Ops[2].Output = in.Ops[0].Output
	return in
}

func TestLinearizableEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	res := Linearizable("x").Check(ctx, hopeless(400))
	if res.Verdict != open || !strings.Contains(res.Reason, "did not end in time") {
		t.Errorf("%v: %s", res.Verdict, res.Reason)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("it took %v to end", took)
	}
}

// Sixty thousand operations on one key are decided, by search too.
func TestLinearizableOfManyOperationsOnOneKey(t *testing.T) {
	t.Parallel()
	for _, values := range []int{1, 60_000} {
		var ops []history.Op
		for i := range 60_000 {
			at := time.Duration(i) * 10
			op := history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Name: "read", Outcome: history.OK, Call: at, Return: at + 15}
			if i%2 == 0 {
				op.Name, op.Input = "write", history.Int(int64(i%values))
			} else {
				op.Output = history.Int(int64((i - 1) % values))
			}
			ops = append(ops, op)
		}
		if res := Linearizable("x").Check(context.Background(), check.Input{Ops: ops}); res.Verdict != ok {
			t.Errorf("%v: %s", res.Verdict, res.Reason)
		}
		ops[30_001].Output = history.Int(-1)
		if res := Linearizable("x").Check(context.Background(), check.Input{Ops: ops}); res.Verdict != bad || len(res.Witness) != 1 {
			t.Errorf("never written: %v, %d witnesses: %s", res.Verdict, len(res.Witness), res.Reason)
		}
	}
}

// Thirty thousand appends are judged in a time that does not square with them.
func TestListsOfManyAppends(t *testing.T) {
	t.Parallel()
	const n = 30_000
	var in check.Input
	items := make([]history.Value, n)
	for i := range n {
		at := time.Duration(i) * 10
		items[i] = history.Int(int64(i))
		in.Ops = append(in.Ops, history.Op{ID: uint64(i + 1), Kind: history.Model, Object: "x", Name: "append", Input: items[i], Outcome: history.OK, Call: at, Return: at + 15})
	}
	in.Ops = append(in.Ops, history.Op{ID: n + 1, Kind: history.Model, Object: "x", Name: "read", Outcome: history.OK, Output: history.List(items...), Call: n * 20, Return: n * 21})
	for _, checker := range []check.Checker{NoLost("x"), Once("x"), Ordered("x")} {
		start := time.Now()
		if res := checker.Check(context.Background(), in); res.Verdict != ok {
			t.Errorf("%v: %v, %s", checker, res.Verdict, res.Reason)
		}
		t.Logf("%v of %d appends: %v", checker, n, time.Since(start))
	}
	items[500], items[501], items[29_000] = items[29_000], items[500], items[501]
	in.Ops[n].Output = history.List(items...)
	if res := Ordered("x").Check(context.Background(), in); res.Verdict != bad {
		t.Errorf("swapped: %v, %s", res.Verdict, res.Reason)
	}
}
