package txn

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// wild makes transactions whose reads return whatever: of any writes, in any order, now and then of none or twice.
func wild(rng *rand.Rand, typ DataType) []small {
	n, keys := 2+rng.IntN(3), int64(1+rng.IntN(2))
	txns := make([]small, n)
	call, value := int64(0), int64(0)
	written := map[int64][]int64{}
	odd := rng.IntN(4) == 0
	for i := range txns {
		call += rng.Int64N(3)
		x := small{process: rng.Int64N(3), call: call, ret: call + rng.Int64N(4), outcome: history.OK}
		if r := rng.IntN(8); r < 2 {
			x.outcome = []history.Outcome{history.Maybe, history.Failed}[r]
		}
		for range 1 + rng.IntN(3) {
			k := rng.Int64N(keys)
			if rng.IntN(2) == 0 {
				value++
				written[k] = append(written[k], value)
				x.mops = append(x.mops, smallOp{write: true, key: k, value: value})
			} else {
				x.mops = append(x.mops, smallOp{key: k})
			}
		}
		txns[i] = x
	}
	for _, x := range txns {
		for i, m := range x.mops {
			if m.write {
				continue
			}
			list := slices.Clone(written[m.key])
			if rng.IntN(3) == 0 {
				rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			}
			list = list[:rng.IntN(len(list)+1)]
			if typ == Register && len(list) > 1 {
				list = list[len(list)-1:]
			}
			if odd && rng.IntN(5) == 0 {
				if rng.IntN(2) == 0 || typ == Register || len(list) == 0 {
					list = append(list, 99)
				} else {
					list = append(list, list[0])
				}
				if typ == Register {
					list = list[len(list)-1:]
				}
			}
			x.mops[i].list = list
		}
	}
	return txns
}

// inVersionOrder tries each set of effects and order of versions.
func inVersionOrder(typ DataType, txns []small, holds func(order []int, versions map[int64][]int64) bool) bool {
	return effects(txns, func(set []int) bool {
		return permute(set, 0, func(order []int) bool {
			versions := map[int64][]int64{}
			for _, t := range order {
				for _, m := range txns[t].mops {
					if m.write {
						versions[m.key] = append(versions[m.key], m.value)
					}
				}
			}
			return holds(order, versions)
		})
	})
}

// readAtomic decides read atomic by trying all: each sees some of those ahead of it, each whole.
func readAtomic(typ DataType, txns []small) bool {
	return inVersionOrder(typ, txns, func(order []int, versions map[int64][]int64) bool {
		for at, t := range order {
			if txns[t].outcome != history.OK {
				continue
			}
			ok := false
			for bits := range 1 << at {
				state := map[int64][]int64{}
				for i, u := range order[:at] {
					if bits>>i&1 == 0 {
						continue
					}
					for _, m := range txns[u].mops {
						if m.write && typ == Register {
							state[m.key] = []int64{m.value}
						} else if m.write {
							state[m.key] = versions[m.key][:slices.Index(versions[m.key], m.value)+1]
						}
					}
				}
				if ok = txns[t].runs(typ, maps.Clone(state)); ok {
					break
				}
			}
			if !ok {
				return false
			}
		}
		return true
	})
}

// stable decides cursor stability by trying all: read committed, and who reads a key and writes it writes the next version.
func stable(typ DataType, txns []small) bool {
	return inVersionOrder(typ, txns, func(order []int, versions map[int64][]int64) bool {
		done := map[int64]bool{}
		for _, t := range order {
			if txns[t].outcome == history.OK && !txns[t].readsCommitted(typ, versions, done) {
				return false
			}
			last := map[int64]int64{}
			touched := map[int64]bool{}
			saw := map[int64]int{}
			for _, m := range txns[t].mops {
				if m.write {
					if n, ok := saw[m.key]; ok && txns[t].outcome == history.OK && slices.Index(versions[m.key], m.value) != n {
						return false
					}
					delete(saw, m.key)
					last[m.key] = m.value
				} else if !touched[m.key] {
					saw[m.key] = 0
					if n := len(m.list); n > 0 {
						saw[m.key] = slices.Index(versions[m.key], m.list[n-1]) + 1
					}
				}
				touched[m.key] = true
			}
			for _, v := range last {
				done[v] = true
			}
		}
		return true
	})
}

// Whatever transactions return: each verdict is that of trying all, and what is decided is certified.
func TestAgainstAllOfWhatever(t *testing.T) {
	t.Parallel()
	for _, typ := range []DataType{ListAppend, Register} {
		counts := map[string]int{}
		for seed := range rounds(200) {
			rng := rand.New(rand.NewPCG(uint64(seed), 77))
			txns := wild(rng, typ)
			if rng.IntN(3) == 0 {
				txns = randomSmall(rng, typ)
			}
			if len(txns) > 4 {
				continue
			}
			h := build(t, typ, txns)
			for model, is := range map[Model]func() bool{
				Serializable:        func() bool { return serializable(typ, txns, byData) },
				SessionSerializable: func() bool { return serializable(typ, txns, byProcess) },
				StrictSerializable:  func() bool { return serializable(typ, txns, byTime) },
				SnapshotIsolation:   func() bool { return snapshots(typ, txns) },
				ReadCommitted:       func() bool { return committed(typ, txns) },
				ReadAtomic:          func() bool { return committed(typ, txns) && readAtomic(typ, txns) },
				CursorStability:     func() bool { return stable(typ, txns) },
			} {
				res := Check(t.Context(), h, model)
				if (model == ReadCommitted || model == CursorStability) && res.Count["internal"] > 0 {
					continue
				}
				if err := certified(h, model, res); err != nil {
					t.Fatalf("%v seed %d: %s: %v\n%s", typ, seed, model, err, show(txns))
				}
				want := is()
				counts[fmt.Sprint(model, " ", res.Verdict, " ", want)]++
				if res.Verdict != verdict.Unknown && (res.Verdict == verdict.Pass) != want {
					t.Fatalf("%v seed %d: %s: got %v (%s), want %v\n%s", typ, seed, model, res.Verdict, res.Reason, want, show(txns))
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(counts)) {
			t.Log(typ, k, counts[k])
		}
	}
}
