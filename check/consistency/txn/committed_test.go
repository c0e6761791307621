package txn

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// committed decides read committed by trying all orders of the transactions as the order of versions: each read shows all that a
// transaction ahead wrote, or what the reader itself wrote before.
func committed(typ DataType, txns []small) bool {
	return effects(txns, func(set []int) bool {
		return permute(set, 0, func(order []int) bool {
			versions := map[int64][]int64{} // by key: all elements in order
			for _, t := range order {
				for _, m := range txns[t].mops {
					if m.write {
						versions[m.key] = append(versions[m.key], m.value)
					}
				}
			}
			done := map[int64]bool{}
			for _, t := range order {
				if txns[t].outcome == history.OK && !txns[t].readsCommitted(typ, versions, done) {
					return false
				}
				last := map[int64]int64{}
				for _, m := range txns[t].mops {
					if m.write {
						last[m.key] = m.value
					}
				}
				for _, v := range last {
					done[v] = true
				}
			}
			return true
		})
	})
}

// readsCommitted says whether each read ends with a version that is done, or the reader's own.
func (x small) readsCommitted(typ DataType, versions map[int64][]int64, done map[int64]bool) bool {
	own := map[int64]bool{}
	for _, m := range x.mops {
		if m.write {
			own[m.value] = true
			continue
		}
		n := len(m.list)
		if n == 0 {
			continue
		}
		if typ == ListAppend && (n > len(versions[m.key]) || !slices.Equal(m.list, versions[m.key][:n])) {
			return false
		}
		if last := m.list[n-1]; !done[last] && !own[last] {
			return false
		}
	}
	return true
}

func TestAgainstReadCommitted(t *testing.T) {
	t.Parallel()
	for _, typ := range []DataType{ListAppend, Register} {
		verdicts := map[verdict.Verdict]int{}
		for seed := range rounds(1500) {
			rng := rand.New(rand.NewPCG(uint64(seed), 8))
			txns := randomSmall(rng, typ)
			h := build(t, typ, txns)
			res := Check(t.Context(), h, ReadCommitted)
			if err := certified(h, ReadCommitted, res); err != nil {
				t.Fatalf("%v, seed %d: %v\n%s", typ, seed, err, show(txns))
			}
			if res.Count["internal"] > 0 {
				continue // read committed does not say what a transaction reads of its own
			}
			verdicts[res.Verdict]++
			if is := committed(typ, txns); res.Verdict != verdict.Unknown && (res.Verdict == verdict.Pass) != is {
				t.Fatalf("%v, seed %d: got %v (%s), and that it is read committed is %v\n%s", typ, seed, res.Verdict, res.Reason, is, show(txns))
			}
		}
		t.Log(typ, verdicts)
	}
}
