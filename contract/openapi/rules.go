package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// onlyOne is an operation that one version has. oasdiff says so; the request that shows it is added, and what it keeps silent about.
func (c *comparison) onlyOne(op *pairing) {
	found := false
	for _, made := range c.claims {
		if made.Subject != op.name {
			continue
		}
		found = true
		if made.Severity == contract.Break && made.Witness == nil {
			made.Witness = noOperation(op)
		}
	}
	if found {
		return
	}
	if op.new != nil {
		c.add(op, "", contract.Finding{Rule: "endpoint-added", Severity: contract.Change, Text: "endpoint added"})
		return
	}
	made := c.add(op, "", contract.Finding{Rule: "api-removed-without-deprecation", Severity: contract.Break, Text: "the operation was removed"})
	if c.new.root.get("paths").get(op.old.path) == nil {
		made.Rule = "api-path-removed-without-deprecation"
	}
	switch {
	case op.oldNode.get("deprecated").isTrue():
		made.Rule, made.Severity = strings.Replace(made.Rule, "without", "with", 1), contract.Risk
		c.sunset(&made.Finding, op)
	case slices.Contains([]string{"draft", "alpha"}, op.oldNode.get("x-stability-level").str()):
		made.Severity, made.Text = contract.Risk, "the operation was removed, which its stability level allows at any time"
	default:
		made.Witness = noOperation(op)
	}
}

func noOperation(op *pairing) *contract.Witness {
	if op.new != nil {
		return nil
	}
	return &contract.Witness{What: "request", Encoding: "text", Document: op.name, Allowed: "old", Refused: "new", Reason: "no operation has this method and path"}
}

// absent gives requests to the findings about what only one version asks for or understands.
func (c *comparison) absent(op *pairing, path string) {
	after, isNew := op.newParts[path]
	before := op.oldParts[path]
	for _, made := range c.touching(op, path, func(f contract.Finding) bool { return f.Severity == contract.Break && f.Witness == nil }) {
		if made.Path != path && !within(path, made.Path) {
			continue
		}
		switch {
		case isNew && after.what == "request" && after.node.get("required").isTrue():
			made.Witness = &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: after.at, Allowed: "old", Refused: "new",
				Reason: "the request lacks what is required"}
		case !isNew && before.what == "request" && before.media != "" && before.at == "":
			made.Witness = &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: "header Content-Type: " + before.media,
				Allowed: "old", Refused: "new", Reason: "no body has this media type"}
		}
	}
}

// demanded gives a request to the finding that something may no longer be left out.
func (c *comparison) demanded(op *pairing, before, after part) {
	if before.node.get("required").isTrue() || !after.node.get("required").isTrue() || after.what != "request" || after.media != "" {
		return
	}
	at := after.at
	if at == "" {
		at = "body"
	}
	for _, made := range c.touching(op, after.path, func(f contract.Finding) bool {
		return strings.HasSuffix(f.Rule, "-became-required") && f.Witness == nil
	}) {
		if made.Path == after.path {
			made.Witness = &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: at, Allowed: "old", Refused: "new",
				Reason: "the request lacks what is required"}
		}
	}
}

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

// compareServers compares the addresses under which operations are found.
func (c *comparison) compareServers(op *pairing, path string, before, after *node) {
	if c.same(before, after) {
		return
	}
	x, y := serverURLs(before), serverURLs(after)
	added := func(f contract.Finding) {
		made := c.add(op, path, f)
		made.Old, made.New = nearer(before.place(), made.Old), nearer(after.place(), made.New)
		if op == nil {
			made.Subject = "servers"
		}
	}
	for _, url := range x {
		if !slices.Contains(y, url) {
			added(contract.Finding{Rule: "server-removed", Severity: contract.Risk, Flow: contract.ToUs,
				Text: fmt.Sprintf("the server %s is no longer named: harms callers that have it from here", url)})
		}
	}
	for _, url := range y {
		if !slices.Contains(x, url) {
			added(contract.Finding{Rule: "server-added", Severity: contract.Change, Flow: contract.ToUs, Text: fmt.Sprintf("the server %s was added", url)})
		}
	}
	if slices.Equal(x, y) {
		added(contract.Finding{Rule: "server-changed", Severity: contract.Risk, Flow: contract.ToUs, Text: "what is said about a server changed: its variables, or its text"})
	}
}

func serverURLs(n *node) []string {
	if n == nil {
		return []string{"/"}
	}
	var all []string
	for _, server := range n.kids {
		all = append(all, server.get("url").str())
	}
	return all
}
