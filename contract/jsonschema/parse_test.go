package jsonschema

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
)

func source(files map[string]string) contract.Source {
	fs := fstest.MapFS{}
	for name, text := range files {
		fs[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return contract.Source{Name: "test", FS: fs, Path: "."}
}

// TestRefused lists what cannot be read, and what the errors say.
func TestRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"not":`, 600) + "{}" + strings.Repeat("}", 600)
	bomb := "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		line := string(c) + ": &" + string(c) + " ["
		bomb += line + strings.Repeat("*"+string(c-1)+", ", 9) + "*" + string(c-1) + "]\n"
	}
	for name, c := range map[string]struct{ file, text, want string }{
		"no JSON":           {"a.json", `{"type": }`, "a.json:1:10"},
		"ends early":        {"a.json", `{"type": "string"`, "ends too early"},
		"more after it":     {"a.json", `{} {}`, "more after the end"},
		"no YAML":           {"a.yaml", "type: [", "a.yaml"},
		"empty":             {"a.yaml", "", "a.yaml"},
		"no UTF-8":          {"a.json", "{\"type\": \"\xff\"}", "not valid UTF-8"},
		"a key twice":       {"a.json", "{\"type\": \"string\",\n \"type\": \"null\"}", `"type" stands twice`},
		"too deep":          {"a.json", deep, "nests deeper than"},
		"a bomb":            {"a.yaml", bomb, "values, which is the most"},
		"no schema":         {"a.json", `[1]`, "a schema is an object"},
		"unknown type":      {"a.json", "{\n  \"type\": \"text\"}", "a.json:2:11: no schema of 2020-12: type"},
		"negative length":   {"a.json", `{"properties": {"a": {"minLength": -1}}}`, "a.json:1:36"},
		"unknown dialect":   {"a.json", `{"$schema": "https://example.com/mine"}`, "which is none of"},
		"remote":            {"a.json", `{"$ref": "https://example.com/b.json"}`, "references to other hosts are off"},
		"missing file":      {"a.json", `{"$ref": "b.json"}`, "b.json"},
		"out of the folder": {"a.json", `{"$ref": "../../etc/passwd"}`, "etc/passwd"},
		"file address":      {"a.json", `{"$ref": "file:///etc/passwd"}`, "not within what was read"},
		"missing pointer":   {"a.json", `{"$ref": "#/$defs/b"}`, `"$defs" is missing`},
		"missing anchor":    {"a.json", `{"$ref": "#b"}`, `has the anchor "b"`},
		"to itself":         {"a.json", `{"$ref": "#"}`, "refers to itself"},
		"to itself by not":  {"a.json", `{"not": {"$ref": "#"}}`, "refers to itself"},
		"in a ring":         {"a.json", `{"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}`, "refers to itself"},
		"huge exponent":     {"a.json", `{"minimum": 1e999999999}`, "exponent"},
		"huge count":        {"a.json", `{"minItems": 1e300}`, "largest that is told apart"},
		"reference no text": {"a.json", `{"$ref": 7}`, `"$ref" is text`},
	} {
		_, err := Parse(source(map[string]string{c.file: c.text}), c.file, "", Draft2020, contract.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
	if _, err := Parse(source(nil), "a.json", "", Draft2020, contract.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := FromValue(map[string]any{}, 0, nil); err == nil {
		t.Error("a dialect of none was taken")
	}
	if _, err := FromValue(map[string]any{"const": make(chan int)}, Draft7, nil); err == nil {
		t.Error("a value that is none of JSON's was taken")
	}
}

// TestReferences follows references of all sorts, and tells documents apart by what they lead to.
func TestReferences(t *testing.T) {
	t.Parallel()
	const id = `"$id": "https://example.com/root.json"`
	remote := contract.Options{Remote: func(url string) ([]byte, error) { return []byte(`{"type": "string"}`), nil }}
	for name, c := range map[string]struct {
		dialect Dialect
		files   map[string]string
		pointer string
	}{
		"pointer":       {Draft2020, map[string]string{"a.json": `{"$ref": "#/$defs/s", "$defs": {"s": {"type": "string"}}}`}, ""},
		"escaped":       {Draft7, map[string]string{"a.json": `{"$ref": "#/definitions/a~1b%25", "definitions": {"a/b%": {"type": "string"}}}`}, ""},
		"anchor":        {Draft2020, map[string]string{"a.json": `{"$ref": "#s", "$defs": {"x": {"$anchor": "s", "type": "string"}}}`}, ""},
		"old anchor":    {Draft7, map[string]string{"a.json": `{"$ref": "#s", "definitions": {"x": {"$id": "#s", "type": "string"}}}`}, ""},
		"draft-04 id":   {Draft4, map[string]string{"a.json": `{"$ref": "#s", "definitions": {"x": {"id": "#s", "type": "string"}}}`}, ""},
		"own address":   {Draft2020, map[string]string{"a.json": `{` + id + `, "$ref": "s.json", "$defs": {"x": {"$id": "s.json", "type": "string"}}}`}, ""},
		"other file":    {Draft2020, map[string]string{"a.json": `{"$ref": "sub/b.yaml#/$defs/s"}`, "sub/b.yaml": "$defs: {s: {$ref: c.json}}", "sub/c.json": `{"type": "string"}`}, ""},
		"within a file": {OpenAPI30, map[string]string{"a.json": `{"components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"type": "string"}}}}`}, "/components/schemas/A"},
		"siblings":      {Draft7, map[string]string{"a.json": `{"$ref": "#/definitions/s", "type": "null", "definitions": {"s": {"type": "string"}}}`}, ""},
		"dynamic":       {Draft2020, map[string]string{"a.json": `{"$dynamicRef": "#s", "$defs": {"x": {"$dynamicAnchor": "s", "type": "string"}}}`}, ""},
		"remote":        {Draft2020, map[string]string{"a.json": `{"$ref": "https://example.com/s.json"}`}, ""},
	} {
		s, err := Parse(source(c.files), "a.json", c.pointer, c.dialect, remote)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := s.Validate([]byte(`"text"`)); err != nil {
			t.Errorf("%s: a text is refused: %v", name, err)
		}
		if err := s.Validate([]byte(`7`)); err == nil {
			t.Errorf("%s: a number is allowed", name)
		}
	}
}

// TestResolve lets the caller say what references name.
func TestResolve(t *testing.T) {
	t.Parallel()
	asked := 0
	s, err := FromValue(map[string]any{"$ref": "#/components/schemas/Tree"}, OpenAPI31, func(ref string) (any, error) {
		asked++
		return map[string]any{"type": "object", "properties": map[string]any{"child": map[string]any{"$ref": ref}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate([]byte(`{"child": {"child": 7}}`)); err == nil || asked != 1 {
		t.Errorf("got %v after %d questions", err, asked)
	}
}

// TestOpenAPI30 reads what that version says in its own way.
func TestOpenAPI30(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		schema, document string
		allowed          bool
	}{
		{`{"type": "string", "nullable": true}`, `null`, true},
		{`{"type": "string"}`, `null`, false},
		{`{"type": "string", "nullable": true, "enum": ["a"]}`, `null`, false},
		{`{"nullable": true, "allOf": [{"type": "string"}]}`, `null`, false},
		{`{"type": "number", "minimum": 1, "exclusiveMinimum": true}`, `1`, false},
		{`{"type": "number", "minimum": 1, "exclusiveMinimum": false}`, `1`, true},
		{`{"oneOf": [{"type": "string"}], "discriminator": {"propertyName": "kind"}}`, `"a"`, true},
		{`{"type": "string", "const": "b"}`, `"a"`, true}, // const is none of its keywords
		{`{"type": "object", "required": []}`, `{}`, true},
		{`{"type": "string", "format": "date", "example": 7}`, `"a"`, true},
	} {
		s, err := Parse(source(map[string]string{"a.json": c.schema}), "a.json", "", OpenAPI30, contract.Options{})
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		if err := s.Validate([]byte(c.document)); (err == nil) != c.allowed {
			t.Errorf("%s: %s: got %v, want allowed %t", c.schema, c.document, err, c.allowed)
		}
	}
}

// TestUndecided sees that what cannot be judged is a gap, and never a pass.
func TestUndecided(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new string }{
		"a lookahead added":           {`{"type": "string"}`, `{"type": "string", "pattern": "^(?=a)"}`},
		"a lookahead changed":         {`{"type": "string", "pattern": "^(?=a)"}`, `{"type": "string", "pattern": "^(?=b)"}`},
		"a back reference in a name":  {`{"type": "object"}`, `{"patternProperties": {"(.)\\1": {"type": "string"}}}`},
		"beside a branch that is not": {`{"anyOf": [{"type": "integer"}, {"type": "string"}]}`, `{"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^(?!b)"}]}`},
		"what must be in a list": {`{"type": "array", "contains": {"type": "integer"}}`,
			`{"type": "array", "contains": {"type": "integer", "anyOf": [{"minimum": 1}, {"maximum": 0}]}}`},
		"anchors that move": {`{"$dynamicRef": "#a", "$defs": {"x": {"$dynamicAnchor": "a"}, "y": {"$id": "y", "$dynamicAnchor": "a"}}}`,
			`{"type": "string", "$dynamicRef": "#a", "$defs": {"x": {"$dynamicAnchor": "a"}, "y": {"$id": "y", "$dynamicAnchor": "a"}}}`},
	} {
		c1, c2 := parse(t, c.old), parse(t, c.new)
		got := Compare(c1, c2, contract.Options{Seed: 1})
		if len(got.Gaps) == 0 || len(got.Breaks) > 0 {
			t.Errorf("%s: got %+v, want a gap", name, got)
		}
		if same := Compare(c2, c2, contract.Options{}); len(same.Gaps) > 0 || len(same.Proofs) == 0 {
			t.Errorf("%s: compared with itself: %+v", name, same)
		}
	}
	s := parse(t, `{"pattern": "^(?=a)"}`)
	if err := s.Validate([]byte(`"a"`)); err == nil || !strings.Contains(err.Error(), "cannot be matched here") {
		t.Errorf("a text was judged by a pattern that cannot be: %v", err)
	}
}

func parse(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Parse(source(map[string]string{"a.json": text}), "a.json", "", Draft2020, contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPatterns holds translated patterns against what ECMA-262 says of them.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`^\d+$`, "12", true}, {`^\d+$`, "12\n", false}, {`^\u0061$`, "a", true}, {`^[\s]$`, "\u00a0", true}, {`^\S$`, "\u2003", false},
		{`^a.b$`, "a\rb", false}, {`^[[:a]$`, "[", true}, {`^[[:a]$`, ":", true}, {`^\/$`, "/", true}, {`^(?<year>\d{4})$`, "2024", true}, {`^\cA$`, "\x01", true},
	} {
		re, err := (&patterns{}).compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if _, unknown := re.(opaque); unknown || re.MatchString(c.text) != c.want {
			t.Errorf("%s on %q: want %t (unknown: %t)", c.pattern, c.text, c.want, unknown)
		}
	}
	for _, c := range []struct {
		from, to string
		want     bool
	}{
		{"^[a-z]+$", "^[a-z0-9]+$", true}, {"^[a-z0-9]+$", "^[a-z]+$", false}, {"^a{2,3}$", "^a*$", true}, {"^ab", "a", true}, {"a", "^a", false},
		{"^(a|b)c$", "^[ab]c$", true}, {"^a$", "^a\\b", true}, {"^[a-y]$", "^[a-z]$", true}, {"^[a-z]$", "^[a-y]$", false}, {"x*", "", true}, {"", "x", false},
	} {
		text, found, decided := between([]string{c.from}, c.to)
		if !decided || found == c.want {
			t.Errorf("%s within %s: got %q %t %t", c.from, c.to, text, found, decided)
		}
	}
}
