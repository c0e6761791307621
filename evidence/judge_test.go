package evidence

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// judgedRun is a run with one judged experiment, and the text of the judgement.
func judgedRun(t *testing.T) (*Run, string) {
	t.Helper()
	run := newRun(t, newStore(t))
	must(t, run.WriteFile("x/slow/ops.jsonl", []byte("{}\n")))
	must(t, run.AddJudgement("slow", ExperimentResult{Name: "slow", Verdict: verdict.Fail, Reason: "lost"}))
	text, err := os.ReadFile(run.path("x/slow/judged-1.json"))
	must(t, err)
	return run, string(text)
}

func TestJudgementNamesItsRecords(t *testing.T) {
	t.Parallel()
	run, _ := judgedRun(t)
	got, err := run.Result("slow")
	must(t, err)
	want, err := Digest(run.path("x/slow/ops.jsonl"))
	must(t, err)
	if got.Run != run.ID() || got.Judged.IsZero() || len(got.Inputs) != 1 || got.Inputs["ops.jsonl"] != want {
		t.Errorf("%+v", got)
	}
}

// A judgement that somebody edited, cut or brought from elsewhere is none.
func TestForgedJudgements(t *testing.T) {
	t.Parallel()
	_, elsewhere := judgedRun(t)
	for name, change := range map[string]func(string) string{
		"another verdict": func(s string) string { return strings.Replace(s, `"fail"`, `"pass"`, 1) },
		"another time":    func(s string) string { return strings.Replace(s, `"judged": "2`, `"judged": "3`, 1) },
		"no sum":          func(s string) string { return s[:strings.Index(s, `"sum"`)] + `"sum": ""}` },
		"cut":             func(s string) string { return s[:len(s)/2] },
		"empty":           func(string) string { return "" },
		"no fields":       func(string) string { return "{}" },
		"of another run":  func(string) string { return elsewhere },
		"a space more":    func(s string) string { return s + " " },
	} {
		run, text := judgedRun(t)
		must(t, os.WriteFile(run.path("x/slow/judged-1.json"), []byte(change(text)), 0o666))
		if got, err := run.Result("slow"); err == nil {
			t.Errorf("%s: it is read as %v %s", name, got.Verdict, got.Reason)
		}
	}
}

// Judgements that come together from two machines have the same order on both.
func TestJudgementsAreOrderedByTime(t *testing.T) {
	t.Parallel()
	run, _ := judgedRun(t)
	must(t, run.AddJudgement("slow", ExperimentResult{Reason: "earlier", Judged: time.Unix(1, 0)}))
	got, err := run.Judgements("slow")
	must(t, err)
	if len(got) != 2 || got[0].Reason != "earlier" || got[1].Reason != "lost" {
		t.Errorf("%+v", got)
	}
}
