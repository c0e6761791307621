package openapi

import (
	"maps"
	"regexp"
	"slices"
)

// close forbids a sender's object the properties that only the reader declares.
func (b *bundle) close(made map[string]any, n, other *node, in scope) {
	if !b.sender || in.closed || in.verbatim || other == nil || constrained(n) {
		return
	}
	mine := b.withDeclared(n, in)
	if len(mine) == 0 {
		return
	}
	alternatives := n.get("oneOf") == nil && n.get("anyOf") == nil
	theirs := b.other.declared(other, alternatives)
	maps.Copy(theirs, in.theirs)
	demanded := b.withDemanded(n, in)
	props, _ := made["properties"].(map[string]any)
	if props == nil {
		props = map[string]any{}
	}
	for name := range theirs {
		if mine[name] == nil && !demanded[name] && !b.matchesPattern(n, name) {
			props[name] = b.doc.never()
		}
	}
	if len(props) > 0 {
		made["properties"] = props
	}
}

// constrained says whether the object says itself what other properties are.
func constrained(n *node) bool {
	for _, key := range []string{"additionalProperties", "unevaluatedProperties"} {
		if v := n.get(key); v != nil && v.kind == object && len(v.keys) > 0 {
			return true
		}
	}
	return false
}

func (b *bundle) matchesPattern(n *node, name string) bool {
	patterns := n.get("patternProperties")
	if patterns == nil {
		return false
	}
	return slices.ContainsFunc(patterns.keys, func(p string) bool {
		re, err := regexp.Compile(p)
		return err != nil || re.MatchString(name)
	})
}
