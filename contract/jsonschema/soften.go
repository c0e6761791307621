package jsonschema

import "slices"

// soften takes what is common and harmless, though a meta-schema refuses it, and reads what OpenAPI 3.0 says in its own way.
func (b *bundle) soften(out map[string]any, n *node) {
	if list, ok := out["required"].([]any); ok {
		if list = unique(list); len(list) == 0 {
			delete(out, "required")
		} else {
			out["required"] = list
		}
	}
	if list, ok := out["enum"].([]any); ok {
		if out["enum"] = unique(list); len(list) == 0 { // which meta-schemas refuse, and which allows nothing
			delete(out, "enum")
			all, _ := out["allOf"].([]any)
			out["allOf"] = append(all, map[string]any{"not": map[string]any{}})
		}
	}
	if nullable := n.fields["nullable"]; b.dialect == OpenAPI30 && nullable != nil && nullable.scalar == true {
		if t, ok := out["type"].(string); ok && t != "null" {
			out["type"] = []any{t, "null"}
		}
	}
}

// unique drops what a list says twice.
func unique(list []any) []any {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		key := encode(v)
		was := seen[key]
		seen[key] = true
		return was
	})
}
