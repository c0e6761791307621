package openapi

import (
	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// harmless lists what a neighbour can see of schemas that changed and break nobody, where oasdiff is silent: a required name without
// a property, a schema that was closed. It asks the other way round: what the reader allows and the sender does not shows the change.
func (c *comparison) harmless(op *pairing) {
	if op.old == nil || op.new == nil {
		return
	}
	for _, path := range op.paths() {
		seen := c.sites[op.name+"\x00"+path]
		if !seen.safe || seen.r.schema == nil {
			continue
		}
		from, to := facing(seen.r, seen.s)
		if seen.r.text {
			from = sendable(from)
		}
		found, at, err := c.compared(seen.r, seen.s, from, to)
		if err != nil {
			c.gap(op.name, path, err.Error(), at)
			continue
		}
		c.less(op, path, seen, found)
	}
}

// less says what documents show that the reader allows and the sender does not.
func (c *comparison) less(op *pairing, path string, seen site, found answer) {
	c.diff.Documents += found.Documents
	switch {
	case len(found.Breaks) > 0:
		c.prove(op.name, path, "rule: what is sent is a part of what is read", found.Documents)
	case len(found.Gaps) == 0:
		c.prove(op.name, path, "rule: both versions allow the same", found.Documents)
	case !c.claimed(op, path):
		c.add(op, path, c.finding(seen.s, seen.r, "", contract.Finding{Rule: ruleIn(seen.r, "schema-changed"), Severity: contract.Change, Flow: seen.r.flow,
			Text: "the schema is another, and all that is sent fits it; whether more than that does was not found out"}))
	}
	for _, b := range found.Breaks {
		c.lessOne(op, seen.s, seen.r, b)
	}
}

func (c *comparison) lessOne(op *pairing, s, r side, b jsonschema.Break) {
	at := join(r.path, b.Path)
	told := c.touching(op, at, func(contract.Finding) bool { return true })
	for _, made := range told {
		if made.Path == at || fits(made, at, b.Rule) {
			return
		}
	}
	rule, text := b.Rule, "the new version no longer "+verb(r)+"s what the old one allowed: "+b.Text
	if r.flow == contract.ToUs {
		rule, text = mirrored(rule), "the new version takes what the old one refused, seen from the new one: "+b.Text
	}
	witness := &contract.Witness{What: r.what, Encoding: "json", Document: b.Document, At: r.at, Media: r.media, Allowed: r.version, Refused: s.version, Reason: b.Reason}
	c.add(op, at, c.finding(s, r, b.Path, contract.Finding{Rule: ruleIn(r, rule), Severity: contract.Change, Flow: r.flow, Text: text, Witness: witness}))
}

// claimed says whether a finding is about a part or something within it.
func (c *comparison) claimed(op *pairing, path string) bool {
	for _, made := range c.bySubjects[op.name] {
		if within(made.Path, path) {
			return true
		}
	}
	return false
}
