package txn

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// mapped returns transactions with other names and times.
func mapped(txns []small, key, value, process func(int64) int64, shift int64) []small {
	out := slices.Clone(txns)
	for i := range out {
		x := &out[i]
		x.process, x.call, x.ret = process(x.process), x.call+shift, x.ret+shift
		x.mops = slices.Clone(x.mops)
		for j := range x.mops {
			m := &x.mops[j]
			m.key = key(m.key)
			if m.write {
				m.value = value(m.value)
			}
			m.list = slices.Clone(m.list)
			for l := range m.list {
				m.list[l] = value(m.list[l])
			}
		}
	}
	return out
}

// Other names of keys, values and processes, and another time, change neither the verdict nor what is found.
func TestRenamed(t *testing.T) {
	t.Parallel()
	same := func(x int64) int64 { return x }
	other := func(x int64) int64 { return 1<<40 - 7*x }
	for _, typ := range []DataType{ListAppend, Register} {
		for seed := range rounds(150) {
			rng := rand.New(rand.NewPCG(uint64(seed), 6))
			txns := randomSmall(rng, typ)
			for _, model := range []Model{ReadCommitted, SnapshotIsolation, StrictSerializable} {
				want := Check(t.Context(), build(t, typ, txns), model)
				for name, changed := range map[string][]small{
					"keys":      mapped(txns, other, same, same, 0),
					"values":    mapped(txns, same, other, same, 0),
					"processes": mapped(txns, same, same, other, 0),
					"time":      mapped(txns, same, same, same, 1<<50),
				} {
					got := Check(t.Context(), build(t, typ, changed), model)
					if got.Verdict != want.Verdict || !maps.Equal(got.Count, want.Count) || !slices.Equal(got.Not, want.Not) {
						t.Fatalf("%v, seed %d: %s: with other %s got %v %v, want %v %v\n%s", typ, seed, model, name, got.Verdict, got.Count,
							want.Verdict, want.Count, show(txns))
					}
				}
			}
		}
	}
}

// Somebody who reads all in the end fits what passes, and saves nothing that fails; who reads what is not there fits nothing.
func TestAddedReader(t *testing.T) {
	t.Parallel()
	for _, typ := range []DataType{ListAppend, Register} {
		for seed := range rounds(150) {
			rng := rand.New(rand.NewPCG(uint64(seed), 7))
			txns := randomSmall(rng, typ)
			before := Check(t.Context(), build(t, typ, txns), StrictSerializable)
			if before.Verdict == verdict.Unknown {
				continue
			}
			state := map[int64][]int64{}
			order := before.Order
			if order == nil {
				for i := range txns {
					order = append(order, int32(i))
				}
			}
			for _, i := range order {
				if txns[i].outcome != history.Failed {
					txns[i].runs(typ, state)
				}
			}
			reader := small{process: 99, call: 1 << 30, ret: 1<<30 + 1}
			reader.outcome = history.OK
			for _, k := range slices.Sorted(maps.Keys(state)) {
				reader.mops = append(reader.mops, smallOp{key: k, list: state[k]})
			}
			after := Check(t.Context(), build(t, typ, append(slices.Clone(txns), reader)), StrictSerializable)
			if after.Verdict != before.Verdict {
				t.Fatalf("%v, seed %d: got %v (%s), want %v with a reader of %v\n%s", typ, seed, after.Verdict, after.Reason, before.Verdict,
					state, show(txns))
			}
			reader.mops = []smallOp{{key: 0, list: []int64{777}}}
			if got := Check(t.Context(), build(t, typ, append(slices.Clone(txns), reader)), ReadUncommitted); got.Verdict != verdict.Fail {
				t.Fatalf("%v, seed %d: got %v after a read of what nobody wrote", typ, seed, got.Verdict)
			}
		}
	}
}
