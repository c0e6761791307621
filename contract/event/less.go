package event

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// less lists what a neighbour can see of a JSON Schema that changed and breaks nobody: what the reader's version allows and the writer's
// does not. What was told already is left out.
func (p *part) less(old, new jsonVersion, sub subject) {
	if slices.ContainsFunc(p.findings, func(f contract.Finding) bool { return f.Severity == contract.Break }) || len(p.gaps) > 0 {
		return
	}
	w, r := old, new
	if sub.flow == contract.FromUs {
		w, r = new, old
	}
	said := jsonschema.Compare(r.schema, w.schema, sub.opts)
	if said.Documents == 0 {
		return // both allow the same
	}
	p.documents += said.Documents
	proof := sub.proof("rule: what is written is a part of what is read")
	proof.Documents = said.Documents
	p.proofs = append(p.proofs, proof)
	told := func(path string) bool {
		return slices.ContainsFunc(p.findings, func(f contract.Finding) bool { return f.Path == path || strings.HasPrefix(path, f.Path+".") })
	}
	writer, reader := sub.versions()
	for _, b := range said.Breaks {
		if told(sub.at(b.Path)) {
			continue
		}
		f := sub.finding("json-narrowed", contract.Change, b.Path, "what is written is less than what was allowed: "+b.Text, "")
		if sub.flow == contract.ToUs {
			f.Rule, f.Text = "json-widened", "more is read than was allowed, seen from the new version: "+b.Text
		}
		f.Old, f.New = sub.places(b.To, b.From)
		f.Witness = &contract.Witness{What: "event", Encoding: "json", Document: b.Document, Allowed: reader, Refused: writer, Reason: b.Reason}
		p.findings = append(p.findings, f)
	}
	if len(said.Breaks) == 0 && len(p.findings) == 0 {
		p.findings = append(p.findings, sub.finding("json-schema-changed", contract.Change, "", "the schema is another: all that is written fits it, and whether more than that does was not found out", ""))
	}
}
