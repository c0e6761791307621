package openapi_test

import (
	"strings"

	"github.com/assay-dev/assay/contract"
)

// show prints a diff for the messages of tests.
func show(d contract.Diff) string {
	var b strings.Builder
	for _, f := range d.Findings {
		b.WriteString("\n  " + string(f.Severity) + " " + f.Rule + " | " + f.Subject + " | " + f.Path + " | " + f.Old.String() + " → " + f.New.String() + " | " + f.Text)
		if f.Witness != nil {
			b.WriteString(" | " + f.Witness.Document + " " + f.Witness.Reason)
		}
	}
	for _, g := range d.Gaps {
		b.WriteString("\n  gap " + g.Subject + " | " + g.Path + " | " + g.Why)
	}
	for _, p := range d.Proofs {
		if p.By != "same" {
			b.WriteString("\n  proof " + p.Subject + " | " + p.Path + " | " + p.By)
		}
	}
	return b.String()
}
