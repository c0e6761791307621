package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// storedRun makes a store with one small run that failed.
func storedRun(t *testing.T) (store string, r *evidence.Run) {
	t.Helper()
	store = filepath.Join(t.TempDir(), "store")
	opened, err := evidence.OpenStore(store)
	if err == nil {
		r, err = opened.Create(evidence.Meta{Version: "v0", Seed: 7, Grade: evidence.GradeStream})
	}
	if err != nil {
		t.Fatal(err)
	}
	dir, err := r.Experiment("killed")
	ops := `{"id":1,"kind":"journey","client":"c1","journey":"write","name":"write","outcome":"failed","scheduled":1,"call":1,"return":2,"error":"refused"}` + "\n"
	replay := "assay run 'my shop' --experiment killed --seed 7"
	for _, err := range []error{err,
		r.WriteJSON("declaration.json", evidence.Declaration{System: "register"}),
		r.WriteFile("plan.json", []byte(`{"system":{"name":"register"},"experiments":[{"name":"killed","pos":"experiments/killed.yaml:1:1","method":[]}]}`)),
		r.WriteJSON("subjects.json", []evidence.Subject{}),
		os.WriteFile(filepath.Join(dir, "ops.jsonl"), []byte(ops), 0o644),
		os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte(`{"at":1,"kind":"phase","name":"before"}`+"\n"), 0o644),
		os.WriteFile(filepath.Join(dir, "env.jsonl"), nil, 0o644),
		os.WriteFile(filepath.Join(dir, "exchanges.jsonl"), nil, 0o644),
		r.AddJudgement("killed", evidence.ExperimentResult{Name: "killed", Verdict: verdict.Fail, Reason: "expect: it was lost", Replay: replay,
			Checks: []evidence.Checked{{Phase: "expect", Result: check.Result{Check: `no_lost("x")`, Verdict: verdict.Fail, Reason: "it was lost"}}}}),
		r.Seal(evidence.End{Ended: time.Now(), Verdict: verdict.Fail, Exit: 1}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return store, r
}

func command(args ...string) (code int, out, errs string) {
	var stdout, stderr bytes.Buffer
	code = Main(args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestReport(t *testing.T) {
	t.Parallel()
	store, r := storedRun(t)
	page := filepath.Join(store, "reports", r.ID()+".html")
	elsewhere := filepath.Join(t.TempDir(), "a", "b.xml")
	tests := []struct {
		args string
		code int
		out  string // stdout holds it
		file string // and it is written
	}{
		{"", run.ExitPass, page + "\n", page},
		{"latest", run.ExitPass, page + "\n", page},
		{r.ID()[:12] + " --format html -o -", run.ExitPass, "<!DOCTYPE html>", ""},
		{"--format text", run.ExitPass, "FAIL  register: 1 experiment", ""},
		{"--format text", run.ExitPass, "my shop/experiments/killed.yaml:1:1", ""},
		{"--format text --folder here", run.ExitPass, "here/experiments/killed.yaml:1:1", ""},
		{"--format markdown", run.ExitPass, "## ❌ FAIL", ""},
		{"--format github", run.ExitPass, "::error file=my shop/experiments/killed.yaml,line=1,col=1,", ""},
		{"--format junit -o " + elsewhere, run.ExitPass, elsewhere + "\n", elsewhere},
		{"--format json", run.ExitPass, `"first_failure": 1`, ""},
		{"--json", run.ExitPass, `"first_failure": 1`, ""},
		{"--json --format html", run.ExitPass, `"report": "` + page, page},
		{"--format pdf", run.ExitUsage, "", ""},
		{"nosuchrun", run.ExitUsage, "", ""},
		{"one two", run.ExitUsage, "", ""},
		{"-o " + store + "/runs/x/\x00y", run.ExitBroken, "", ""},
	}
	for _, test := range tests {
		if test.file != "" {
			os.Remove(test.file)
		}
		code, out, errs := command(append([]string{"report", "--store", store}, strings.Fields(test.args)...)...)
		if code != test.code || !strings.Contains(out, test.out) || (code != run.ExitPass) != (errs != "") {
			t.Errorf("report %s: exit %d, want %d; want %q in\n%s%s", test.args, code, test.code, test.out, out, errs)
		}
		if _, err := os.Stat(test.file); test.file != "" && err != nil {
			t.Errorf("report %s: %v", test.args, err)
		}
	}
	if err := r.Verify(); err != nil {
		t.Errorf("reporting changed the sealed run: %v", err)
	}
}

// A person at a terminal is told the verdict and how to open the page; a pipe gets the path alone.
func TestReportWritten(t *testing.T) {
	t.Parallel()
	store, r := storedRun(t)
	var out bytes.Buffer
	a := &app{out: &out, err: io.Discard, name: "assay", store: store}
	built, err := a.buildReport(r, "", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		format string
		person bool
		want   string
	}{
		{"html", false, "/a b.html\n"},
		{"html", true, "FAIL  register: 1 experiment: 0 pass, 1 fail, 0 unknown (seed 7)\n/a b.html\nopen it in a browser: file:///a%20b.html\n"},
		{"junit", true, "FAIL  register: 1 experiment: 0 pass, 1 fail, 0 unknown (seed 7)\n/a b.html\n"},
	} {
		out.Reset()
		if a.reportWritten(built, "/a b.html", tt.format, tt.person); out.String() != tt.want {
			t.Errorf("%s, person %v: got\n%s\nwant\n%s", tt.format, tt.person, out.String(), tt.want)
		}
	}
}

// A report that cannot be written is said, and changes no verdict; one that was there stays.
func TestReportOfRun(t *testing.T) {
	t.Parallel()
	store, r := storedRun(t)
	a := &app{out: io.Discard, err: io.Discard, name: "assay", store: store}
	junit := filepath.Join(t.TempDir(), "junit.xml")
	path, err := a.reportRun(r.ID(), "examples/shop", junit)
	if err != nil || path != filepath.Join(store, "reports", r.ID()+".html") {
		t.Fatalf("got %q, %v", path, err)
	}
	if text, err := os.ReadFile(junit); err != nil || !bytes.Contains(text, []byte("<failure")) {
		t.Errorf("junit: %v\n%s", err, text)
	}
	if _, err := a.reportRun("nosuchrun", "", ""); err == nil {
		t.Error("there is a report of no run")
	}
	blocked := &app{out: io.Discard, err: io.Discard, name: "assay", store: store}
	if err := os.RemoveAll(filepath.Join(store, "reports")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store, "reports"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	path, err = blocked.reportRun(r.ID(), "", "")
	if err == nil || path != "" || !strings.Contains(err.Error(), "assay report "+r.ID()+" tries again") {
		t.Errorf("got %q, %v", path, err)
	}
	var out, errs bytes.Buffer
	shown := &app{out: &out, err: &errs, json: true, store: store}
	failed := run.Report{ID: r.ID(), Results: []evidence.ExperimentResult{{Name: "killed", Verdict: verdict.Fail}}}
	shown.printReport(&spec.Project{}, failed, "", err)
	var read struct {
		Exit   int
		Page   string `json:"report"`
		Reason string `json:"report_error"`
	}
	if json.Unmarshal(out.Bytes(), &read) != nil || read.Exit != run.ExitFail || read.Reason == "" || read.Page != "" {
		t.Errorf("--json says %s", out.String())
	}
}

// A writer that breaks half way leaves the file that was there as it was.
func TestReplaceFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "report.html")
	write := func(text string, err error) error {
		return writeFile(path, func(w io.Writer) error {
			_, _ = io.WriteString(w, text)
			return err
		})
	}
	if err := write("whole", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("half", errors.New("a planted defect")); err == nil {
		t.Error("no error")
	}
	text, _ := os.ReadFile(path)
	if entries, _ := os.ReadDir(filepath.Dir(path)); string(text) != "whole" || len(entries) != 1 {
		t.Errorf("there is %q, and %d files", text, len(entries))
	}
}
