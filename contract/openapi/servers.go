package openapi

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
)

func ownServers(o *operation) *node {
	if n := o.node.get("servers"); n != nil {
		return n
	}
	return o.item.get("servers")
}

// compareServers compares the addresses under which operations are found.
func (c *comparison) compareServers(op *pairing, path string, before, after *node) {
	if c.same(before, after) {
		return
	}
	x, y := serverURLs(before), serverURLs(after)
	subject := "servers"
	if op != nil {
		subject = op.name
	}
	added := func(f contract.Finding) {
		made := c.add(op, path, f)
		made.Old, made.New = nearer(before.place(), made.Old), nearer(after.place(), made.New)
		if op == nil {
			c.rename(made, subject)
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
	switch {
	case !slices.Equal(slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))):
	case !slices.Equal(x, y):
		added(contract.Finding{Rule: "server-order-changed", Severity: contract.Change, Flow: contract.ToUs, Text: "servers stand in another order: generated clients call the first"})
	case slices.Equal(variables(before), variables(after)):
		c.prove(subject, path, "rule: only annotations changed", 0)
	default:
		added(contract.Finding{Rule: "server-changed", Severity: contract.Risk, Flow: contract.ToUs, Text: "the variables of a server changed: harms callers that build its address from them"})
	}
}

// variables writes what the addresses of servers are built from.
func variables(servers *node) []string {
	var all []string
	for _, server := range servers.kids {
		v := server.get("variables")
		if v == nil {
			all = append(all, "")
			continue
		}
		text := ""
		for _, name := range sortedKeys(asMap(v)) {
			text += name
			for _, key := range []string{"default", "enum"} {
				if one := v.get(name).get(key); one != nil {
					text += " " + key + " " + string(one.appendJSON(nil, func(ref string) string { return ref }))
				}
			}
		}
		all = append(all, text)
	}
	return all
}

func serverURLs(n *node) []string {
	if n == nil || len(n.kids) == 0 {
		return []string{"/"}
	}
	var all []string
	for _, server := range n.kids {
		all = append(all, server.get("url").str())
	}
	return all
}
