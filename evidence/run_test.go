package evidence

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/verdict"
)

func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	must(t, run.WriteFile("files/a/assay.yaml", []byte("first")))
	for name, write := range map[string]func() error{
		"WriteFile":  func() error { return run.WriteFile("files/a/assay.yaml", []byte("second")) },
		"WriteJSON":  func() error { return run.WriteJSON("files/a/assay.yaml", 2) },
		"CreateFile": func() error { _, err := run.CreateFile("files/a/assay.yaml"); return err },
		"CopyFile":   func() error { return run.CopyFile("files/a/assay.yaml", run.path("run.json")) },
		"run.json":   func() error { return run.WriteJSON("run.json", Meta{}) },
	} {
		if err := write(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s over a file that exists: %v", name, err)
		}
	}
	text, err := os.ReadFile(run.path("files/a/assay.yaml"))
	if err != nil || string(text) != "first" {
		t.Errorf("the first content is now %q, %v", text, err)
	}
	must(t, filepath.WalkDir(run.Dir(), func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, unfinished) {
			t.Errorf("%s was left", path)
		}
		return err
	}))
}

func TestNamesStayBelowTheRun(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	for _, name := range []string{"", ".", "..", "../x.json", "/etc/x.json", "a/../../x", "a//b", unfinished + "1"} {
		wantError(t, run.WriteFile(name, nil), "is no path below a run")
		_, err := run.CreateFile(name)
		wantError(t, err, "is no path below a run")
	}
	for _, name := range []string{"", ".", "..", "a/b", `a\b`, ".hidden", "a\x00b"} {
		_, err := run.Experiment(name)
		wantError(t, err, "cannot name an experiment")
		_, err = run.Ops(name)
		wantError(t, err, "cannot name an experiment")
		wantError(t, run.AddJudgement(name, ExperimentResult{}), "cannot name an experiment")
	}
}

func TestWriteJSONOfWhatJSONCannotHold(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	wantError(t, run.WriteJSON("plan.json", func() {}), "write plan.json", "unsupported type")
	if _, err := os.Stat(run.path("plan.json")); err == nil {
		t.Error("plan.json was written")
	}
}

func TestPlanIsTheSameBytes(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	var first []byte
	for range 2 {
		run := newRun(t, store)
		must(t, run.WriteJSON("plan.json", map[string]any{"b": 1, "a": []string{"delay(a -> b, 3s)"}}))
		text, err := os.ReadFile(run.path("plan.json"))
		must(t, err)
		if first != nil && !bytes.Equal(first, text) {
			t.Errorf("the same plan was written as\n%s\nand\n%s", first, text)
		}
		first = text
	}
	if !bytes.Contains(first, []byte("a -> b")) {
		t.Errorf("an arrow is not readable in %s", first)
	}
}

func TestSealedRunAcceptsOnlyJudgements(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	_, err := run.Experiment("slow")
	must(t, err)
	must(t, run.Seal(End{Verdict: verdict.Pass}))
	for name, write := range map[string]func() error{
		"WriteFile":  func() error { return run.WriteFile("late.txt", nil) },
		"CreateFile": func() error { _, err := run.CreateFile("late.txt"); return err },
		"Experiment": func() error { _, err := run.Experiment("late"); return err },
		"LogDir":     func() error { _, err := run.LogDir(); return err },
		"Seal":       func() error { return run.Seal(End{}) },
	} {
		if err := write(); !errors.Is(err, ErrSealed) {
			t.Errorf("%s after the seal: %v", name, err)
		}
	}
	must(t, run.AddJudgement("slow", ExperimentResult{Name: "slow", Verdict: verdict.Fail}))
	must(t, run.Verify())
}

func TestVerifyNamesEveryDifference(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	for _, name := range []string{"x/slow/ops.jsonl", "x/slow/events.jsonl", "files/assay.yaml", "plan.json"} {
		must(t, run.WriteFile(name, []byte("as it was\n")))
	}
	must(t, run.Seal(End{Verdict: verdict.Pass}))
	must(t, run.Verify())
	must(t, os.WriteFile(run.path("x/slow/ops.jsonl"), []byte("as it is\n"), 0o666))
	must(t, os.Remove(run.path("files/assay.yaml")))
	must(t, os.WriteFile(run.path("x/slow/judged-01.json"), nil, 0o666))
	must(t, os.WriteFile(run.path("judged-1.json"), nil, 0o666))
	err := run.Verify()
	wantError(t, err, "x/slow/ops.jsonl was changed", "files/assay.yaml is missing",
		"x/slow/judged-01.json was added", " judged-1.json was added")
	if strings.Contains(err.Error(), "plan.json") {
		t.Errorf("%v names a file that is as it was", err)
	}
}

func TestVerifyUnsealed(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	if err := run.Verify(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Verify of a run without a seal: %v", err)
	}
	must(t, os.WriteFile(run.path("end.json"), []byte("{"), 0o666))
	wantError(t, run.Verify(), "end.json cannot be read")
}

func TestSealRefusesLinks(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	must(t, os.Symlink("/etc/hostname", run.path("hostname")))
	wantError(t, run.Seal(End{}), "hostname is not a regular file")
	if sum := run.Summary(); sum.Status != CutShort {
		t.Errorf("a run whose seal failed is %s", sum.Status)
	}
}

