package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
)

// textual returns the sender's schema of a parameter or header as the reader sees it: all that is on the wire is text, so a number
// that is now read as a string is one, and nothing is refused.
func textual(sends, reads any) any {
	s, ok := sends.(map[string]any)
	r, ok2 := reads.(map[string]any)
	if !ok || !ok2 || r["type"] != "string" {
		return sends
	}
	made := map[string]any{"type": "string"}
	switch s["type"] {
	case "integer":
		made["pattern"] = "^-?(0|[1-9][0-9]{0,17})$"
	case "number":
		made["pattern"] = "^-?(0|[1-9][0-9]{0,17})([.][0-9]{1,9})?$"
	case "boolean":
		made["enum"] = []any{"true", "false"}
	default:
		return sends
	}
	if list, ok := s["enum"].([]any); ok {
		delete(made, "pattern")
		made["enum"] = texts(list)
	}
	return made
}

func texts(list []any) []any {
	var all []any
	for _, v := range list {
		all = append(all, fmt.Sprint(v))
	}
	return all
}

// sendable leaves out empty lists and objects: as a parameter they are not there at all.
func sendable(sends any) any {
	s, ok := sends.(map[string]any)
	if !ok {
		return sends
	}
	made := maps.Clone(s)
	if ref, refers := s["$ref"]; refers {
		made = map[string]any{"allOf": []any{map[string]any{"$ref": ref}}, "$defs": s["$defs"]}
	}
	for _, key := range []string{"minItems", "minProperties"} {
		if n, ok := made[key].(json.Number); !ok || n == "0" {
			made[key] = json.Number("1")
		}
	}
	return made
}
