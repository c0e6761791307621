package openapi

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
)

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
