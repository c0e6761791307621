package txn

import (
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// A database is never flagged for what it keeps, and its histories are flagged for more sooner or later.
func TestSimulatedDatabases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		scheme   scheme
		keeps    []Model
		stronger []Model
	}{
		{"dirty reads", scheme{dirty: true}, []Model{ReadUncommitted}, []Model{ReadCommitted, Serializable}},
		{"write locks", scheme{}, []Model{ReadCommitted, StrongReadCommitted},
			[]Model{CursorStability, RepeatableRead, ConsistentView, SnapshotIsolation, Serializable}},
		{"snapshots", scheme{snapshot: true}, []Model{SnapshotIsolation, StrongSnapshotIsolation, ReadCommitted, ReadAtomic},
			[]Model{RepeatableRead, Serializable, StrictSerializable}},
		{"serializable snapshots", scheme{snapshot: true, pivots: true}, []Model{Serializable, StrongSnapshotIsolation, RepeatableRead}, nil},
		{"two-phase locks", scheme{readLocks: true}, []Model{StrictSerializable, RepeatableRead, SnapshotIsolation}, nil},
		{"one after another", scheme{alone: true}, []Model{StrictSerializable, SessionSerializable, ReadCommitted}, nil},
	} {
		for _, typ := range []DataType{ListAppend, Register} {
			t.Run(c.name+"/"+typ.String(), func(t *testing.T) {
				t.Parallel()
				scheme, flagged := c.scheme, map[Model]int{}
				scheme.typ = typ
				verdicts := map[verdict.Verdict]int{}
				for seed := range rounds(40) {
					rng := rand.New(rand.NewPCG(uint64(seed), 3))
					txns := scheme.simulate(rng, 5+rng.IntN(60))
					h := build(t, typ, txns)
					for _, model := range c.keeps {
						res := Check(t.Context(), h, model)
						verdicts[res.Verdict]++
						if err := certified(h, model, res); err != nil || res.Verdict == verdict.Fail {
							t.Fatalf("%s, seed %d: %s, %v\n%s", model, seed, res.Reason, err, show(txns))
						}
					}
					for _, model := range c.stronger {
						res := Check(t.Context(), h, model)
						if err := certified(h, model, res); err != nil {
							t.Fatalf("%s, seed %d: %v\n%s", model, seed, err, show(txns))
						}
						if res.Verdict == verdict.Fail {
							flagged[model]++
						}
					}
				}
				for _, model := range c.stronger {
					if flagged[model] == 0 {
						t.Errorf("never flagged as not %s", model)
					}
				}
				t.Log(verdicts, "flagged", flagged)
			})
		}
	}
}
