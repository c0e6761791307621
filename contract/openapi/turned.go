package openapi

import (
	"strings"

	"github.com/assay-dev/assay/contract"
)

// turned says whether we send the requests of an operation: webhooks and callbacks. What they hold is produced, and what comes back
// is consumed, so that each rule of oasdiff, which takes them for paths, would say the contrary.
func (op *pairing) turned() bool {
	return op.old != nil && op.old.turned || op.new != nil && op.new.turned
}

func (op *pairing) key() string {
	if op.new != nil {
		return op.new.key
	}
	return op.old.key
}

// onlyOneTurned is a webhook or callback that one version has.
func (c *comparison) onlyOneTurned(op *pairing) {
	kind, _, _ := strings.Cut(op.any().path, ":")
	if op.new != nil {
		c.add(op, "", contract.Finding{Rule: kind + "-added", Severity: contract.Change, Flow: contract.FromUs, Text: "the " + kind + " was added", New: op.newNode.place()})
		return
	}
	c.add(op, "", contract.Finding{Rule: kind + "-removed", Severity: contract.Break, Flow: contract.FromUs, Old: op.oldNode.place(),
		Text: "the " + kind + " was removed: who waits for it is not called any more",
		Try:  "send it until nobody waits for it"})
}

func (op *pairing) any() *operation {
	if op.new != nil {
		return op.new
	}
	return op.old
}

// retell makes of what oasdiff says of a webhook or callback a line of the changelog, or nothing: whether it breaks is ours to say.
func (made *claim) retell() bool {
	made.Severity = contract.Change
	switch {
	case strings.HasPrefix(made.Rule, "request-"), strings.Contains(made.Rule, "-request-"):
		made.Flow = contract.FromUs
	case strings.HasPrefix(made.Rule, "response-"), strings.Contains(made.Rule, "-response-"):
		made.Flow = contract.ToUs
	}
	return !strings.Contains(made.Rule, "parameter") && !strings.Contains(made.Rule, "media-type") && !strings.Contains(made.Rule, "status") &&
		!strings.Contains(made.Rule, "header") && !strings.HasPrefix(made.Rule, "request-body-") && !strings.HasPrefix(made.Rule, "api-") &&
		!strings.HasPrefix(made.Rule, "endpoint-") && !strings.HasPrefix(made.Rule, "webhook-")
}
