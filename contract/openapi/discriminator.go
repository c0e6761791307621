package openapi

import (
	"slices"
	"strings"
)

// discriminate replaces alternatives by what a discriminator makes of them: a name, and the schema that it stands for. Schemas are open,
// so that a document often fits several, and oneOf alone would refuse what everybody sends.
func (b *bundle) discriminate(made map[string]any, n, other *node, in scope) {
	property := n.get("discriminator").get("propertyName").str()
	for _, key := range []string{"oneOf", "anyOf"} {
		list := n.get(key)
		if property == "" || list == nil || list.kind != array {
			continue
		}
		tagged := []any{}
		for _, tag := range b.tags(n.get("discriminator").get("mapping"), list) {
			name := map[string]any{"required": []any{property}, "properties": map[string]any{property: map[string]any{"enum": []any{tag.name}}}}
			tagged = append(tagged, map[string]any{"allOf": []any{name, b.alternative(key, list, tag.branch, n, other, in)}})
		}
		if len(tagged) > 0 {
			delete(made, key)
			all, _ := made["allOf"].([]any)
			made["allOf"] = append(all, map[string]any{"anyOf": tagged})
		}
	}
}

// A tag is a name that a discriminator may have, and the alternative that it stands for.
type tag struct {
	name   string
	branch int
}

// tags returns the names that a sender surely has, those of the mapping or else of the schemas, and of a reader all.
func (b *bundle) tags(mapping, list *node) []tag {
	var all []tag
	has := func(name string) bool { return slices.ContainsFunc(all, func(t tag) bool { return t.name == name }) }
	if mapping != nil {
		for i, name := range mapping.keys {
			if branch := named(list, mapping.kids[i].str()); branch >= 0 {
				all = append(all, tag{name, branch})
			}
		}
	}
	if len(all) > 0 && b.sender {
		return all
	}
	for i, one := range list.kids {
		if slash := strings.LastIndexByte(one.ref, '/'); slash >= 0 && !has(one.ref[slash+1:]) {
			all = append(all, tag{one.ref[slash+1:], i})
		}
	}
	return all
}

// named returns the alternative that a mapping names, by reference or by the name of the schema, or -1.
func named(list *node, target string) int {
	return slices.IndexFunc(list.kids, func(one *node) bool {
		return one.ref != "" && (one.ref == target || strings.HasSuffix(one.ref, "/"+target) || strings.HasSuffix(one.ref, strings.TrimPrefix(target, "./")))
	})
}
