package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	composeschema "github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/schema"
)

// projects are folders with files that the parser takes, which between them use every mapping there is.
func projects(t *testing.T) []string {
	t.Helper()
	all := []string{"testdata/shop"}
	for _, pattern := range []string{"../../examples/*/assay.yaml", "../*/testdata/*/assay.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range found {
			all = append(all, filepath.Dir(file))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// schemaOf names the schema that a file of a project belongs to.
func schemaOf(p *Project, file string) string {
	switch base := filepath.Base(file); {
	case base == FileName:
		return "assay"
	case strings.Contains(base, "gate"):
		return "gate"
	case strings.Contains(base, "compose"):
		return "compose"
	}
	return "experiment"
}

func compileSchemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	add := func(url, text string) {
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = compiler.AddResource(url, document)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add(schema.ComposeURL, composeschema.Schema)
	for _, name := range schema.Names() {
		text, _ := schema.Text(name)
		add(schema.URL(name), string(text))
	}
	compiled := map[string]*jsonschema.Schema{}
	for _, name := range schema.Names() {
		one, err := compiler.Compile(schema.URL(name))
		if err != nil {
			t.Fatal(err)
		}
		compiled[name] = one
	}
	return compiled
}

// valueOf returns a file as an editor's validator sees it; nil where it is no YAML.
func valueOf(content []byte) any {
	var errs Errors
	if src := parse("x", "x", content, false, &errs); src.root != nil {
		return plain(src.root)
	}
	return nil
}

// Every file that the parser takes, the schemas take.
func TestSchemasTakeGoodFiles(t *testing.T) {
	t.Parallel()
	schemas := compileSchemas(t)
	for _, dir := range projects(t) {
		project, err := LoadOn(FakeHost(), dir)
		if err != nil {
			continue // its build output may be missing: the parser's own tests look at that
		}
		for file, content := range project.Files {
			if strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml") {
				if err := schemas[schemaOf(project, file)].Validate(valueOf(content)); err != nil {
					t.Errorf("%s/%s: the parser takes it, and the schema %s does not: %v", dir, file, schemaOf(project, file), err)
				}
			}
		}
	}
}

// A mapped object is a mapping that the parser read: where it stands, and the keys it may have.
type mapped struct {
	file, path string
	keys, need []string
}

// observe loads a project and notes each mapping, and from which line of this package it was read.
func observe(t *testing.T, dir string) (all []mapped, lines map[string]bool) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{host: FakeHost(), project: &Project{File: filepath.Join(dir, FileName), Dir: abs, Files: map[string][]byte{}}}
	lines = map[string]bool{}
	var mu sync.Mutex
	l.seen = func(src *source, n *yaml.Node, fields []field) {
		mu.Lock()
		defer mu.Unlock()
		m := mapped{file: filepath.Base(src.rel), path: pathTo(withoutExtensions(src.root), n)}
		if strings.Contains(src.rel, "experiments/") {
			m.file = "experiment"
		}
		for _, f := range fields {
			m.keys = append(m.keys, f.key)
			if f.need {
				m.need = append(m.need, f.key)
			}
		}
		all = append(all, m)
		_, file, line, _ := runtime.Caller(3) // past this function, the one that binds src, and object
		lines[fmt.Sprintf("%s:%d", filepath.Base(file), line)] = true
	}
	l.load(content)
	return all, lines
}

// withoutExtensions drops top-level keys that hold anchors for others to use.
func withoutExtensions(root *yaml.Node) *yaml.Node {
	clone := *root
	clone.Content = nil
	for i := 0; root.Kind == yaml.MappingNode && i+1 < len(root.Content); i += 2 {
		if !strings.HasPrefix(root.Content[i].Value, "x-") {
			clone.Content = append(clone.Content, root.Content[i:i+2]...)
		}
	}
	return &clone
}

// pathTo returns the keys on the way to the node with n's position, since x-assay is read from a copy.
func pathTo(root, n *yaml.Node) string {
	if root.Line == n.Line && root.Column == n.Column && root.Kind == n.Kind {
		return "/"
	}
	for i, item := range root.Content {
		step := "0" // all items of a list are alike
		if root.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			step = root.Content[i-1].Value
		}
		if rest := pathTo(item, n); rest != "" {
			return "/" + step + rest
		}
	}
	return ""
}

// A definition is a part of a schema, and the way there.
type definition struct {
	name string
	part map[string]any
}

