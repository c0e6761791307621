package openapi

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// onlyOne is an operation that one version has. oasdiff says so; the request that shows it is added, and what it keeps silent about.
func (c *comparison) onlyOne(op *pairing) {
	if op.turned() {
		c.onlyOneTurned(op)
		return
	}
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

// shadowed finds new paths that take requests from a template: a literal path is matched before one with parameters.
func (c *comparison) shadowed() {
	for _, key := range sortedKeys(c.byKey) {
		op := c.byKey[key]
		if op.new == nil || op.old != nil || op.turned() {
			continue
		}
		for _, other := range c.old.operations() {
			if other.method == op.new.method && other.path != op.new.path && !other.turned && matches(other.path, op.new.path) {
				c.add(op, "", contract.Finding{Rule: "path-shadows-template", Severity: contract.Risk, Flow: contract.ToUs, Old: other.node.place(),
					Text: "requests that " + other.path + " answered are answered here: harms callers that send this name as a parameter",
					Try:  "choose a path that no template of the old version matches"})
			}
		}
	}
}

// matches says whether a template matches a path that says more than it does.
func matches(template, path string) bool {
	x, y := strings.Split(template, "/"), strings.Split(path, "/")
	if len(x) != len(y) {
		return false
	}
	literal := false
	for i := range x {
		switch {
		case x[i] == y[i]:
		case strings.HasPrefix(x[i], "{") && strings.HasSuffix(x[i], "}") && !strings.Contains(y[i], "{"):
			literal = true
		case !strings.Contains(x[i], "{") || !strings.Contains(y[i], "{"):
			return false
		}
	}
	return literal
}

func noOperation(op *pairing) *contract.Witness {
	if op.new != nil {
		return nil
	}
	return &contract.Witness{What: "request", Encoding: "text", Document: op.name, Allowed: "old", Refused: "new", Reason: "no operation has this method and path"}
}