func TestJudgementsKeepTheOld(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	wantError(t, run.AddJudgement("slow", ExperimentResult{}), "no such file")
	_, err := run.Experiment("slow")
	must(t, err)
	_, err = run.Result("slow")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Result before any judgement: %v", err)
	}
	var want []ExperimentResult
	for i, v := range []verdict.Verdict{verdict.Unknown, verdict.Pass, verdict.Fail} {
		result := ExperimentResult{Name: "slow", Verdict: v, Reason: "because", Checks: []Checked{{Phase: "during", Result: check.Result{Check: "c", Verdict: v}}}}
		result.Judged = time.Unix(int64(i), 0).UTC()
		must(t, run.AddJudgement("slow", result))
		want = append(want, result)
		newest, err := run.Result("slow")
		if err != nil || !reflect.DeepEqual(stripped(newest), result) {
			t.Errorf("Result = %+v, %v, want %+v", newest, err, result)
		}
	}
	got, err := run.Judgements("slow")
	for i := range got {
		got[i] = stripped(got[i])
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Judgements = %+v, %v, want %+v", got, err, want)
	}
	must(t, os.WriteFile(run.path("x/slow/judged-3.json"), []byte("{"), 0o666))
	_, err = run.Result("slow")
	wantError(t, err, "judged-3.json cannot be read")
}

// The twelfth judgement is newer than the second, whatever their names sort as.
func TestManyJudgements(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	_, err := run.Experiment("slow")
	must(t, err)
	for i := range 12 {
		reason := strings.Repeat("x", i)
		must(t, run.AddJudgement("slow", ExperimentResult{Reason: reason}))
		if got, err := run.Result("slow"); err != nil || got.Reason != reason {
			t.Errorf("after %d judgements the newest is %q, %v", i+1, got.Reason, err)
		}
	}
}

func TestJudgementOfRunWithoutResult(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	_, err := run.Experiment("slow")
	must(t, err)
	must(t, run.AddJudgement("slow", ExperimentResult{Name: "slow", Verdict: verdict.Fail}))
	if got, err := run.Result("slow"); err != nil || got.Verdict != verdict.Fail {
		t.Errorf("Result = %+v, %v", got, err)
	}
}

func TestRecordsRoundTrip(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	decl := Declaration{System: "shop", Journeys: []Journey{{"checkout", "team-orders"}}, Cells: []Cell{{"checkout", "timeout", "slow"}}}
	subjects := []Subject{{"orders", []string{"orders-1"}, "bin/orders", "sha256:00"}}
	must(t, run.WriteJSON("declaration.json", decl))
	must(t, run.WriteJSON("subjects.json", subjects))
	if got, err := run.Declaration(); err != nil || !reflect.DeepEqual(got, decl) {
		t.Errorf("Declaration = %+v, %v", got, err)
	}
	if got, err := run.Subjects(); err != nil || !reflect.DeepEqual(got, subjects) {
		t.Errorf("Subjects = %+v, %v", got, err)
	}
	result := ExperimentResult{Name: "slow", Verdict: verdict.Pass, Modes: map[string][]Mode{"checkout": {{"timeout", true, "seen"}}},
		Effects: []Effect{{"delay(a -> b, 3s)", "a -> b", true, "3.01s"}}, Recovery: &Recovery{Recovered: true, FromHeal: time.Second},
		Phases: []Phase{{"steady before", 0, time.Second}}, Problems: []string{"p"}, Replay: "assay run", Judged: time.Unix(5, 0).UTC(), Version: "1"}
	_, err := run.Experiment("slow")
	must(t, err)
	must(t, run.AddJudgement("slow", result))
	if got, err := run.Result("slow"); err != nil || !reflect.DeepEqual(stripped(got), result) {
		t.Errorf("Result = %+v, %v, want %+v", got, err, result)
	}
	if names, err := run.Experiments(); err != nil || !reflect.DeepEqual(names, []string{"slow"}) {
		t.Errorf("Experiments = %v, %v", names, err)
	}
}

// stripped returns a result without what AddJudgement adds to it.
func stripped(r ExperimentResult) ExperimentResult {
	r.Inputs, r.Run, r.Sum = nil, "", ""
	return r
}

func TestDigest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(path, []byte("abc"), 0o666))
	const want = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got, err := Digest(path); err != nil || got != want {
		t.Errorf("Digest = %q, %v, want %q", got, err, want)
	}
	_, err := Digest(path + "x")
	wantError(t, err, path+"x")
}

// A failingReader stands for a disk that fails in the middle of a write.
type failingReader struct{ n int }

func (r *failingReader) Read(p []byte) (int, error) {
	if r.n--; r.n < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return len(p), nil
}

func TestFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	run := newRun(t, newStore(t))
	wantError(t, run.place("files/a", &failingReader{3}), "write files/a", "unexpected EOF")
	left, err := os.ReadDir(filepath.Join(run.Dir(), "files"))
	if err != nil || len(left) != 0 {
		t.Errorf("a failed write left %v, %v", left, err)
	}
}
