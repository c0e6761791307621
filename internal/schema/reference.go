package schema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Reference returns docs/reference/files.md: every mapping of every file, with its keys.
func Reference() (string, error) {
	var b strings.Builder
	b.WriteString("# The files, key by key\n\nGenerated from the schemas by `ASSAY_UPDATE=1 go test ./internal/schema`. What the files are for, with examples: [files.md](../files.md).\n\n" +
		"An editor that speaks JSON Schema completes and checks them. With the YAML language server the first line of a file is enough:\n\n```yaml\n")
	for _, name := range Names() {
		fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", URL(name))
	}
	b.WriteString("```\n\n`assay schema NAME` prints the schema that belongs to your version: `assay schema assay >.assay.schema.json`, and then `$schema=.assay.schema.json`.\n")
	for _, name := range Names() {
		text, _ := Text(name)
		var document yaml.Node // JSON is YAML, and its nodes keep the order of keys
		if err := yaml.Unmarshal(text, &document); err != nil {
			return "", fmt.Errorf("read the schema %s: %w", name, err)
		}
		page{&b, name, document.Content[0]}.write()
	}
	return b.String(), nil
}

// A page is one schema's part of the reference.
type page struct {
	b    *strings.Builder
	name string
	root *yaml.Node
}

func (p page) write() {
	fmt.Fprintf(p.b, "\n## %s\n\n%s\n", text(p.root, "title"), text(p.root, "description"))
	p.table(p.root)
	for name, def := range pairs(child(p.root, "$defs")) {
		if p.listed(def) {
			fmt.Fprintf(p.b, "\n### %s\n\n%s\n", p.heading(name, def), text(def, "description"))
			p.table(def)
		}
	}
}

// listed says whether a definition is a mapping with keys of ours that have a meaning to tell.
func (p page) listed(def *yaml.Node) bool { return text(def, "title") != "" }

func (p page) heading(name string, def *yaml.Node) string {
	return fmt.Sprintf("%s: %s", p.name, strings.ToLower(text(def, "title")))
}

func (p page) table(object *yaml.Node) {
	var rows strings.Builder
	required := words(child(object, "required"))
	for key, value := range pairs(child(object, "properties")) {
		meaning := text(value, "description")
		if meaning == "" {
			continue
		}
		if slices.Contains(required, key) {
			meaning = "**Required.** " + meaning
		}
		if d := child(value, "default"); d != nil {
			meaning += fmt.Sprintf(" Default `%s`.", d.Value)
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", key, p.kind(value), strings.ReplaceAll(meaning, "|", `\|`))
	}
	if rows.Len() > 0 {
		p.b.WriteString("\n| key | value | meaning |\n|---|---|---|\n" + rows.String())
	}
}

// kind says in a few words what may stand there.
func (p page) kind(n *yaml.Node) string {
	if ref := text(n, "$ref"); ref != "" {
		return p.reference(strings.TrimPrefix(ref, "#/$defs/"))
	}
	for _, choice := range []string{"anyOf", "oneOf"} {
		if some := child(n, choice); some != nil && child(some.Content[0], "required") == nil {
			var kinds []string
			for _, one := range some.Content {
				kinds = append(kinds, p.kind(one))
			}
			return strings.Join(kinds, " or ")
		}
	}
	if values := words(child(n, "enum")); values != nil {
		return "`" + strings.Join(values, "`, `") + "`"
	}
	switch kind := text(n, "type"); kind {
	case "array":
		return "list of " + p.kind(child(n, "items"))
	case "object":
		if values := child(n, "additionalProperties"); values != nil && values.Kind == yaml.MappingNode {
			return "name: " + p.kind(values)
		}
		return "mapping"
	case "string":
		return "text"
	case "":
		return "anything"
	default:
		return kind
	}
}

// reference names a definition, with a link where it has a table.
func (p page) reference(name string) string {
	def := child(child(p.root, "$defs"), name)
	if p.listed(def) {
		anchor := strings.NewReplacer(" ", "-", ":", "").Replace(p.heading(name, def))
		return fmt.Sprintf("[%s](#%s)", strings.ToLower(text(def, "title")), anchor)
	}
	if child(def, "enum") != nil {
		return p.kind(def)
	}
	return cmp.Or(text(def, "$comment"), name)
}

func text(n *yaml.Node, key string) string {
	if value := child(n, key); value != nil {
		return value.Value
	}
	return ""
}

func child(n *yaml.Node, key string) *yaml.Node {
	for name, value := range pairs(n) {
		if name == key {
			return value
		}
	}
	return nil
}

// pairs yields the keys and values of a mapping in order.
func pairs(n *yaml.Node) func(yield func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, n.Content[i+1]) {
				return
			}
		}
	}
}

func words(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	var all []string
	for _, item := range n.Content {
		all = append(all, item.Value)
	}
	return all
}
