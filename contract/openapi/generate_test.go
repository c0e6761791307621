package openapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// m is an object of a generated version.
type m = map[string]any

// A generated is a version that can be changed.
type generated struct {
	rng *rand.Rand
	doc m
	ops []string // paths, each with one operation: post
}

// generate makes a version with n operations.
func generate(seed uint64, n int) *generated {
	g := &generated{rng: rand.New(rand.NewPCG(seed, 1)), doc: m{"openapi": "3.0.3", "info": m{"title": "t", "version": "1"}}}
	paths := m{}
	schemas := m{"Shared": g.object(0)}
	for i := range n {
		path := fmt.Sprintf("/r%d/{id}", i)
		g.ops = append(g.ops, path)
		name := "R" + strconv.Itoa(i)
		schemas[name+"In"], schemas[name+"Out"] = g.object(0), g.object(0)
		paths[path] = m{"post": m{
			"operationId": "op" + strconv.Itoa(i),
			"parameters": []any{
				m{"name": "id", "in": "path", "required": true, "schema": m{"type": "string"}},
				m{"name": "limit", "in": "query", "schema": m{"type": "integer", "minimum": 1, "maximum": 100}},
				m{"name": "sort", "in": "query", "schema": m{"type": "string", "enum": []any{"a", "b", "c"}}},
				m{"name": "tags", "in": "query", "schema": m{"type": "array", "items": m{"type": "string"}}},
				m{"name": "X-Who", "in": "header", "required": true, "schema": m{"type": "string"}},
			},
			"requestBody": m{"content": m{
				"application/json": m{"schema": g.maybeRef(name + "In")}, "text/plain": m{"schema": m{"type": "string"}}}},
			"responses": m{
				"200": m{"description": "ok", "content": m{"application/json": m{"schema": g.maybeRef(name + "Out")}, "text/plain": m{"schema": m{"type": "string"}}}},
				"202": m{"description": "later"},
				"404": m{"description": "none"},
			},
		}}
	}
	g.doc["paths"] = paths
	g.doc["components"] = m{"schemas": schemas}
	return g
}

func (g *generated) maybeRef(name string) m { return m{"$ref": "#/components/schemas/" + name} }

// object has one field of each kind that mutations look for, and some more.
func (g *generated) object(depth int) m {
	props := m{
		"text": m{"type": "string"}, "name": m{"type": "string", "minLength": 1, "maxLength": 20},
		"state": m{"type": "string", "enum": []any{"new", "paid", "sent"}}, "count": m{"type": "integer", "minimum": 1, "maximum": 100},
		"price": m{"type": "number"}, "note": m{"type": "string", "nullable": true}, "lines": m{"type": "array", "maxItems": 5, "items": m{"type": "string"}},
		"flag": m{"type": "boolean"},
	}
	if depth < 2 && g.rng.IntN(2) == 0 {
		props["inner"] = g.object(depth + 1)
	}
	if depth == 0 && g.rng.IntN(3) == 0 {
		props["shared"] = m{"$ref": "#/components/schemas/Shared"}
	}
	required := []any{}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if g.rng.IntN(3) == 0 && name != "shared" { // it may hold itself, and then no document would be finite
			required = append(required, name)
		}
	}
	made := m{"type": "object", "properties": props}
	if len(required) > 0 {
		made["required"] = required
	}
	return made
}

// clone copies a version, so that one can be changed.
func (g *generated) clone() *generated {
	var doc m
	data, _ := json.Marshal(g.doc)
	_ = json.Unmarshal(data, &doc)
	return &generated{rng: g.rng, doc: doc, ops: g.ops}
}

func (g *generated) json() string {
	data, _ := json.MarshalIndent(g.doc, "", " ")
	return string(data)
}

func (g *generated) yaml() string {
	data, _ := yaml.Marshal(g.doc)
	return string(data)
}

func get(v any, path ...string) m {
	for _, name := range path {
		v = v.(m)[name]
	}
	return v.(m)
}

func (g *generated) op(i int) m { return get(g.doc, "paths", g.ops[i], "post") }

// schema returns the body of an operation's request or response, or an object within it.
func (g *generated) schema(i int, in bool) m {
	name := fmt.Sprintf("R%dOut", i)
	if in {
		name = fmt.Sprintf("R%dIn", i)
	}
	s := get(g.doc, "components", "schemas", name)
	for {
		inner, ok := get(s, "properties")["inner"].(m)
		if !ok || g.rng.IntN(2) == 0 {
			return s
		}
		s = inner
	}
}

func isRequired(s m, name string) bool {
	list, _ := s["required"].([]any)
	return slices.Contains(list, any(name))
}

func setRequired(s m, name string, required bool) {
	list, _ := s["required"].([]any)
	list = slices.DeleteFunc(slices.Clone(list), func(v any) bool { return v == name })
	if required {
		list = append(list, name)
	}
	if s["required"] = list; len(list) == 0 {
		delete(s, "required")
	}
}

// some returns a field that is required, or one that is not.
func (g *generated) some(s m, required bool) string {
	var fit []string
	for _, name := range slices.Sorted(maps.Keys(get(s, "properties"))) {
		if isRequired(s, name) == required && name != "inner" && name != "shared" {
			fit = append(fit, name)
		}
	}
	if len(fit) == 0 {
		return ""
	}
	return fit[g.rng.IntN(len(fit))]
}
