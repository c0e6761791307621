package jsonschema

import (
	"testing"

	"github.com/assay-dev/assay/contract"
)

// FuzzParse reads anything: it must end, and what it takes it must be able to judge by.
func FuzzParse(f *testing.F) {
	for _, text := range []string{`{"type": "string"}`, `{"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"b": {"$ref": "#"}}}}}`, "type: object\nproperties: {a: &x {type: 'null'}, b: *x}",
		`{"$id": "http://a/b", "$anchor": "c", "allOf": [{"$ref": "#c"}]}`, `true`, `{"pattern": "(?=a)[\\u0041-z]"}`, `{"dependencies": {"a": ["b"], "c": {}}}`} {
		for d := Draft4; d <= OpenAPI31; d++ {
			f.Add(text, int(d), text[0] == '{')
		}
	}
	f.Fuzz(func(t *testing.T, text string, d int, json bool) {
		file := "a.yaml"
		if json {
			file = "a.json"
		}
		s, err := Parse(source(map[string]string{file: text}), file, "", Dialect(d), contract.Options{})
		if err != nil {
			return
		}
		_ = s.Validate([]byte(`{"a": [1, "b", null]}`))
		if c := Compare(s, s, contract.Options{}); len(c.Breaks)+len(c.Gaps) > 0 {
			t.Errorf("it is not within itself: %+v", c)
		}
	})
}

// FuzzCompare compares anything: each break must have a witness, and something must be said.
func FuzzCompare(f *testing.F) {
	f.Add(`{"type": "string"}`, `{"type": "number"}`)
	f.Add(`{"properties": {"a": {"$ref": "#"}}}`, `{"properties": {"a": {"$ref": "#", "minProperties": 1}}}`)
	f.Add(`{"items": {"pattern": "^[a-z]+$"}}`, `{"items": {"pattern": "^(a|b)*$"}, "uniqueItems": true}`)
	f.Add(`{"anyOf": [{"const": 1}, {"if": {"type": "object"}, "then": false}]}`, `{"oneOf": [{"multipleOf": 0.5}, {"not": {"required": ["a"]}}]}`)
	f.Add(`{"minItems": 1e300, "pattern": "a{1000}"}`, `{"maxLength": 99999999, "contains": {}, "maxContains": 2}`)
	f.Fuzz(func(t *testing.T, old, new string) {
		from, err := Parse(source(map[string]string{"a.json": old}), "a.json", "", Draft2020, contract.Options{})
		if err != nil {
			return
		}
		to, err := Parse(source(map[string]string{"a.json": new}), "a.json", "", Draft2020, contract.Options{})
		if err != nil {
			return
		}
		c := Compare(from, to, contract.Options{Seed: 1})
		replay(t, from, to, c)
		if len(c.Breaks)+len(c.Gaps)+len(c.Proofs) == 0 {
			t.Error("nothing was said")
		}
	})
}
