package txn

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// simulate runs transactions on a database of lists at an isolation level: each step of each is taken in random order.
func simulate(rng *rand.Rand, model Model, n int) []small {
	const processes, keys = 5, 4
	store := map[int64][]int64{}
	version := map[int64]int{} // by key: how often it was committed
	type running struct {
		at       int
		left     int
		snapshot map[int64][]int64
		seen     map[int64]int
		writes   []smallOp
	}
	var txns []small
	var active [processes]*running
	value, clock := int64(0), int64(0)
	for len(txns) < n || slices.ContainsFunc(active[:], func(r *running) bool { return r != nil }) {
		clock++
		p := rng.IntN(processes)
		r := active[p]
		if r == nil {
			if len(txns) < n {
				active[p] = &running{at: len(txns), left: 1 + rng.IntN(4), snapshot: maps.Clone(store), seen: maps.Clone(version)}
				txns = append(txns, small{process: int64(p), call: clock})
			}
			continue
		}
		serial := model == StrictSerializable
		for {
			x := &txns[r.at]
			if r.left == 0 {
				x.outcome, x.ret = history.OK, clock
				for _, w := range r.writes {
					if model == SnapshotIsolation && version[w.key] != r.seen[w.key] {
						x.outcome = history.Failed // the first committer wins
					}
				}
				if serial || model == SnapshotIsolation || model == ReadCommitted {
					for _, w := range r.writes {
						if x.outcome == history.OK {
							store[w.key] = append(slices.Clone(store[w.key]), w.value)
						}
					}
					for _, w := range r.writes {
						if x.outcome == history.OK {
							version[w.key] = r.at + 1
						}
					}
				}
				active[p] = nil
				break
			}
			r.left--
			k := rng.Int64N(keys)
			wrote := slices.ContainsFunc(r.writes, func(w smallOp) bool { return w.key == k })
			if rng.IntN(2) == 0 || wrote && model == ReadCommitted { // without locks its own append would not keep its place
				value++
				w := smallOp{write: true, key: k, value: value}
				x.mops, r.writes = append(x.mops, w), append(r.writes, w)
				if model == ReadUncommitted {
					store[k] = append(slices.Clone(store[k]), value)
				}
			} else {
				from := store
				if model == SnapshotIsolation {
					from = r.snapshot
				}
				list := slices.Clone(from[k])
				for _, w := range r.writes {
					if w.key == k && model != ReadUncommitted {
						list = append(list, w.value)
					}
				}
				x.mops = append(x.mops, smallOp{key: k, list: list})
			}
			if !serial {
				break
			}
		}
	}
	return txns
}

// A database is never flagged for its own level, and its histories are flagged for a stronger one sooner or later.
func TestSimulatedLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ level, stronger Model }{
		{StrictSerializable, ""},
		{SnapshotIsolation, Serializable},
		{StrongSnapshotIsolation, StrictSerializable},
		{ReadCommitted, SnapshotIsolation},
		{ReadUncommitted, ReadCommitted},
	} {
		runs := c.level
		if runs == StrongSnapshotIsolation {
			runs = SnapshotIsolation
		}
		flagged := 0
		for seed := range rounds(60) {
			rng := rand.New(rand.NewPCG(uint64(seed), 3))
			txns := simulate(rng, runs, 5+rng.IntN(60))
			h := build(t, ListAppend, txns)
			res := Check(t.Context(), h, c.level)
			if err := certified(h, c.level, res); err != nil {
				t.Fatalf("%s, seed %d: %v\n%s", c.level, seed, err, show(txns))
			}
			if c.level != ReadUncommitted && res.Verdict == verdict.Fail {
				t.Fatalf("%s, seed %d: %s\n%s", c.level, seed, res.Reason, show(txns))
			}
			if c.stronger != "" && Check(t.Context(), h, c.stronger).Verdict == verdict.Fail {
				flagged++
			}
		}
		if c.stronger != "" && flagged == 0 {
			t.Errorf("%s was never flagged as not %s", c.level, c.stronger)
		}
		t.Log(c.level, "flagged for", c.stronger, flagged)
	}
}

// lockStep runs transactions on a database of lists that locks each item it reads or writes until the end of the transaction: what
// is called repeatable read. One that finds an item locked is aborted.
func lockStep(rng *rand.Rand, n int) []small {
	const processes, keys = 5, 4
	store := map[int64][]int64{}
	readers, writer := map[int64]map[int]bool{}, map[int64]int{}
	var txns []small
	var active [processes]int // 1 + the transaction
	left := make([]int, n)
	value, clock := int64(0), int64(0)
	for len(txns) < n || active != [processes]int{} {
		clock++
		p := rng.IntN(processes)
		if active[p] == 0 {
			if len(txns) < n {
				left[len(txns)] = 1 + rng.IntN(4)
				txns = append(txns, small{process: int64(p), call: clock, outcome: history.OK})
				active[p] = len(txns)
			}
			continue
		}
		id := active[p]
		x := &txns[id-1]
		k, write := rng.Int64N(keys), rng.IntN(2) == 0
		taken := writer[k] != 0 && writer[k] != id || write && (len(readers[k]) > 1 || len(readers[k]) == 1 && !readers[k][id])
		if left[id-1] == 0 || taken {
			x.ret, active[p] = clock, 0
			if left[id-1] > 0 {
				x.outcome = history.Failed
			}
			for k := range int64(keys) {
				delete(readers[k], id)
				if writer[k] == id {
					delete(writer, k)
				}
			}
			for _, m := range x.mops {
				if m.write && x.outcome == history.OK {
					store[m.key] = append(slices.Clone(store[m.key]), m.value)
				}
			}
			continue
		}
		left[id-1]--
		if write {
			value++
			writer[k] = id
			x.mops = append(x.mops, smallOp{write: true, key: k, value: value})
			continue
		}
		if readers[k] == nil {
			readers[k] = map[int]bool{}
		}
		readers[k][id] = true
		list := slices.Clone(store[k])
		for _, m := range x.mops {
			if m.write && m.key == k {
				list = append(list, m.value)
			}
		}
		x.mops = append(x.mops, smallOp{key: k, list: list})
	}
	return txns
}

// Without predicates, repeatable read by locks is serializable, and never flagged.
func TestSimulatedRepeatableRead(t *testing.T) {
	t.Parallel()
	done := 0
	for seed := range rounds(60) {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		txns := lockStep(rng, 5+rng.IntN(60))
		h := build(t, ListAppend, txns)
		for _, model := range []Model{RepeatableRead, StrictSerializable} {
			res := Check(t.Context(), h, model)
			if err := certified(h, model, res); err != nil || res.Verdict == verdict.Fail {
				t.Fatalf("seed %d: %s: %s, %v\n%s", seed, model, res.Reason, err, show(txns))
			}
		}
		for _, x := range txns {
			if x.outcome == history.OK {
				done++
			}
		}
	}
	t.Log(done, "transactions were not aborted")
}
