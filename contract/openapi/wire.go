package openapi

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// serialization compares how a parameter or header is written on the wire.
func (c *comparison) serialization(op *pairing, before, after part) {
	if !before.text || !after.text {
		return
	}
	x, y := wireForm(c.old, before), wireForm(c.new, after)
	if x == y {
		return
	}
	c.add(op, after.path, contract.Finding{Rule: after.what + "-parameter-serialization-changed", Severity: contract.Break, Flow: after.flow,
		Text: fmt.Sprintf("the value is written as %s and no longer as %s: the other side splits it in another way", y, x),
		Try:  "add a parameter with the new form, and keep this one", Old: before.node.place(), New: after.node.place()})
}

// wireForm returns what decides how the value is written: of a single value that is little.
func wireForm(d *document, p part) string {
	in, _, _ := strings.Cut(p.at, " ")
	style, explode := "simple", false
	if in == "query" || in == "cookie" {
		style, explode = "form", true
	}
	if s := p.node.get("style").str(); s != "" {
		style, explode = s, s == "form"
	}
	if e := p.node.get("explode"); e != nil {
		explode = e.isTrue()
	}
	several := d.keywordOf(p.schema, "items") != nil || len(d.declared(p.schema, true)) > 0
	if !several {
		return style
	}
	return fmt.Sprintf("%s, explode %t", style, explode)
}
