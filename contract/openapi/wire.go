package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// serialization compares how a parameter or header is written on the wire.
func (c *comparison) serialization(op *pairing, before, after part) {
	if before.at == "" || after.at == "" {
		return
	}
	x, y := wireForm(c.old, before), wireForm(c.new, after)
	at := contract.Finding{Rule: after.what + "-parameter-serialization-changed", Severity: contract.Break, Flow: after.flow, Old: before.node.place(), New: after.node.place()}
	if strings.Contains(after.path, ".header.") && after.what == "response" {
		at.Rule = "response-header-serialization-changed"
	}
	if x != y {
		f := at
		f.Text = fmt.Sprintf("the value is written as %s and no longer as %s: the other side splits it in another way", y, x)
		f.Try = "add a parameter with the new form, and keep this one"
		c.add(op, after.path, f)
	}
	for _, key := range []string{"allowReserved", "allowEmptyValue"} {
		was, is := before.node.get(key).isTrue(), after.node.get(key).isTrue()
		if was == is {
			continue
		}
		f := at
		f.Severity, f.Text = contract.Change, key+" is now "+fmt.Sprint(is)
		if was == (after.flow == contract.ToUs) {
			f.Severity, f.Text = contract.Risk, key+" is now "+fmt.Sprint(is)+": the other side may rely on what it was"
		}
		c.add(op, after.path, f)
	}
}

// wireForm returns what decides how the value is written: of a single value that is little.
func wireForm(d *document, p part) string {
	if !p.text {
		return plainMedia(p.media)
	}
	in, _, _ := strings.Cut(p.at, " ")
	style, explode := "simple", false
	if in == "query" || in == "cookie" {
		style, explode = "form", true
	}
	if s := p.node.get("style").str(); s != "" {
		style, explode = s, s == "form"
	}
	if e := p.node.get("explode"); e != nil {
		explode = e.isTrue()
	}
	switch {
	case style == "deepObject":
		return style // whatever explode says
	case d.structured(p.schema):
		return fmt.Sprintf("%s, explode %t", style, explode)
	}
	return style
}

// structured says whether a schema speaks of lists or objects.
func (d *document) structured(schema *node) bool {
	if d.keywordOf(schema, "items") != nil || d.keywordOf(schema, "prefixItems") != nil || d.keywordOf(schema, "additionalProperties") != nil || len(d.declared(schema, true)) > 0 {
		return true
	}
	t := d.keywordOf(schema, "type")
	return t.str() == "object" || t.str() == "array" || t != nil && slices.ContainsFunc(t.kids, func(one *node) bool { return one.str() == "object" || one.str() == "array" })
}

// compareEncoding compares how the fields of a form are written.
func (c *comparison) compareEncoding(op *pairing, before, after part) {
	x, y := before.node.get("encoding"), after.node.get("encoding")
	if before.at != "" || c.same(x, y) {
		return
	}
	if !strings.HasPrefix(after.media, "multipart/") && !strings.HasSuffix(plainMedia(after.media), "x-www-form-urlencoded") {
		c.prove(op.name, after.path, "rule: encoding means nothing for this media type", 0)
		return
	}
	names := c.old.declared(before.schema, true)
	for name := range c.new.declared(after.schema, true) {
		if _, ok := names[name]; !ok {
			delete(names, name) // a field that only one version has is judged by its schema
		}
	}
	safe := true
	for _, name := range sortedKeys(names) {
		was, is := c.encoded(c.old, before, name), c.encoded(c.new, after, name)
		if was != is {
			safe = false
			c.add(op, join(after.path, name), contract.Finding{Rule: after.what + "-body-encoding-changed", Severity: contract.Break, Flow: after.flow,
				Text: fmt.Sprintf("the field is written as %s and no longer as %s", is, was), Old: nearer(x.get(name).place(), before.node.place()), New: nearer(y.get(name).place(), after.node.place())})
		}
	}
	if safe {
		c.prove(op.name, after.path, "rule: each field is written as it was", 0)
	}
}

// encoded returns how a field of a form is written, with what holds where nothing is said.
func (c *comparison) encoded(d *document, p part, name string) string {
	n := p.node.get("encoding").get(name)
	schema := d.member(p.schema, name)
	if !strings.HasPrefix(plainMedia(p.media), "multipart/") && (n.get("contentType") == nil || n.get("style") != nil) {
		like := part{at: "query", text: true, schema: schema, node: n}
		if n == nil {
			like.node = anything(p.node)
		}
		return wireForm(d, like) + " " + fmt.Sprint(n.get("allowReserved").isTrue())
	}
	content := n.get("contentType").str()
	if content == "" {
		content = d.fieldMedia(schema, 3)
	}
	form := []string{plainMedia(content)}
	for _, key := range []string{"style", "explode", "allowReserved"} {
		if v := n.get(key); v != nil {
			form = append(form, key+" "+v.text)
		}
	}
	if headers := n.get("headers"); headers != nil {
		for _, h := range sortedKeys(asMap(headers)) {
			form = append(form, "header "+strings.ToLower(h)+" "+string(headers.get(h).appendJSON(nil, func(ref string) string { return ref })))
		}
	}
	return strings.Join(form, ", ")
}

// fieldMedia is the media type that a field of a form has where none is named.
func (d *document) fieldMedia(schema *node, depth int) string {
	switch t := d.keywordOf(schema, "type").str(); {
	case d.keywordOf(schema, "contentMediaType") != nil:
		return d.keywordOf(schema, "contentMediaType").str()
	case t == "object" || t == "" && len(d.declared(schema, true)) > 0:
		return "application/json"
	case t == "array" && depth > 0:
		return d.fieldMedia(d.keywordOf(schema, "items"), depth-1)
	case t == "string" && d.keywordOf(schema, "format").str() == "binary", t == "":
		return "application/octet-stream"
	}
	return "text/plain"
}

func asMap(n *node) map[string]*node {
	all := map[string]*node{}
	for i, key := range n.keys {
		all[key] = n.kids[i]
	}
	return all
}

// compareLinks compares where an answer leads.
func (c *comparison) compareLinks(op *pairing, before, after part) {
	x, y := before.node.get("links"), after.node.get("links")
	if before.what != "response" || before.media != "" || before.at != "" || c.same(x, y) {
		return
	}
	said := func(name, rule string, severity contract.Severity, text string) {
		c.add(op, after.path+".link."+name, contract.Finding{Rule: rule, Severity: severity, Flow: after.flow, Text: text,
			Old: nearer(x.get(name).place(), before.node.place()), New: nearer(y.get(name).place(), after.node.place())})
	}
	all := map[string]*node{}
	for _, n := range []*node{x, y} {
		if n != nil {
			for key, kid := range asMap(n) {
				all[key] = kid
			}
		}
	}
	for _, name := range sortedKeys(all) {
		was, is := c.old.deref(x.get(name)), c.new.deref(y.get(name))
		switch {
		case was == nil:
			said(name, "response-link-added", contract.Change, "the link was added")
		case is == nil:
			said(name, "response-link-removed", contract.Risk, "the link was removed: harms callers that follow it")
		case !c.sameMeaning(was, is):
			said(name, "response-link-changed", contract.Risk, "the link leads elsewhere, or with other values: harms callers that follow it")
		}
	}
	if !c.spoken(op, after.path) {
		c.prove(op.name, after.path, "rule: only annotations changed", 0)
	}
}
