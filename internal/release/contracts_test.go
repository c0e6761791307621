package release

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// A gate that asks for contracts leaves pass whatever is done to what it knows of them.
func TestMutationsOfContracts(t *testing.T) {
	t.Parallel()
	p, store := shop(t, 1), newStore(t)
	dir, git := gitTree(t)
	git("commit", "-qm", "one", "--allow-empty")
	p.Dir, p.Contracts = dir, []spec.Contract{{Name: "orders", Owner: "team-a"}, {Name: "events"}}
	ran(t, store, p, p.Declared)
	opts := options()
	opts.Subjects = []string{"orders=" + digest}
	if d := decide(t, p, store, opts); d.Verdict != verdict.Unknown || !strings.Contains(d.Reason, "contract orders: nobody compared it") {
		t.Fatalf("without a comparison: %v %s", d.Verdict, d.Reason)
	}
	head, err := repository{dir}.git(t.Context(), "rev-parse", "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().Add(-time.Minute).UTC()
	meta := evidence.Meta{ID: evidence.IDAt(began, "contracts"), Kind: evidence.KindContract, Tool: "assay contract", Started: began, Version: "1", Commit: head, Experiments: []string{"contract-events", "contract-orders"}}
	end := evidence.End{Ended: began, Verdict: verdict.Pass}
	_, _, err = store.Add(t.Context(), meta, func(to *evidence.Run) (evidence.End, error) {
		for _, name := range meta.Experiments {
			if _, err := to.Experiment(name); err != nil {
				return end, err
			}
			if err := to.AddJudgement(name, evidence.ExperimentResult{Name: name, Layer: "contract", Verdict: verdict.Pass, Reason: "nothing changed", Judged: began,
				Checks: []evidence.Checked{{Phase: "contract", Result: check.Result{Check: "versions", Verdict: verdict.Pass}}}}); err != nil {
				return end, err
			}
		}
		if err := to.WriteJSON("subjects.json", []evidence.Subject{}); err != nil {
			return end, err
		}
		return end, to.WriteJSON("declaration.json", run.Declare(p))
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Mutate(t.Context(), p, store, opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"contract orders", "run " + meta.ID, "run " + meta.ID + ", of another commit", "run " + meta.ID + ", of other files", "contract-orders, which failed", "contract-events, which is unknown"} {
		if !slices.ContainsFunc(m.All, func(one Mutation) bool { return one.Target == want && one.Killed() }) {
			t.Errorf("%s: not tried, or not noticed", want)
		}
	}
	for _, one := range m.All {
		if !one.Killed() {
			t.Errorf("not noticed: %s of %s: %s", one.Kind, one.On, one.Target)
		}
	}
}
