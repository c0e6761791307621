package openapi

import (
	"strings"

	"github.com/assay-dev/assay/contract"
)

// compareComponents looks at what changed in components and no operation leads to: it is said, and harms nobody.
func (c *comparison) compareComponents() {
	x, y := c.old.root.get("components"), c.new.root.get("components")
	if c.same(x, y) {
		return
	}
	used := map[string]bool{}
	c.old.reached(used)
	c.new.reached(used)
	groups := map[string]*node{}
	for _, n := range []*node{x, y} {
		if n != nil {
			for key, kid := range asMap(n) {
				groups[key] = kid
			}
		}
	}
	for _, group := range sortedKeys(groups) {
		if !strings.HasPrefix(group, "x-") {
			c.compareGroup(group, x.get(group), y.get(group), used)
		}
	}
}

func (c *comparison) compareGroup(group string, x, y *node, used map[string]bool) {
	names := map[string]*node{}
	for _, n := range []*node{x, y} {
		if n != nil && n.kind == object {
			for name, kid := range asMap(n) {
				names[name] = kid
			}
		}
	}
	for _, name := range sortedKeys(names) {
		path := "components." + group + "." + name
		if group == "securitySchemes" {
			c.sameKey(path, x.get(name), y.get(name))
		}
		switch {
		case c.same(x.get(name), y.get(name)), c.saidOfComponent(path):
		case group == "securitySchemes":
			c.compareScheme(path, name, x.get(name), y.get(name))
		case !used["#/components/"+group+"/"+escape(name)]:
			c.prove("components", path, "rule: no operation uses it", 0)
		}
	}
}

func (c *comparison) saidOfComponent(path string) bool {
	for _, made := range c.bySubjects["components"] {
		if made.Path == path {
			return true
		}
	}
	return false
}

// sameKey settles that a key travels in a header of other case.
func (c *comparison) sameKey(path string, x, y *node) {
	before, after := c.old.deref(x), c.new.deref(y)
	for _, made := range c.bySubjects["components"] {
		if made.Path == path && made.Rule == "api-security-component-api-key-name-changed" && presentedAs(before) == presentedAs(after) {
			made.settled = "names of headers have no case"
		}
	}
}

// compareScheme looks at a scheme that changed and oasdiff is silent about.
func (c *comparison) compareScheme(path, name string, x, y *node) {
	before, after := c.old.deref(x), c.new.deref(y)
	switch {
	case before == nil || after == nil || !c.demands(name):
		c.prove("components", path, "rule: no operation of both versions demands it", 0)
	case c.sameMeaning(withoutFormat(before), withoutFormat(after)):
		c.prove("components", path, "rule: only annotations changed", 0)
	case presentedAs(before) != presentedAs(after):
		made := c.add(nil, path, contract.Finding{Rule: "security-scheme-changed", Severity: contract.Break, Flow: contract.ToUs, Old: before.place(), New: after.place(),
			Text: "callers present " + presentedAs(before) + ", and " + presentedAs(after) + " is asked for"})
		c.rename(made, "components")
	default:
		made := c.add(nil, path, contract.Finding{Rule: "security-scheme-changed", Severity: contract.Risk, Flow: contract.ToUs, Old: before.place(), New: after.place(),
			Text: "where tokens come from, or what they may say, changed: harms callers that have it from here"})
		c.rename(made, "components")
	}
}

// rename gives a claim its subject.
func (c *comparison) rename(made *claim, subject string) {
	made.Subject = subject
	c.bySubjects[subject] = append(c.bySubjects[subject], made)
}

// withoutFormat leaves out what tells people how a token is made.
func withoutFormat(n *node) *node {
	return n.pick(func(key string, kid *node) *node {
		if key == "bearerFormat" {
			return nil
		}
		return kid
	})
}

// demands says whether the document or an operation of either version names a scheme.
func (c *comparison) demands(scheme string) bool {
	for _, d := range []*document{c.old, c.new} {
		for _, o := range d.operations() {
			if list := d.security(o); list != nil {
				for _, requirement := range list.kids {
					if requirement.get(scheme) != nil {
						return true
					}
				}
			}
		}
	}
	return false
}

// reached notes all references that operations lead to.
func (d *document) reached(used map[string]bool) {
	seen := map[string]bool{}
	var visit func(ref string)
	visit = func(ref string) {
		if seen[ref] {
			return
		}
		seen[ref], used[ref] = true, true
		if owner := componentOf(ref); owner != "" {
			used[owner] = true
		}
		d.refs[ref].eachRef(visit)
	}
	for _, key := range []string{"paths", "webhooks"} {
		d.root.get(key).eachRef(visit)
	}
}
