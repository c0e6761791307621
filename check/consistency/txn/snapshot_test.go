package txn

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// snapshots decides snapshot isolation by trying all orders of starts and commits: a transaction reads the state at its start and
// its own writes, and no two that overlap write one key.
func snapshots(typ DataType, txns []small) bool {
	return effects(txns, func(set []int) bool {
		started := map[int]map[int64][]int64{}
		versions := map[int]map[int64]int{}
		var next func(state map[int64][]int64, version map[int64]int, left []int) bool
		next = func(state map[int64][]int64, version map[int64]int, left []int) bool {
			if len(left) == 0 {
				return true
			}
			for i, t := range left {
				if started[t] == nil {
					if !txns[t].runs(typ, maps.Clone(state)) {
						continue
					}
					started[t], versions[t] = state, version
					if next(state, version, left) {
						return true
					}
					delete(started, t)
					continue
				}
				after, count := maps.Clone(state), maps.Clone(version)
				clash := false
				for _, m := range txns[t].mops {
					if !m.write {
						continue
					}
					clash = clash || version[m.key] != versions[t][m.key]
					if typ == Register {
						after[m.key] = nil
					}
					after[m.key] = append(slices.Clone(after[m.key]), m.value)
					count[m.key]++
				}
				if !clash && next(after, count, slices.Delete(slices.Clone(left), i, i+1)) {
					return true
				}
			}
			return false
		}
		return next(map[int64][]int64{}, map[int64]int{}, slices.Clone(set))
	})
}

// What is flagged as no snapshot isolation is none by definition, and what passes is.
func TestAgainstAllSnapshots(t *testing.T) {
	t.Parallel()
	for _, typ := range []DataType{ListAppend, Register} {
		caught, missed, fine := 0, 0, 0
		for seed := range rounds(1500) {
			rng := rand.New(rand.NewPCG(uint64(seed), 5))
			txns := randomSmall(rng, typ)
			if len(txns) > 4 {
				continue
			}
			res := Check(t.Context(), build(t, typ, txns), SnapshotIsolation)
			is := snapshots(typ, txns)
			switch {
			case res.Verdict == verdict.Unknown:
			case res.Verdict == verdict.Fail && is:
				t.Fatalf("%v, seed %d: got fail (%s), and it is snapshot isolated\n%s", typ, seed, res.Reason, show(txns))
			case res.Verdict == verdict.Fail:
				caught++
			case is:
				fine++
			default:
				missed++
				t.Errorf("%v, seed %d: got pass (%s), and it is not snapshot isolated\n%s", typ, seed, res.Reason, show(txns))
			}
			if err := certified(build(t, typ, txns), SnapshotIsolation, res); err != nil {
				t.Errorf("%v, seed %d: %v\n%s", typ, seed, err, show(txns))
			}
		}
		t.Log(typ, "caught", caught, "missed", missed, "fine", fine)
	}
}
