package contracts

import (
	"os"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// In a transitive mode the versions before the baseline count, too: what the last version wrote is read, and what the first wrote is not.
func TestTransitive(t *testing.T) {
	const head, tail = `{"type": "record", "name": "Paid", "fields": [{"name": "id", "type": "string"}`, `]}`
	inRepo(t, map[string]string{"a.avsc": head + tail, "assay.yaml": "system: t"}, map[string]string{"a.avsc": head + `, {"name": "qty", "type": "int", "default": 0}` + tail})
	if err := os.WriteFile("a.avsc", []byte(head+`, {"name": "qty", "type": "int"}`+tail), 0o666); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[string]verdict.Verdict{"BACKWARD": verdict.Pass, "BACKWARD_TRANSITIVE": verdict.Fail} {
		project := &spec.Project{File: "assay.yaml", Dir: dir, Name: "t", Contracts: []spec.Contract{{Name: "paid", Path: "a.avsc", Mode: mode}}}
		r, err := Check(t.Context(), project, CheckOptions{Against: "main", Now: time.Now(), Seed: 1, Documents: 50})
		if err != nil || r.Verdict != want {
			t.Errorf("%s: got %s (%s, %v), want %s", mode, r.Verdict, r.Reason, err, want)
		}
	}
}
