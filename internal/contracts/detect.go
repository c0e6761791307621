package contracts

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// Kinds returns all kinds of contracts.
func Kinds() []contract.Kind {
	return []contract.Kind{contract.OpenAPI, contract.Proto, contract.Avro, contract.JSONSchema, contract.AsyncAPI, contract.Terms}
}

// Modes returns the modes of a registry that events are compared in.
func Modes() []string {
	return []string{"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"}
}

// Detect tells the kind of a file by its content, "" where nothing tells.
func Detect(name string, content []byte) contract.Kind {
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if path.Ext(name) == ".proto" || isProto(content) {
		return contract.Proto
	}
	keys := topKeys(content)
	schema, _ := keys["$schema"].(string)
	switch {
	case has(keys, "openapi"), has(keys, "swagger"):
		return contract.OpenAPI
	case has(keys, "asyncapi"):
		return contract.AsyncAPI
	case strings.Contains(schema, "json-schema.org"):
		return contract.JSONSchema
	case isTerms(name, keys):
		return contract.Terms
	case path.Ext(name) == ".avsc", isAvro(keys):
		return contract.Avro
	}
	return ""
}

func has(keys map[string]any, key string) bool { _, ok := keys[key]; return ok }

// isProto looks at the first statement, past comments and blank lines.
func isProto(content []byte) bool {
	comment := regexp.MustCompile(`^\s*(?://[^\n]*(?:\n|$)|/\*(?s:.*?)\*/)`)
	for comment.Match(content) {
		content = comment.ReplaceAll(content, nil)
	}
	return regexp.MustCompile(`^\s*(?:(?:syntax|edition)\s*=\s*["']|package\s+[\w.]+\s*;)`).Match(content)
}

// isAvro knows a named type of Avro.
func isAvro(keys map[string]any) bool {
	kind, _ := keys["type"].(string)
	name, _ := keys["name"].(string)
	switch kind {
	case "record", "error":
		return name != "" && has(keys, "fields")
	case "enum":
		return name != "" && has(keys, "symbols")
	case "fixed":
		return name != "" && has(keys, "size")
	}
	return false
}

// topKeys returns the keys of a document's top mapping, with the values of those that are text. It expands no alias.
func topKeys(content []byte) map[string]any {
	keys := map[string]any{}
	if trimmed := bytes.TrimSpace(content); bytes.HasPrefix(trimmed, []byte("{")) {
		var members map[string]json.RawMessage
		if json.Unmarshal(trimmed, &members) == nil {
			for key, raw := range members {
				var text string
				_ = json.Unmarshal(raw, &text)
				keys[key] = text
			}
			return keys
		}
	}
	var document yaml.Node
	if yaml.Unmarshal(content, &document) != nil || len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return keys
	}
	for i, top := 0, document.Content[0].Content; i+1 < len(top); i += 2 {
		keys[top[i].Value] = top[i+1].Value
	}
	return keys
}

// candidate says whether a file of a folder may be a contract, or be part of one.
func candidate(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json", ".proto", ".avsc"}, path.Ext(name))
}

// references returns the files that a contract's text refers to, relative to the root of its version.
func references(name string, content []byte) []string {
	var all []string
	for _, m := range regexp.MustCompile(`["']?\$ref["']?\s*:\s*["']?([^"'#\s,}]+)`).FindAllSubmatch(content, -1) {
		all = append(all, path.Join(path.Dir(name), string(m[1])))
	}
	return all
}
