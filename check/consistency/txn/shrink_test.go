package txn

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A smaller history fails the same way, and nothing can be left out of it.
func TestShrink(t *testing.T) {
	t.Parallel()
	for _, typ := range []DataType{ListAppend, Register} {
		shrunk := 0
		for seed := range rounds(15) {
			rng := rand.New(rand.NewPCG(uint64(seed), 4))
			h := build(t, typ, scheme{typ: typ, snapshot: true}.simulate(rng, 40))
			whole := Check(t.Context(), h, Serializable)
			part := Shrink(t.Context(), h, Serializable)
			if whole.Verdict != verdict.Fail {
				if part.History != nil {
					t.Errorf("seed %d: a history that passes was made smaller", seed)
				}
				continue
			}
			res := Check(t.Context(), part.History, Serializable)
			if res.Verdict != verdict.Fail || res.worst(Serializable).Name != whole.worst(Serializable).Name {
				t.Errorf("seed %d: got %v: %s, want %s", seed, res.Verdict, res.Reason, whole.Reason)
			}
			if err := certified(part.History, Serializable, res); err != nil || part.Why != "" {
				t.Errorf("seed %d: %v, %s", seed, err, part.Why)
			}
			if len(part.Txns) < h.Len() {
				shrunk++
			}
			s := shrinker{ctx: t.Context(), h: part.History, model: Serializable, name: whole.worst(Serializable).Name, steps: shrinkSteps, most: shrinkSteps}
			parts := part.History.parts()
			for i := range parts {
				if s.fails(slices.Delete(slices.Clone(parts), i, i+1)) {
					t.Errorf("seed %d: transaction %d can be left out", seed, i)
				}
			}
		}
		if shrunk == 0 {
			t.Errorf("%v: nothing was made smaller", typ)
		}
	}
}

// thousands makes a history of lists of a thousand elements, with two transactions in the middle that do not see one another.
func thousands(t testing.TB, n int) *History {
	rng := rand.New(rand.NewPCG(1, 11))
	b := NewBuilder(ListAppend)
	var lists [4][]int64
	for i := range n {
		b.Begin(history.Int(int64(i%10)), time.Duration(10*i))
		k := rng.IntN(4)
		if i == n/2 {
			for x := range 2 {
				b.ReadInts(int64(x), lists[x])
				b.WriteInt(int64(1-x), int64(n))
				if x == 0 {
					b.End(history.OK, time.Duration(10*i+15))
					b.Begin(history.Int(99), time.Duration(10*i+5))
				}
			}
			lists[0], lists[1] = append(lists[0], int64(n)), append(lists[1], int64(n))
		} else if rng.IntN(2) == 0 {
			lists[k] = append(lists[k], int64(i))
			b.WriteInt(int64(k), int64(i))
		} else {
			b.ReadInts(int64(k), lists[k])
		}
		b.End(history.OK, time.Duration(10*i+9))
	}
	h, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Long lists on few keys are made small, in steps that are counted.
func TestShrinkLongLists(t *testing.T) {
	t.Parallel()
	h := thousands(t, 4000)
	began := time.Now()
	part := Shrink(t.Context(), h, Serializable)
	t.Log(len(part.Txns), "transactions after", time.Since(began), part.Why)
	if len(part.Txns) != 2 || part.Why != "" {
		t.Errorf("got %d transactions, %q, want the two that matter", len(part.Txns), part.Why)
	}
}

// Too few steps leave it larger than it could be, and it says so; each time the same.
func TestShrinkStops(t *testing.T) {
	t.Parallel()
	h := thousands(t, 400)
	first := shrink(t.Context(), h, Serializable, 6_000)
	again := shrink(t.Context(), h, Serializable, 6_000)
	if !strings.Contains(first.Why, "steps") || len(first.Txns) <= 2 || len(first.Txns) >= h.Len() || !slices.Equal(first.Txns, again.Txns) {
		t.Errorf("got %d and %d transactions, %q", len(first.Txns), len(again.Txns), first.Why)
	}
	if res := Check(t.Context(), first.History, Serializable); res.Verdict != verdict.Fail {
		t.Errorf("got %v: %s", res.Verdict, res.Reason)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if part := Shrink(ctx, h, Serializable); part.History != nil {
		t.Errorf("got %d transactions though it was stopped first", len(part.Txns))
	}
}
