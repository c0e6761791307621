package openapi

import (
	"fmt"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// renamed pairs the parameters of a path by where they stand in it: on the wire they have no name.
func (c *comparison) renamed(op *pairing) {
	if op.old == nil || op.new == nil || op.turned() || op.old.path == op.new.path {
		return
	}
	was, is := parameterName.FindAllString(op.old.path, -1), parameterName.FindAllString(op.new.path, -1)
	moved := map[string]part{}
	for path, p := range op.oldParts {
		moved[path] = p
	}
	for i, name := range was {
		from, to := strings.Trim(name, "{}"), strings.Trim(is[i], "{}")
		if p, ok := op.oldParts[parameterPath("path", from)]; ok && from != to {
			if moved[p.path].at == p.at {
				delete(moved, p.path)
			}
			p.path = parameterPath("path", to)
			moved[p.path] = p
			c.add(op, p.path, contract.Finding{Rule: "path-parameter-renamed", Severity: contract.Change, Flow: contract.ToUs,
				Text: fmt.Sprintf("the path parameter %s is called %s: requests are the same, generated code is not", from, to)})
		}
	}
	op.oldParts = moved
}