// expand follows references and alternatives, and adds what it meets to visited.
func expand(root, part map[string]any, name string, visited map[string]bool) []definition {
	if ref, ok := part["$ref"].(string); ok {
		key, ours := strings.CutPrefix(ref, "#/$defs/")
		if !ours {
			return nil
		}
		def, _ := root["$defs"].(map[string]any)[key].(map[string]any)
		return expand(root, def, key, visited)
	}
	visited[name] = true
	all := []definition{{name, part}}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		choices, _ := part[key].([]any)
		for _, choice := range choices {
			if choice, ok := choice.(map[string]any); ok {
				all = append(all, expand(root, choice, name, visited)...)
			}
		}
	}
	return all
}

// at returns what a schema says of the place that a path leads to.
func at(root map[string]any, path string, visited map[string]bool) []definition {
	found := expand(root, root, "", visited)
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' }) {
		var next []definition
		for _, d := range found {
			properties, _ := d.part["properties"].(map[string]any)
			for _, candidate := range []any{properties[step], d.part["additionalProperties"], d.part["items"]} {
				if part, ok := candidate.(map[string]any); ok {
					next = append(next, expand(root, part, d.name+"/"+step, visited)...)
					break
				}
			}
		}
		found = next
	}
	return found
}

// keysOf returns the keys that the definitions allow and need, and whether one of them is a mapping with keys of ours.
func keysOf(found []definition) (keys, need []string, ok bool) {
	for _, d := range found {
		if closed, is := d.part["additionalProperties"].(bool); !is || closed {
			continue
		}
		ok = true
		for key := range d.part["properties"].(map[string]any) {
			keys = append(keys, key)
		}
		required, _ := d.part["required"].([]any)
		for _, key := range required {
			need = append(need, key.(string))
		}
	}
	return keys, need, ok
}

func schemaTree(t *testing.T, name string) map[string]any {
	t.Helper()
	text, _ := schema.Text(name)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return document.(map[string]any)
}

// The parser and the schemas allow and need the same keys of each mapping. A key that one of them lacks is named.
func TestSchemasHaveTheParsersKeys(t *testing.T) {
	t.Parallel()
	trees := map[string]map[string]any{"assay.yaml": schemaTree(t, "assay"), "gate.yaml": schemaTree(t, "gate"), "compose.yaml": schemaTree(t, "compose"), "experiment": schemaTree(t, "experiment")}
	visited, lines := map[string]map[string]bool{}, map[string]bool{}
	for name := range trees {
		visited[name] = map[string]bool{}
	}
	for _, dir := range projects(t) {
		all, from := observe(t, dir)
		for line := range from {
			lines[line] = true
		}
		for _, m := range all {
			root, ok := trees[m.file]
			if !ok {
				continue
			}
			keys, need, ok := keysOf(at(root, m.path, visited[m.file]))
			if !ok {
				t.Errorf("%s: the schema of %s has no mapping at %s, where the parser takes %v", dir, m.file, m.path, m.keys)
			}
			differ(t, m, "allow", "properties", m.keys, keys)
			differ(t, m, "need", "required", m.need, need)
		}
	}
	for _, call := range objectCalls(t) {
		if !lines[call] {
			t.Errorf("no project of this test has the mapping that %s reads: add one to testdata/shop, and its keys to internal/schema", call)
		}
	}
	for name, root := range trees {
		for key, def := range root["$defs"].(map[string]any) {
			if _, closed := def.(map[string]any)["additionalProperties"].(bool); closed && !visited[name][key] {
				t.Errorf("the parser never read the mapping %s of the schema of %s", key, name)
			}
		}
	}
}

func differ(t *testing.T, m mapped, verb, where string, parser, schema []string) {
	t.Helper()
	for _, key := range parser {
		if !slices.Contains(schema, key) {
			t.Errorf("%s at %s: the parser %ss %q, and the schema does not: add it to %s in internal/schema/*.json with a description", m.file, m.path, verb, key, where)
		}
	}
	for _, key := range schema {
		if !slices.Contains(parser, key) {
			t.Errorf("%s at %s: the schema %ss %q, and the parser does not: take it out of %s in internal/schema/*.json", m.file, m.path, verb, key, where)
		}
	}
}

// objectCalls returns the lines of this package that read a mapping with keys of ours.
func objectCalls(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if fun, ok := call.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "object" {
					calls = append(calls, fmt.Sprintf("%s:%d", file, set.Position(call.Pos()).Line))
				}
			}
			return true
		})
	}
	return calls
}

func TestSchemasHaveEveryMode(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"experiment", "gate"} {
		mode := schemaTree(t, name)["$defs"].(map[string]any)["mode"].(map[string]any)
		var got []string
		for _, one := range mode["enum"].([]any) {
			got = append(got, one.(string))
		}
		if want := experiment.Modes(); !slices.Equal(got, want) {
			t.Errorf("the schema %s has the modes %v, want %v", name, got, want)
		}
	}
}
