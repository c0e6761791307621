package jsonschema

import (
	"errors"

	_ "github.com/santhosh-tekuri/jsonschema/v6" // the validator of witnesses

	"github.com/assay-dev/assay/contract"
)

// A Schema is one that was read, with all that it refers to. It is safe for concurrent use.
type Schema struct{}

// Parse reads the schema at a JSON pointer ("" is the whole) of a file, in JSON or YAML, and what it refers to through src.
// A "$schema" in the schema or its file overrides d, except for OpenAPI.
func Parse(src contract.Source, file, pointer string, d Dialect, opts contract.Options) (*Schema, error) {
	return nil, errors.ErrUnsupported
}

// FromValue takes a schema that the caller has read: of the types of encoding/json, with integers and [json.Number] as well.
// resolve returns what a reference names, exactly as it is written; nil resolves those within v only.
func FromValue(v any, d Dialect, resolve func(ref string) (any, error)) (*Schema, error) {
	return nil, errors.ErrUnsupported
}

// AssertFormats returns the same schema with format as an assertion, as some registries and draft-07 validators have it. Without,
// format is an annotation in all dialects, and a changed one is a Note.
func (s *Schema) AssertFormats() *Schema { return s }

// Validate returns why the schema refuses a document, in JSON, or nil.
func (s *Schema) Validate(doc []byte) error { return errors.ErrUnsupported }

// Compare says whether each document that from allows is allowed by to. It is deterministic for a seed.
func Compare(from, to *Schema, opts contract.Options) Comparison {
	return Comparison{Gaps: []contract.Gap{{Contract: opts.Contract, Why: "schemas are not compared yet"}}}
}
