package openapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// A bundle is the schema of one part in one version, written so that package jsonschema decides about it as people deploy it:
//
//   - Nobody sends a field that only the other version knows. An object is open unless it says otherwise, so a document with the field "note": 7
//     is one of the old version, and a new field note of type string would break it. Then no field could ever be added. So the
//     sender's schema does not allow the fields that the reader declares and it does not.
//   - What is read-only is not sent in requests, and what is write-only is not sent in responses.
//   - A discriminator decides which alternative is meant: its property is required, and has one of the names.
//
// All it takes away are documents of the sender, so each witness is one of the version itself.
type bundle struct {
	doc, other *document
	flow       contract.Flow
	sender     bool
	names      map[string]string // of definitions, by what they are made of
	defs       map[string]any
	queue      []func()
}

// A scope is what the schemas around one say about the same object.
type scope struct {
	closed   bool // a schema around it already closed the object
	verbatim bool // within not and if, where less would be more
	mine     map[string]*node
	theirs   map[string]*node
	demanded map[string]bool // names that are required: who keeps to the schema sends them, declared or not
}

// bundled returns the schema n of d as a value, as it meets the schema other.
func bundled(d *document, n *node, od *document, other *node, flow contract.Flow, sender bool) any {
	b := &bundle{doc: d, other: od, flow: flow, sender: sender, names: map[string]string{}, defs: map[string]any{}}
	root := b.schema(d.meant(n), od.meant(other), scope{})
	for len(b.queue) > 0 {
		next := b.queue[0]
		b.queue = b.queue[1:]
		next()
	}
	if m, ok := root.(map[string]any); ok && len(b.defs) > 0 {
		m["$defs"] = b.defs
	}
	return root
}

func (d *document) dialect() jsonschema.Dialect {
	if d.version == "3.0" {
		return jsonschema.OpenAPI30
	}
	return jsonschema.OpenAPI31
}

func (d *document) never() any {
	if d.version == "3.0" {
		return map[string]any{"not": map[string]any{}}
	}
	return false
}

func (b *bundle) schema(n, other *node, in scope) any {
	if n == nil {
		return map[string]any{}
	}
	if n.kind != object {
		return value(n)
	}
	if n.ref != "" {
		return b.reference(n, other, in)
	}
	made := map[string]any{}
	for i, key := range n.keys {
		b.keyword(made, key, n.kids[i], n, other, in)
	}
	b.close(made, n, other, in)
	b.discriminate(made, n, other, in)
	return made
}

// reference makes a definition for what is referred to, together with what it meets.
func (b *bundle) reference(n, other *node, in scope) any {
	target := b.doc.refs[n.ref]
	if b.doc.version != "3.0" && len(n.keys) > 1 {
		in.mine, in.demanded = b.withDeclared(n, in), b.withDemanded(n, in)
	}
	key := strings.Join([]string{n.ref, identity(other), strconv.FormatBool(in.closed), strconv.FormatBool(in.verbatim),
		strings.Join(slices.Sorted(maps.Keys(in.mine)), ","), strings.Join(slices.Sorted(maps.Keys(in.theirs)), ","), strings.Join(slices.Sorted(maps.Keys(in.demanded)), ",")}, "\x00")
	name, ok := b.names[key]
	if !ok {
		name = "s" + strconv.Itoa(len(b.names))
		b.names[key] = name
		b.queue = append(b.queue, func() { b.defs[name] = b.schema(target, b.other.meant(other), in) })
	}
	ref := map[string]any{"$ref": "#/$defs/" + name}
	if b.doc.version == "3.0" {
		return ref // its siblings mean nothing
	}
	for i, k := range n.keys {
		if k != "$ref" {
			b.keyword(ref, k, n.kids[i], n, other, scope{closed: true, verbatim: in.verbatim})
		}
	}
	return ref
}

func (b *bundle) withDeclared(n *node, in scope) map[string]*node {
	all := b.doc.declared(n, true)
	maps.Copy(all, in.mine)
	return all
}

func (b *bundle) withDemanded(n *node, in scope) map[string]bool {
	all := b.doc.demanded(n)
	maps.Copy(all, in.demanded)
	return all
}

func identity(n *node) string {
	if n == nil {
		return ""
	}
	if n.ref != "" {
		return n.ref
	}
	return n.at.String()
}

