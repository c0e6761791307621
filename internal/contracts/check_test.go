package contracts

import (
	"os"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/gate"
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

// A contract that was taken out on purpose is let through by a waiver of the policy, which ends; one whose file was gone before promised nothing.
func TestTakenOut(t *testing.T) {
	inRepo(t, map[string]string{"assay.yaml": "system: t\ncontracts:\n  - {name: a, path: a.yaml}\n  - {name: ghost, path: ghost.yaml}\n  - {name: b, path: b.yaml}\n", "a.yaml": api, "b.yaml": api})
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	waiver := gate.Waiver{Contract: "a", Allow: gate.AllowFail, Owner: "team-a", Reason: "nobody calls it", Expires: now.AddDate(0, 0, 9)}
	for name, c := range map[string]struct {
		change func(*gate.Waiver)
		want   verdict.Verdict
	}{
		"waived":     {func(*gate.Waiver) {}, verdict.Pass},
		"another":    {func(w *gate.Waiver) { w.Contract = "b" }, verdict.Fail},
		"no failure": {func(w *gate.Waiver) { w.Allow = gate.AllowUnknown }, verdict.Fail},
		"expired":    {func(w *gate.Waiver) { w.Expires = now }, verdict.Fail},
		"too far":    {func(w *gate.Waiver) { w.Expires = now.AddDate(1, 0, 0) }, verdict.Fail},
	} {
		w := waiver
		c.change(&w)
		project := &spec.Project{File: "assay.yaml", Dir: dir, Name: "t", Contracts: []spec.Contract{{Name: "b", Path: "b.yaml"}}, Policy: gate.Policy{Waivers: []gate.Waiver{w}}}
		r, err := Check(t.Context(), project, CheckOptions{Against: "main", Now: now, Seed: 1})
		if err != nil || r.Verdict != c.want || len(r.Results) != 2 {
			t.Errorf("%s: got %s (%s), %v, want %s", name, r.Verdict, r.Reason, err, c.want)
		}
	}
}
