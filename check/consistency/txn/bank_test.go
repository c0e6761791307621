package txn

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// seq makes operations that follow one another.
func seq(ops ...history.Op) []history.Op {
	for i := range ops {
		ops[i].ID, ops[i].Call, ops[i].Return = uint64(i+1), time.Duration(10*i), time.Duration(10*i+5)
	}
	return ops
}

func op(name string, in, out any, outcome history.Outcome) history.Op {
	i, _ := history.Of(in)
	o, _ := history.Of(out)
	return history.Op{Name: name, Input: i, Output: o, Outcome: outcome}
}

func TestBankAndOthers(t *testing.T) {
	t.Parallel()
	type m = map[string]any
	type l = []any
	const ok, maybe, no = history.OK, history.Maybe, history.Failed
	bank := func(ops []history.Op) verdict.Verdict { return Bank(ops, 10, false).Verdict }
	fork := func(ops []history.Op) verdict.Verdict { return LongFork(ops).Verdict }
	ids := func(ops []history.Op) verdict.Verdict { return UniqueIDs(ops).Verdict }
	queue := func(ops []history.Op) verdict.Verdict { return TotalQueue(ops).Verdict }
	set := func(ops []history.Op) verdict.Verdict { return SetFull(ops, false).Verdict }
	fresh := func(ops []history.Op) verdict.Verdict { return SetFull(ops, true).Verdict }
	cases := []struct {
		name  string
		judge func([]history.Op) verdict.Verdict
		ops   []history.Op
		want  verdict.Verdict
	}{
		{"bank", bank, seq(op("read", nil, m{"a": 4, "b": 6}, ok)), verdict.Pass},
		{"bank total", bank, seq(op("read", nil, m{"a": 4, "b": 7}, ok)), verdict.Fail},
		{"bank negative", bank, seq(op("read", nil, m{"a": -1, "b": 11}, ok)), verdict.Fail},
		{"bank without reads", bank, seq(op("read", nil, m{"a": 1}, no)), verdict.Unknown},
		{"bank that is none", bank, seq(op("read", nil, 10, ok)), verdict.Unknown},
		{"one order", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": 1, "y": 1}, ok)), verdict.Pass},
		{"long fork", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": nil, "y": 1}, ok)), verdict.Fail},
		{"no fork without reads", fork, nil, verdict.Unknown},
		{"ids", ids, seq(op("generate", nil, 1, ok), op("generate", nil, 2, ok), op("generate", nil, 1, no)), verdict.Pass},
		{"same ids", ids, seq(op("generate", nil, 1, ok), op("generate", nil, 1, ok)), verdict.Fail},
		{"no ids", ids, nil, verdict.Unknown},
		{"queue", queue, seq(op("enqueue", 1, nil, ok), op("enqueue", 2, nil, maybe), op("dequeue", nil, 2, ok), op("dequeue", nil, 1, ok)), verdict.Pass},
		{"queue loses", queue, seq(op("enqueue", 1, nil, ok)), verdict.Fail},
		{"queue doubles", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, 1, ok), op("dequeue", nil, 1, ok)), verdict.Fail},
		{"queue invents", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, 1, ok), op("dequeue", nil, 3, ok)), verdict.Fail},
		{"no queue", queue, nil, verdict.Unknown},
		{"set", set, seq(op("add", 1, nil, ok), op("read", nil, l{1}, ok)), verdict.Pass},
		{"set loses", set, seq(op("add", 1, nil, ok), op("read", nil, l{1}, ok), op("read", nil, l{}, ok)), verdict.Fail},
		{"set never shows", set, seq(op("add", 1, nil, ok), op("read", nil, l{}, ok)), verdict.Fail},
		{"set recovers", set, seq(op("add", 1, nil, maybe), op("read", nil, l{}, ok), op("read", nil, l{1}, ok)), verdict.Pass},
		{"set is late", set, seq(op("add", 1, nil, ok), op("read", nil, l{}, ok), op("read", nil, l{1}, ok)), verdict.Pass},
		{"set is stale", fresh, seq(op("add", 1, nil, ok), op("read", nil, l{}, ok), op("read", nil, l{1}, ok)), verdict.Fail},
		{"no set", set, nil, verdict.Unknown},
		{"bank of a fraction and a wrong total", bank, seq(op("read", nil, m{"a": 1.5}, ok), op("read", nil, m{"a": 11}, ok)), verdict.Fail},
		{"bank of a fraction", bank, seq(op("read", nil, m{"a": 1.5}, ok)), verdict.Unknown},
		{"bank read that is not ok", bank, seq(op("read", nil, m{"a": 10}, ok), op("read", nil, m{"a": 11}, maybe)), verdict.Pass},
		{"bank without operations", bank, nil, verdict.Unknown},
		{"fork of other keys", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"y": 1, "z": nil}, ok)), verdict.Pass},
		{"fork across others", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": 1, "y": 1}, ok),
			op("read", nil, m{"x": nil, "y": nil}, ok), op("read", nil, m{"x": nil, "y": 1}, ok)), verdict.Fail},
		{"fork seen by one that is not ok", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": nil, "y": 1}, maybe)), verdict.Pass},
		{"fork that is none", fork, seq(op("read", nil, 7, ok)), verdict.Unknown},
		{"ids of unknown outcome", ids, seq(op("generate", nil, 1, ok), op("generate", nil, 1, maybe)), verdict.Pass},
		{"queue of unknown enqueues", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, 1, ok), op("enqueue", 2, nil, maybe)), verdict.Pass},
		{"queue doubles an unknown enqueue", queue, seq(op("enqueue", 2, nil, maybe), op("dequeue", nil, 2, ok), op("dequeue", nil, 2, ok)), verdict.Fail},
		{"queue shows a failed enqueue", queue, seq(op("enqueue", 2, nil, no), op("dequeue", nil, 2, ok)), verdict.Fail},
		{"queue invents without enqueues", queue, seq(op("dequeue", nil, 3, ok)), verdict.Fail},
		{"queue with an unknown dequeue", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, nil, maybe)), verdict.Unknown},
		{"queue loses more than unknown dequeues", queue, seq(op("enqueue", 1, nil, ok), op("enqueue", 2, nil, ok), op("dequeue", nil, nil, maybe)), verdict.Fail},
		{"queue dequeues nothing", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, nil, ok)), verdict.Fail},
		{"set shows what nobody added", set, seq(op("add", 1, nil, ok), op("read", nil, l{1, 2}, ok)), verdict.Fail},
		{"set shows a failed add", set, seq(op("add", 1, nil, ok), op("add", 2, nil, no), op("read", nil, l{1, 2}, ok)), verdict.Fail},
		{"set shows one twice", set, seq(op("add", 1, nil, ok), op("read", nil, l{1, 1}, ok)), verdict.Fail},
		{"set loses what was recovered", set, seq(op("add", 1, nil, maybe), op("read", nil, l{1}, ok), op("read", nil, l{}, ok)), verdict.Fail},
		{"set without an unknown add", set, seq(op("add", 1, nil, ok), op("add", 2, nil, maybe), op("read", nil, l{1}, ok)), verdict.Pass},
		{"set that was read ahead of all", set, seq(op("read", nil, l{}, ok), op("add", 1, nil, ok)), verdict.Unknown},
		{"set that is none", set, seq(op("add", 1, nil, ok), op("read", nil, nil, ok)), verdict.Unknown},
		{"bank whose sum is past 64 bits", bank, seq(op("read", nil, m{"a": math.MaxInt64, "b": math.MaxInt64, "c": 12}, ok)), verdict.Fail},
		{"bank of nobody", func(ops []history.Op) verdict.Verdict { return Bank(ops, 0, false).Verdict }, seq(op("read", nil, m{}, ok)), verdict.Unknown},
		{"fork among reads of more keys", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": nil, "y": 1, "z": nil}, ok)), verdict.Fail},
		{"fork of one key in common", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": nil, "z": 1}, ok)), verdict.Pass},
		{"fork of keys written twice", fork, seq(op("read", nil, m{"x": 1, "y": nil}, ok), op("read", nil, m{"x": 2, "y": nil}, ok)), verdict.Unknown},
		{"fork where no write is seen", fork, seq(op("read", nil, m{"x": nil, "y": nil}, ok)), verdict.Unknown},
		{"fork of single keys", fork, seq(op("read", nil, m{"x": 1}, ok), op("read", nil, m{"y": 1}, ok)), verdict.Unknown},
		{"fork of keys alike", fork, seq(op("read", nil, map[any]any{1: 1, "1": nil}, ok), op("read", nil, map[any]any{1: nil, "1": 1}, ok)), verdict.Fail},
		{"ids that are none", ids, seq(op("generate", nil, nil, ok), op("generate", nil, nil, ok)), verdict.Unknown},
		{"ids alike", ids, seq(op("generate", nil, 1, ok), op("generate", nil, "1", ok)), verdict.Pass},
		{"queue shows what is enqueued later", queue, seq(op("dequeue", nil, 1, ok), op("enqueue", 1, nil, ok)), verdict.Fail},
		{"queue of one value twice", queue, seq(op("enqueue", 1, nil, ok), op("dequeue", nil, 1, ok), op("enqueue", 1, nil, ok), op("dequeue", nil, 1, ok)), verdict.Pass},
		{"set that was added to twice", fresh, seq(op("add", 1, nil, ok), op("add", 1, nil, ok), op("read", nil, l{1}, ok)), verdict.Pass},
		{"set added again after a loss of word", set, seq(op("add", 1, nil, maybe), op("add", 1, nil, ok), op("read", nil, l{}, ok)), verdict.Fail},
		{"set shows what is added later", set, seq(op("read", nil, l{1}, ok), op("add", 1, nil, ok), op("read", nil, l{1}, ok)), verdict.Fail},
		{"set that is removed from", set, seq(op("add", 1, nil, ok), op("remove", 1, nil, ok), op("read", nil, l{}, ok)), verdict.Unknown},
		{"set of failed adds", set, seq(op("add", 1, nil, no), op("read", nil, l{}, ok)), verdict.Unknown},
	}
	for _, c := range cases {
		if got := c.judge(c.ops); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// What fails names operations that show it.
func TestNamedOperations(t *testing.T) {
	t.Parallel()
	type l = []any
	const ok = history.OK
	lost := SetFull(seq(op("add", 1, nil, ok), op("add", 2, nil, ok), op("read", nil, l{1, 2}, ok), op("read", nil, l{1}, ok)), false)
	stale := SetFull(seq(op("add", 1, nil, ok), op("read", nil, l{}, ok), op("read", nil, l{1}, ok)), true)
	queue := TotalQueue(seq(op("enqueue", 1, nil, ok), op("enqueue", 2, nil, ok), op("dequeue", nil, 2, ok), op("dequeue", nil, 2, ok)))
	for _, c := range []struct {
		name string
		got  Finding
		want []uint64
	}{
		{"lost", lost.Finding, []uint64{2, 4}},
		{"stale", stale.Finding, []uint64{1, 2}},
		{"queue", queue.Finding, []uint64{1, 2, 3, 4}},
	} {
		var got []uint64
		for _, op := range c.got.Ops {
			got = append(got, op.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got operations %v (%s), want %v", c.name, got, c.got.Reason, c.want)
		}
	}
}

// A large set takes no time in proportion to elements times reads.
func BenchmarkSetFull(b *testing.B) {
	const adds, every = 20_000, 1000
	var ops []history.Op
	var all []any
	for i := range adds {
		ops = append(ops, op("add", i, nil, history.OK))
		all = append(all, i)
		if i%every == every-1 {
			ops = append(ops, op("read", nil, slices.Clone(all), history.OK))
		}
	}
	ops = seq(ops...)
	b.ResetTimer()
	for b.Loop() {
		if s := SetFull(ops, true); s.Verdict != verdict.Pass {
			b.Fatal(s.Reason)
		}
	}
}

// The figures of a set: the second element shows 20 after it was known and one missed it, the third is recovered, the fourth lost.
func TestSetFigures(t *testing.T) {
	t.Parallel()
	type l = []any
	const ok, maybe = history.OK, history.Maybe
	s := SetFull(seq(op("add", 1, nil, ok), op("add", 2, nil, ok), op("add", 3, nil, maybe), op("add", 4, nil, ok), op("read", nil, l{1, 4}, ok),
		op("read", nil, l{1, 2, 3}, ok), op("add", 5, nil, ok)), false)
	for _, c := range []struct {
		name string
		got  []history.Value
		want string
	}{
		{"lost", s.Lost, "[4]"}, {"stale", s.Stale, "[2]"}, {"recovered", s.Recovered, "[3]"}, {"never read", s.NeverRead, "[5]"},
	} {
		if got := fmt.Sprint(c.got); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if want := []time.Duration{0, 25, 0}; !slices.Equal(s.Latency, want) {
		t.Errorf("got latencies %v, want %v", s.Latency, want)
	}
}
