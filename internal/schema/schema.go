// Package schema holds the JSON Schemas of the files that a user writes, for
// editors and for the generated reference:
//
//	text, ok := schema.Text("assay")
//
// They are written by hand. A test of internal/spec holds them against what the
// parser takes, key by key, so that neither can change without the other. What an
// expression or a name may say is the parser's alone: a schema knows structure.
package schema

import "embed"

//go:embed *.json
var files embed.FS

// Names returns the schemas, in the order in which a reader meets the files.
func Names() []string { return []string{"assay", "compose", "experiment", "gate", "terms"} }

// Text returns a schema as JSON (draft 2020-12), and whether there is one of that name.
func Text(name string) ([]byte, bool) {
	text, err := files.ReadFile(name + ".json")
	return text, err == nil
}

// URL returns where a schema is published.
func URL(name string) string {
	return "https://raw.githubusercontent.com/assay-dev/assay/main/docs/schemas/" + name + ".json"
}

// ComposeURL is where the schema of compose-spec is published, which that of compose.yaml refers to.
const ComposeURL = "https://raw.githubusercontent.com/compose-spec/compose-spec/main/schema/compose-spec.json"