func (b *bundle) keyword(made map[string]any, key string, kid, n, other *node, in scope) {
	inner := scope{verbatim: in.verbatim}
	switch key {
	case "properties":
		props := map[string]any{}
		for i, name := range kid.keys {
			props[name] = b.property(kid.kids[i], b.other.member(other, name), in)
		}
		made[key] = props
	case "patternProperties", "$defs", "definitions", "dependentSchemas":
		all := map[string]any{}
		for i, name := range kid.keys {
			all[name] = b.schema(kid.kids[i], nil, scope{closed: true, verbatim: in.verbatim})
		}
		made[key] = all
	case "items", "additionalProperties", "contains", "unevaluatedItems", "unevaluatedProperties", "propertyNames":
		made[key] = b.schema(kid, b.other.keywordOf(other, key), inner)
	case "not", "if", "then", "else":
		made[key] = b.schema(kid, nil, scope{closed: true, verbatim: true})
	case "prefixItems":
		made[key] = b.each(kid, func(i int) any { return b.schema(kid.kids[i], at(b.other.keywordOf(other, key), i), inner) })
	case "allOf":
		in.closed, in.mine, in.demanded = true, b.withDeclared(n, in), b.withDemanded(n, in)
		made[key] = b.each(kid, func(i int) any { return b.schema(kid.kids[i], other, in) })
	case "anyOf", "oneOf":
		made[key] = b.each(kid, func(i int) any { return b.alternative(key, kid, i, n, other, in) })
	case "required":
		made[key] = b.required(kid, n, in)
	case "discriminator", "xml", "externalDocs", "example", "examples", "description", "title", "deprecated", "default", "$comment", "readOnly", "writeOnly":
	default:
		if !strings.HasPrefix(key, "x-") {
			made[key] = value(kid)
		}
	}
}

func (b *bundle) each(list *node, f func(i int) any) []any {
	all := []any{}
	for i := range list.kids {
		all = append(all, f(i))
	}
	return all
}

func at(list *node, i int) *node {
	if list == nil || list.kind != array || i >= len(list.kids) {
		return nil
	}
	return list.kids[i]
}

// property is a schema, unless the side that sends does not send it.
func (b *bundle) property(n, other *node, in scope) any {
	if !in.verbatim && b.hidden(n) {
		if b.sender {
			return b.doc.never()
		}
		return map[string]any{}
	}
	return b.schema(n, other, scope{verbatim: in.verbatim})
}

func (b *bundle) hidden(n *node) bool {
	if b.flow == contract.ToUs {
		return b.doc.says(n, "readOnly")
	}
	return b.doc.says(n, "writeOnly")
}

// required leaves out what is not sent this way.
func (b *bundle) required(list, n *node, in scope) any {
	declared := b.withDeclared(n, in)
	kept := []any{}
	for _, name := range list.kids {
		if p := declared[name.str()]; in.verbatim || p == nil || !b.hidden(p) {
			kept = append(kept, value(name))
		}
	}
	return kept
}

// alternative is a branch of anyOf or oneOf: it meets the branch of the other version that refers to the same, else the one at its place.
func (b *bundle) alternative(key string, list *node, i int, n, other *node, in scope) any {
	branch := list.kids[i]
	theirs := b.other.keywordOf(other, key)
	meets := other
	if theirs != nil && theirs.kind == array {
		meets = at(theirs, i)
		for _, one := range theirs.kids {
			if one.ref != "" && one.ref == branch.ref {
				meets = one
			}
		}
	}
	mine := b.doc.declared(n, false)
	maps.Copy(mine, in.mine)
	around := map[string]*node{}
	if meets != other {
		around = b.other.declared(other, false)
		maps.Copy(around, in.theirs)
	}
	return b.schema(branch, meets, scope{verbatim: in.verbatim, mine: mine, theirs: around, demanded: b.withDemanded(n, in)})
}

// value returns a node as a value of encoding/json, with numbers as they are written.
func value(n *node) any {
	switch n.kind {
	case array:
		all := make([]any, 0, len(n.kids))
		for _, kid := range n.kids {
			all = append(all, value(kid))
		}
		return all
	case object:
		all := make(map[string]any, len(n.kids))
		for i, kid := range n.kids {
			all[n.keys[i]] = value(kid)
		}
		return all
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(n.text))
	dec.UseNumber()
	_ = dec.Decode(&v) // it was JSON when it was read
	return v
}
