package contract

import (
	"testing"

	"github.com/assay-dev/assay/verdict"
)

func TestVerdict(t *testing.T) {
	breaks, changes := Finding{Severity: Break}, Finding{Severity: Change}
	for name, c := range map[string]struct {
		diff Diff
		want verdict.Verdict
	}{
		"nothing compared":  {Diff{}, verdict.Unknown},
		"proven":            {Diff{Proofs: []Proof{{By: "same"}}}, verdict.Pass},
		"changed":           {Diff{Findings: []Finding{changes}}, verdict.Pass},
		"a gap":             {Diff{Findings: []Finding{changes}, Proofs: []Proof{{}}, Gaps: []Gap{{}}}, verdict.Unknown},
		"a break and a gap": {Diff{Findings: []Finding{changes, breaks}, Gaps: []Gap{{}}}, verdict.Fail},
	} {
		if got := c.diff.Verdict(); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestID(t *testing.T) {
	f := Finding{Kind: OpenAPI, Contract: "orders", Rule: "r", Subject: "POST /orders", Path: "body", New: Place{"a.yaml", 3, 1}}
	moved := f
	moved.New.Line = 30
	other := f
	other.Path = "body.qty"
	if f.ID() != moved.ID() || f.ID() == other.ID() {
		t.Error("an id follows lines, or does not tell paths apart")
	}
	if got := f.New.String(); got != "a.yaml:3:1" {
		t.Error(got)
	}
}
