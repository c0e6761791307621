package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// imported stores results of another tool as an import does: a judgement and a file, and no plan and no records.
func imported(t *testing.T, v verdict.Verdict) *evidence.Run {
	t.Helper()
	store, err := evidence.OpenStore(filepath.Join(t.TempDir(), "store"))
	check0(t, err)
	run, err := store.Create(evidence.Meta{Version: "v0.3.0", Kind: evidence.KindForeign, Tool: "junit", Grade: evidence.GradeClaimed})
	check0(t, err)
	check0(t, run.WriteJSON("declaration.json", evidence.Declaration{Journeys: []evidence.Journey{{Name: "checkout"}}, Cells: []evidence.Cell{{Journey: "checkout", Mode: "retry", Experiment: "junit-it"}}}))
	check0(t, run.WriteJSON("subjects.json", []evidence.Subject{}))
	check0(t, run.WriteFile("files/it.xml", []byte("<testsuite/>")))
	_, err = run.Experiment("junit-it")
	check0(t, err)
	check0(t, run.AddJudgement("junit-it", evidence.ExperimentResult{Name: "junit-it", Verdict: v, Reason: "1 of 2 tests is " + v.String(), Checks: []evidence.Checked{
		{Phase: "expect", Result: check.Result{Check: "pkg.TestRetry", Verdict: v, Reason: "it said no"}},
		{Phase: "expect", Result: check.Result{Check: "pkg.TestStatus", Verdict: verdict.Pass, Reason: "passed"}}}}))
	check0(t, run.Seal(evidence.End{Ended: time.Now().UTC(), Verdict: v}))
	return run
}

// What another tool said has no plan, records, seed or environment, and none of that is missing.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, v := range []verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Unknown} {
		r := build(t, imported(t, v))
		if r.Verdict != v || len(r.Problems) > 0 || len(r.Experiments[0].Damage) > 0 {
			t.Errorf("%v: got %v (%s %s), %v, %v", v, r.Verdict, r.Status, r.Refused, r.Problems, r.Experiments[0].Damage)
		}
		for form, text := range forms(t, r) {
			for _, wrong := range []string{"plan.json", "ops.jsonl", "a run:", "seed", "environment", "on /", "--control", "no records to draw", "first operation"} {
				if strings.Contains(text, wrong) {
					t.Errorf("%v, %s says %q:\n%s", v, form, wrong, text)
				}
			}
			if !strings.Contains(text, "results of junit: it.xml") && (form != "github" || v == verdict.Pass) {
				t.Errorf("%v, %s does not name the results", v, form)
			}
			if form != "github" && (!strings.Contains(text, "pkg.TestRetry") || !strings.Contains(text, "pkg.TestStatus")) {
				t.Errorf("%v, %s does not list the tests", v, form)
			}
			if (form == "html" || form == "terminal") && !strings.Contains(text, "assay gate") {
				t.Errorf("%v, %s does not lead to the gate", v, form)
			}
		}
	}
}
