package openapi

import (
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
