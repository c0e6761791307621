package simrun

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// Each kind of fault is in some seeds and not in others, does what it says, and heals.
func TestSwarm(t *testing.T) {
	res := search(t, "TestSwarm", "", 100)
	if res.Verdict != verdict.Pass {
		t.Errorf("%v: %v %+v", res.Verdict, res.Reasons, res.Failures)
	}
	bin := *built(t, "simtest")
	bin.work = t.TempDir()
	p, err := bin.run(t.Context(), start{name: "w", tests: "^TestSwarm$", seed: 1, step: 1, count: 40})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range sim.Kinds() {
		with := len(slices.DeleteFunc(slices.Clone(p.reports), func(r sim.Report) bool { return !strings.Contains(r.Swarm, kind) }))
		if with < 8 || with > 32 {
			t.Errorf("%d of %d seeds have faults of kind %s", with, len(p.reports), kind)
		}
	}
}
