package jsonschema

import (
	"fmt"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// A Dialect is a version of JSON Schema.
type Dialect int

const (
	Draft4 Dialect = iota + 1
	Draft6
	Draft7
	Draft2019
	Draft2020
	OpenAPI30 // draft-04 with nullable; discriminator is an annotation
	OpenAPI31 // 2020-12
)

// String returns the name of the dialect, as its users write it.
func (d Dialect) String() string {
	names := map[Dialect]string{
		Draft4: "draft-04", Draft6: "draft-06", Draft7: "draft-07", Draft2019: "2019-09", Draft2020: "2020-12",
		OpenAPI30: "OpenAPI 3.0", OpenAPI31: "OpenAPI 3.1",
	}
	if name, ok := names[d]; ok {
		return name
	}
	return fmt.Sprintf("dialect %d", int(d))
}

// modern reports whether what stands beside a $ref counts.
func (d Dialect) modern() bool { return d == Draft2019 || d == Draft2020 || d == OpenAPI31 }

// draft is the version that the validator takes it for.
func (d Dialect) draft() *validator.Draft {
	switch d {
	case Draft4, OpenAPI30:
		return validator.Draft4
	case Draft6:
		return validator.Draft6
	case Draft7:
		return validator.Draft7
	case Draft2019:
		return validator.Draft2019
	}
	return validator.Draft2020
}

// defs is where definitions are kept.
func (d Dialect) defs() string {
	if d.modern() {
		return "$defs"
	}
	return "definitions"
}

// declared returns the dialect that a "$schema" names, or d where there is none.
func (d Dialect) declared(schema string) (Dialect, error) {
	if schema == "" || d == OpenAPI30 || d == OpenAPI31 {
		return d, nil
	}
	name := strings.TrimSuffix(schema, "#")
	name = strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://")
	known := map[string]Dialect{
		"json-schema.org/draft-04/schema": Draft4, "json-schema.org/draft-06/schema": Draft6, "json-schema.org/draft-07/schema": Draft7,
		"json-schema.org/draft/2019-09/schema": Draft2019, "json-schema.org/draft/2020-12/schema": Draft2020, "json-schema.org/schema": Draft2020,
	}
	if found, ok := known[name]; ok {
		return found, nil
	}
	return 0, fmt.Errorf(`"$schema" names %q, which is none of draft-04, 06, 07, 2019-09 and 2020-12`, schema)
}

// A shape is what a keyword holds.
type shape int

const (
	plain      shape = iota + 1 // a value
	one                         // a schema
	many                        // a list of schemas
	oneOrMany                   // either
	named                       // schemas by name
	dependency                  // schemas, or lists of names, by name
)

// keywords returns what a dialect asserts by, and what each of its keywords holds. All others are annotations.
func (d Dialect) keywords() map[string]shape {
	table := map[string]shape{
		"type": plain, "enum": plain, "multipleOf": plain, "maximum": plain, "exclusiveMaximum": plain, "minimum": plain,
		"exclusiveMinimum": plain, "maxLength": plain, "minLength": plain, "pattern": plain, "maxItems": plain, "minItems": plain,
		"uniqueItems": plain, "maxProperties": plain, "minProperties": plain, "required": plain, "format": plain,
		"allOf": many, "anyOf": many, "oneOf": many, "not": one, "items": oneOrMany, "properties": named, "additionalProperties": one,
	}
	if d == OpenAPI30 {
		return table
	}
	table["patternProperties"], table["additionalItems"], table["dependencies"] = named, one, dependency
	if d == Draft4 {
		return table
	}
	table["const"], table["contains"], table["propertyNames"] = plain, one, one
	if d == Draft6 {
		return table
	}
	table["if"], table["then"], table["else"] = one, one, one
	if d == Draft7 {
		return table
	}
	for _, k := range []string{"unevaluatedItems", "unevaluatedProperties"} {
		table[k] = one
	}
	table["minContains"], table["maxContains"], table["dependentRequired"], table["dependentSchemas"] = plain, plain, plain, named
	if d != Draft2019 {
		delete(table, "additionalItems")
		table["items"], table["prefixItems"] = one, many
	}
	return table
}
