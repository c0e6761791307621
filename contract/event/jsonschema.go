package event

import (
	"context"
	"path"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// A jsonVersion is a version of a JSON Schema, and where it stands.
type jsonVersion struct {
	schema *jsonschema.Schema
	loader *loader
	at     loc
}

// jsonDirection holds documents that one version's schema allows against the other's.
func jsonDirection(old, new jsonVersion, sub subject) part {
	w, r := old, new
	if sub.flow == contract.FromUs {
		w, r = new, old
	}
	said := jsonschema.Compare(w.schema, r.schema, sub.opts)
	p := part{documents: said.Documents}
	if w.schema.AllowsNothing() {
		writer, _ := sub.versions()
		p.gaps = append(p.gaps, sub.gap("", w.at.place(), "no document at all fits the %s version: what is written in spite of that cannot be told", writer))
	}
	for _, b := range said.Breaks {
		p.findings = append(p.findings, sub.jsonBreak(b, w, r))
	}
	for _, n := range said.Notes {
		f := sub.finding("json-"+n.Rule, contract.Risk, n.Path, n.Text, "")
		f.Old, f.New = sub.places(n.From, n.To)
		p.findings = append(p.findings, f)
	}
	for _, g := range said.Gaps {
		g.Contract, g.Subject, g.Path = sub.opts.Contract, sub.name, sub.at(g.Path)
		p.gaps = append(p.gaps, g)
	}
	for _, proof := range said.Proofs {
		proof.Contract, proof.Subject, proof.Path = sub.opts.Contract, sub.name, sub.at(proof.Path)
		p.proofs = append(p.proofs, proof)
	}
	return p
}

// places turns where writer and reader have something into where the old version and the new have it.
func (s subject) places(writer, reader contract.Place) (old, new contract.Place) {
	if s.flow == contract.FromUs {
		return reader, writer
	}
	return writer, reader
}

// jsonBreak reports a break. It is a risk only where the document that shows it has a property that the reader's schema names and
// the writer's does not: that schema allows it by saying nothing, and did not promise it.
func (s subject) jsonBreak(b jsonschema.Break, w, r jsonVersion) contract.Finding {
	f := s.finding("json-"+b.Rule, contract.Break, b.Path, b.Text, "")
	writer, reader := s.versions()
	if !w.names(b.Path, false) && r.names(b.Path, true) && holds(b.Document, b.Path) {
		f.Severity = contract.Risk
		f.Text += "; the " + writer + " version allows it by not naming it"
		f.Try = "see that no writer has a property of this name that means something else"
	}
	f.Old, f.New = s.places(b.From, b.To)
	f.Witness = &contract.Witness{What: "event", Encoding: "json", Document: b.Document, Allowed: writer, Refused: reader, Reason: b.Reason}
	return f
}

func elements(path string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(path, "[]", ".[]"), func(r rune) bool { return r == '.' })
}

// holds says whether a document has a value at a path.
func holds(document, path string) bool {
	tree, err := parseTree("document.json", []byte(document))
	if err != nil {
		return false
	}
	at := []*node{tree}
	for _, name := range elements(path) {
		var next []*node
		for _, n := range at {
			if v := n.get(name); v != nil {
				next = append(next, v)
			} else if name == "[]" {
				next = append(next, n.items...)
			}
		}
		at = next
	}
	return len(at) > 0
}

// names says whether the schema names each property on a path such as "items[].qty". One that is not strict also does so by
// saying expressly what properties that it does not name are.
func (v jsonVersion) names(path string, strict bool) bool {
	at := []loc{v.at}
	for _, name := range elements(path) {
		var next []loc
		for _, x := range v.branches(at) {
			next = append(next, property(x, name, strict)...)
		}
		if len(next) == 0 {
			return false
		}
		at = next
	}
	return true
}

// property returns the schemas of a property, or of the items of a list.
func property(x loc, name string, strict bool) []loc {
	keys := []loc{x.key("properties").key(name)}
	if patterns := x.key("patternProperties"); patterns.n != nil {
		for _, m := range patterns.n.members {
			keys = append(keys, patterns.key(m.name))
		}
	}
	if !strict {
		keys = append(keys, x.key("additionalProperties"), x.key("unevaluatedProperties"))
	}
	if name == "[]" {
		keys = []loc{x.key("items"), x.key("additionalItems"), x.key("prefixItems"), x.key("contains")}
	}
	var all []loc
	for _, k := range keys {
		if k.n != nil {
			all = append(all, k)
		}
	}
	return all
}

// branches returns schemas with references followed, and with all that they are composed of.
func (v jsonVersion) branches(from []loc) []loc {
	var all []loc
	seen := map[*node]bool{}
	for len(from) > 0 && len(all) < contract.MaxDepth {
		x, err := v.loader.follow(from[0])
		from = from[1:]
		if err != nil || x.n == nil || seen[x.n] {
			continue
		}
		seen[x.n] = true
		if x.n.kind == isList { // items of draft 4 to 7
			for i := range x.n.items {
				from = append(from, x.item(i))
			}
			continue
		}
		all = append(all, x)
		for _, key := range []string{"allOf", "anyOf", "oneOf", "if", "then", "else"} {
			if part := x.key(key); part.n != nil {
				from = append(from, part)
			}
		}
	}
	return all
}

type jsonRegistry struct {
	newest jsonVersion
	opts   contract.Options
}

func readJSONSchema(src contract.Source, opts contract.Options) (jsonVersion, error) {
	tree, err := readTree(src)
	if err != nil {
		return jsonVersion{}, err
	}
	file := path.Clean(src.Path)
	schema, err := jsonschema.Parse(src, file, "", jsonschema.Draft7, opts)
	l := &loader{src: src, opts: opts, files: map[string]*node{file: tree}}
	return jsonVersion{schema: schema, loader: l, at: loc{n: tree, file: file}}, err
}

func (j *jsonRegistry) kind() contract.Kind { return contract.JSONSchema }

func (j *jsonRegistry) name() string {
	title := j.newest.at.n.get("title")
	if title == nil || title.text == "" {
		return j.newest.at.file
	}
	return title.text
}

func (j *jsonRegistry) against(ctx context.Context, src contract.Source, mode Mode, last bool) (part, error) {
	old, err := readJSONSchema(src, j.opts)
	if err != nil {
		return part{}, err
	}
	sub := subject{kind: contract.JSONSchema, opts: j.opts}
	var p part
	for _, flow := range mode.flows() {
		if err := ctx.Err(); err != nil {
			return part{}, err
		}
		sub.flow, sub.name = flow, directed(j.name(), flow)
		p.add(jsonDirection(old, j.newest, sub))
	}
	if last && old.at.n.json() != j.newest.at.n.json() {
		sub.flow, sub.name = "", j.name()
		f := sub.finding("json-schema-changed", contract.Change, "", "the schema is another", "")
		f.Old, f.New = old.at.place(), j.newest.at.place()
		p.findings = append(append(p.findings, f), jsonFields(old, j.newest, sub, p.findings)...)
	}
	return p, nil
}
