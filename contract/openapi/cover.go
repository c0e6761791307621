package openapi

import (
	"slices"
	"strings"
)

// cover looks for what changed in an operation and nothing spoke of. It is a gap: silence is no proof.
func (c *comparison) cover(op *pairing) {
	if op.old == nil || op.new == nil {
		return // added or removed as a whole
	}
	for _, path := range op.paths() {
		before, inOld := op.oldParts[path]
		after, inNew := op.newParts[path]
		if c.spoken(op, path) || inOld != inNew && c.spokenAbove(op, path) {
			continue
		}
		switch {
		case !inOld || !inNew:
			p, _ := op.either(path)
			c.gap(op.name, path, "it stands in one version only, and no rule says what that means", p.node.place())
		case !c.sameMeaning(withoutParts(before.node), withoutParts(after.node)):
			c.gap(op.name, path, "it changed, and no rule says what that means", after.node.place())
		case !c.same(before.node, after.node) && before.schema != nil && c.same(before.schema, after.schema):
			c.prove(op.name, path, "rule: only annotations changed", 0)
		case before.schema != nil && !c.same(before.schema, after.schema):
			c.gap(op.name, path, "its schema changed, and nothing was said of it", after.schema.place())
		}
	}
	c.coverRest(op)
}

// coverRest looks at what is no part of its own: security, callbacks, and texts.
func (c *comparison) coverRest(op *pairing) {
	before, after := op.oldNode.pick(op.rest), op.newNode.pick(op.rest)
	if !c.sameMeaning(before, after) {
		c.gap(op.name, "callbacks", "it changed, and callbacks this deep within others are not compared", nearer(after.get("callbacks").place(), op.newNode.place()))
	}
	if !c.sameSecurity(op.old, op.new) && !c.spoken(op, "security") && !c.spokenOfSecurity() {
		c.gap(op.name, "security", "what a caller must present changed, and no rule says what that means", op.newNode.place())
	}
	if !c.anything(op) {
		c.prove(op.name, "", "rule: only annotations changed", 0)
	}
}

func (c *comparison) anything(op *pairing) bool {
	return c.spoken(op, "")
}

// rest leaves out what is a part or an operation of its own, and what says nothing to a program.
func (op *pairing) rest(key string, kid *node) *node {
	switch key {
	case "parameters", "requestBody", "responses", "security", "servers", "deprecated", "operationId", "tags":
		return nil
	case "callbacks":
		if op.new.depth < maxCallbacks {
			return nil
		}
	}
	return kid
}

// spoken says whether a finding, a proof or a gap is about the part or something within it.
func (c *comparison) spoken(op *pairing, path string) bool {
	if slices.ContainsFunc(c.bySubjects[op.name], func(made *claim) bool { return within(made.Path, path) }) {
		return true
	}
	return slices.ContainsFunc(c.said[op.name], func(said string) bool { return within(said, path) })
}

// withoutParts leaves out what is compared by itself.
func withoutParts(n *node) *node {
	if n == nil {
		return nil
	}
	return n.pick(func(key string, kid *node) *node {
		switch key {
		case "content", "headers", "schema", "links", "style", "explode", "allowReserved", "allowEmptyValue", "encoding":
			return nil
		}
		return kid
	})
}

// sameMeaning compares without what only people read.
func (c *comparison) sameMeaning(a, b *node) bool {
	return c.same(meaning(a), meaning(b))
}

func meaning(n *node) *node {
	if n == nil || n.kind != object {
		return n
	}
	made := n.pick(func(key string, kid *node) *node {
		switch key {
		case "description", "summary", "example", "examples", "externalDocs", "title", "deprecated":
			return nil
		}
		if strings.HasPrefix(key, "x-") {
			return nil
		}
		return kid
	})
	return made
}
