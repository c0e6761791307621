package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// sealed returns a store with one sealed run that ended as end says.
func sealed(t *testing.T, end evidence.End) (dir string, run *evidence.Run) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "the store")
	store, err := evidence.OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = store.Create(evidence.Meta{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteFile("files/a", []byte("as it was")); err != nil {
		t.Fatal(err)
	}
	end.Ended = time.Now().Add(time.Second)
	if err := run.Seal(end); err != nil {
		t.Fatal(err)
	}
	return dir, run
}

func call(args ...string) (exit int, stdout, stderr string) {
	var out, story bytes.Buffer
	exit = Main(args, &out, &story)
	return exit, out.String(), story.String()
}

func TestShowOfARunThatIsNotWhole(t *testing.T) {
	t.Parallel()
	dir, run := sealed(t, evidence.End{Ended: time.Now().Add(time.Second), Verdict: verdict.Pass})
	if exit, out, _ := call("evidence", "show", "--store", dir); exit != 0 || !strings.HasPrefix(out, "PASS") {
		t.Errorf("exit %d\n%s", exit, out)
	}
	if err := os.WriteFile(filepath.Join(run.Dir(), "files", "a"), []byte("as I like it"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, json := range []string{"--json=false", "--json"} {
		exit, out, _ := call("evidence", "show", "--store", dir, json)
		if exit != 3 || strings.HasPrefix(out, "PASS") || !strings.Contains(out, "files/a was changed after the seal") {
			t.Errorf("%s: exit %d\n%s", json, exit, out)
		}
	}
	if _, out, _ := call("evidence", "show", "--store", dir); !strings.Contains(out, "not whole") {
		t.Error(out)
	}
}

func TestListSaysWhyARunBroke(t *testing.T) {
	t.Parallel()
	dir, _ := sealed(t, evidence.End{Ended: time.Now().Add(time.Second), Exit: 4, Reason: "orders-1 never became ready"})
	if exit, out, _ := call("evidence", "list", "--store", dir); exit != 0 || !strings.Contains(out, "orders-1 never became ready") {
		t.Errorf("exit %d\n%s", exit, out)
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ args, want string }{
		{"rnu", `unknown command "rnu" for "assay" (did you mean run?)`},
		{"evidence shwo", `unknown command "shwo" for "assay evidence" (did you mean show?)`},
		{"run --sed 1", "unknown flag: --sed"},
		{"run --seed x", "invalid argument"},
		{"run a b", "accepts at most 1 arg"},
		{"recover now", `unknown command "now"`},
	} {
		if exit, out, text := call(strings.Fields(tt.args)...); exit != 2 || out != "" || !strings.Contains(text, tt.want) || !strings.Contains(text, "--help' for usage") {
			t.Errorf("%s: exit %d\n%s%s", tt.args, exit, out, text)
		}
	}
	if exit, out, _ := call("--json", "rnu"); exit != 2 || !strings.Contains(out, `"exit": 2`) {
		t.Errorf("--json: exit %d\n%s", exit, out)
	}
	if exit, out, _ := call(); exit != 0 || !strings.Contains(out, "Usage:") {
		t.Errorf("without a command: exit %d\n%s", exit, out)
	}
}

func TestReplayCanBePasted(t *testing.T) {
	t.Parallel()
	a := &app{name: "assay", store: defaultStore}
	flags := runFlags{defect: "no-retry"}
	if got, want := a.runOptions("my shop", flags, false).Replay("slow", 7), "assay run 'my shop' --experiment slow --seed 7 --defect no-retry"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := a.runOptions("shop", runFlags{control: true}, false).Replay("slow", 7), "assay run shop --experiment slow --seed 7 --control"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.store = "the store"
	if got, want := a.runOptions("shop", runFlags{}, false).Replay("slow", 7), "assay run shop --experiment slow --seed 7 --store 'the store'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestDryRunShowsNoSecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	compose := strings.Replace(stubbornCompose, "{image: x,", `{image: x, environment: {API_KEY: hunter2, DB: "postgres://u:hunter2@stubborn:5432/x"},`, 1)
	for name, text := range map[string]string{"compose.yaml": compose, "assay.yaml": stubbornProject, "x.yaml": stubbornExperiment} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, json := range []string{"--json=false", "--json"} {
		exit, out, text := call("run", dir, "--dry-run", json)
		if exit != 0 || strings.Contains(out, "hunter2") || !strings.Contains(out, "postgres://u:***@") {
			t.Errorf("exit %d\n%s%s", exit, out, text)
		}
	}
}
