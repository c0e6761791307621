package openapi_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/openapi"
)

const head = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"

// bomb makes a document whose aliases name more values than memory has.
func bomb() string {
	var b strings.Builder
	b.WriteString(head + "x-a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 12 {
		a, next := string(rune('a'+i)), string(rune('a'+i+1))
		if i == 0 {
			b.WriteString("x-b: &b [*a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0, *a0]\n")
			continue
		}
		b.WriteString("x-" + next + ": &" + next + " [*" + a + ", *" + a + ", *" + a + ", *" + a + ", *" + a + ", *" + a + ", *" + a + ", *" + a + "]\n")
	}
	return b.String()
}

func TestBadInput(t *testing.T) {
	deep := head + "x-deep: " + strings.Repeat("[", 600) + strings.Repeat("]", 600)
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "api.yaml:1:1: the file is empty"},
		"swagger":           {"swagger: '2.0'\npaths: {}\n", "api.yaml:1:1: swagger 2.0 cannot be compared"},
		"3.2":               {"openapi: 3.2.0\n", "api.yaml:1:1: OpenAPI \"3.2.0\" cannot be compared: 3.0.x and 3.1.x can"},
		"no version":        {"paths: {}\n", "has no key openapi"},
		"a list":            {"[1]", "has no key openapi"},
		"not YAML":          {head + "paths: {a: [}\n", ": not YAML: "},
		"not UTF-8":         {head + "x-a: \xff\n", "api.yaml:3:6: not UTF-8"},
		"a key twice":       {head + "paths:\n  /a: {}\n  /b: {}\n  /a: {}\n", `api.yaml:6:3: the key "/a" stands twice, first at line 4`},
		"a key twice, JSON": {"{\"openapi\": \"3.0.0\",\n \"paths\": {},\n \"paths\": {}}", `api.yaml:3:2: the key "paths" stands twice`},
		"two documents":     {head + "---\na: 1\n", "more than one YAML document"},
		"bomb":              {bomb(), "more than 1048576 values"},
		"deep":              {deep, "nested more than 512 levels"},
		"alias of itself":   {head + "x-a: &a [*a]\n", "api.yaml:3:10: the alias stands within what it names"},
		"infinite":          {head + "x-a: .inf\n", "api.yaml:3:6: .inf is no number of JSON"},
		"remote":            {head + "paths: {/a: {$ref: 'https://example.com/a.yaml#/a'}}\n", "api.yaml:3:14: $ref \"https://example.com/a.yaml#/a\": https://example.com/a.yaml is on another host, and references to other hosts are off"},
		"outside":           {head + "paths: {/a: {$ref: '../../etc/passwd'}}\n", "api.yaml:3:14: $ref \"../../etc/passwd\""},
		"absolute":          {head + "paths: {/a: {$ref: '/etc/passwd'}}\n", "want a path relative to the file"},
		"nothing there":     {head + "paths: {/a: {$ref: '#/components/pathItems/a'}}\n", "nothing is called \"components\" there"},
		"anchor":            {head + "components: {schemas: {a: {$ref: '#there'}}}\n", "anchors cannot be followed"},
		"paths is a list":   {head + "paths: [1]\n", "api.yaml:3:1: paths: want an object"},
	} {
		_, err := openapi.Diff(t.Context(), source("old", c.text), source("new", shop), contract.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestNothingToRead(t *testing.T) {
	_, err := openapi.Diff(t.Context(), contract.Source{Name: "old", FS: fstest.MapFS{}, Path: "api.yaml"}, source("new", shop), contract.Options{})
	if err == nil || !strings.Contains(err.Error(), "old: ") {
		t.Errorf("got %v", err)
	}
	_, err = openapi.Diff(t.Context(), contract.Source{Name: "old", FS: fstest.MapFS{"a.txt": {}}, Path: "."}, source("new", shop), contract.Options{})
	if err == nil || !strings.Contains(err.Error(), "openapi.yaml") {
		t.Errorf("got %v", err)
	}
}

func TestRemoteWhereAllowed(t *testing.T) {
	text := head + "paths: {/a: {get: {responses: {'200': {$ref: 'https://example.com/a.yaml#/one'}}}}}\n"
	asked := ""
	opts := contract.Options{Remote: func(url string) ([]byte, error) {
		asked = url
		return []byte("one: {description: d, content: {application/json: {schema: {$ref: 'b.yaml'}}}}"), nil
	}}
	if _, err := openapi.Diff(t.Context(), source("old", text), source("new", text), opts); err == nil && asked != "https://example.com/b.yaml" {
		t.Errorf("got %v, asked for %s", err, asked)
	}
	opts.Remote = func(string) ([]byte, error) { return nil, errors.New("no route") }
	if _, err := openapi.Diff(t.Context(), source("old", text), source("new", text), opts); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("got %v", err)
	}
}

// A cycle of references is a schema like others; one of references alone is nothing.
func TestCycles(t *testing.T) {
	tree := head + `paths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}}, responses: {'200': {description: d}}}}}
components: {schemas: {Tree: {type: object, properties: {name: {type: string}, kids: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}}}
`
	d := diff(t, tree, strings.Replace(tree, "name: {type: string}", "name: {type: integer}", 1))
	if d.Verdict().String() != "fail" {
		t.Errorf("got %s%s", d.Verdict(), show(d))
	}
	loop := head + "paths: {/a: {get: {responses: {'200': {$ref: '#/components/responses/a'}}}}}\ncomponents: {responses: {a: {$ref: '#/components/responses/b'}, b: {$ref: '#/components/responses/a'}}}\n"
	if d, err := openapi.Diff(t.Context(), source("old", loop), source("new", loop+"# changed\n"), contract.Options{}); err == nil && d.Verdict().String() == "fail" {
		t.Errorf("got %s%s", d.Verdict(), show(d))
	}
}

// Files of a version refer to each other from where they stand.
func TestFiles(t *testing.T) {
	version := func(item string) contract.Source {
		return contract.Source{Name: "v", Path: "api/openapi.yaml", FS: fstest.MapFS{
			"api/openapi.yaml":       {Data: []byte(head + "paths: {/a: {$ref: 'paths/a.yaml'}}\ncomponents: {schemas: {Id: {type: string}}}\n")},
			"api/paths/a.yaml":       {Data: []byte("get: {responses: {'200': {description: d, content: {application/json: {schema: {$ref: '../schemas/a.yaml#/Order'}}}}}}")},
			"api/schemas/a.yaml":     {Data: []byte("Order: {type: object, required: [item], properties: {id: {$ref: '../openapi.yaml#/components/schemas/Id'}, item: {$ref: 'item.json'}}}")},
			"api/schemas/item.json":  {Data: []byte("{\n\t\"type\": \"object\",\n\t\"properties\": {\"sku\": " + item + "}}")},
			"api/schemas/unused.yml": {Data: []byte("\xff")},
		}}
	}
	d, err := openapi.Diff(t.Context(), version(`{"type": "string", "enum": ["a"]}`), version(`{"type": "string", "enum": ["a", "b"]}`), contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Verdict().String() != "fail" || len(d.Findings) == 0 || d.Findings[0].New.String() != "api/schemas/item.json:3:17" {
		t.Errorf("got %s%s", d.Verdict(), show(d))
	}
}

// Callbacks may lead to themselves: they are compared as deep as is useful, and end.
func TestCallbacksOfThemselves(t *testing.T) {
	text := head + `paths: {/a: {post: {responses: {'200': {description: d}}, callbacks: {again: {'{$url}': {$ref: '#/components/pathItems/hook'}}}}}}
components: {pathItems: {hook: {post: {requestBody: {content: {application/json: {schema: {type: string}}}}, responses: {'200': {description: d}}, callbacks: {again: {'{$url}': {$ref: '#/components/pathItems/hook'}}}}}}}
`
	d := diff(t, text, strings.Replace(text, "type: string", "type: [string, integer]", 1))
	if d.Verdict().String() != "fail" || !strings.HasPrefix(d.Findings[0].Subject, "POST callback:again {$url} of POST") {
		t.Errorf("got %s%s", d.Verdict(), show(d))
	}
}

// FuzzRead compares anything with a version that is sound, and with itself: it must end, something must be said, and nothing breaks
// that did not change.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{shop, wide, narrow, bomb(), head, "{\"openapi\": \"3.0.0\"}", head + "a: &a {<<: *a}", head + "paths: {/a: {$ref: '#/paths/~1a'}}", "\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, other := range []string{shop, string(data)} {
			d, err := openapi.Diff(t.Context(), source("old", string(data)), source("new", other), contract.Options{Documents: 5})
			switch {
			case err != nil:
			case len(d.Findings)+len(d.Proofs)+len(d.Gaps) == 0:
				t.Error("it was read, and nothing was said")
			case other != shop && len(d.Findings) > 0:
				t.Errorf("it is not what it is: %+v", d.Findings[0])
			}
		}
	})
}
