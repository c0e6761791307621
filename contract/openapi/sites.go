package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// A site is what documents said about the schema of one part.
type site struct {
	safe      bool
	formats   bool // a format changed: no document shows it
	documents int
}

// compareOperation compares an operation part by part.
func (c *comparison) compareOperation(op *pairing) {
	if op.old == nil || op.new == nil {
		c.onlyOne(op)
		return
	}
	for _, path := range op.paths() {
		before, inOld := op.oldParts[path]
		after, inNew := op.newParts[path]
		switch {
		case !inOld || !inNew:
			c.absent(op, path)
			continue
		case before.schema != nil && after.schema != nil:
			c.compareSchemas(op, before, after)
			c.serialization(op, before, after)
		}
		c.demanded(op, before, after)
	}
	if own := [2]*node{ownServers(op.old), ownServers(op.new)}; own[0] != nil || own[1] != nil {
		c.compareServers(op, "servers", c.old.effective(op.old, "servers"), c.new.effective(op.new, "servers"))
	}
}

func ownServers(o *operation) *node {
	if n := o.node.get("servers"); n != nil {
		return n
	}
	return o.item.get("servers")
}

// compareSchemas asks whether each document that the sending version allows is allowed by the reading one.
func (c *comparison) compareSchemas(op *pairing, before, after part) {
	key := op.name + "\x00" + after.path
	if c.same(before.schema, after.schema) {
		c.sites[key] = site{safe: true}
		return
	}
	s, r := side{c.old, before, "old"}, side{c.new, after, "new"}
	if after.flow == contract.FromUs {
		s, r = r, s
	}
	sends, reads := bundled(s.doc, s.schema, r.doc, r.schema, after.flow, true), bundled(r.doc, r.schema, s.doc, s.schema, after.flow, false)
	if before.text {
		sends = textual(sends, reads)
	}
	if s.doc.dialect() == r.doc.dialect() && reflect.DeepEqual(sends, reads) {
		c.sites[key] = site{safe: true}
		c.prove(op.name, after.path, "rule: only annotations changed", 0)
		return
	}
	from, err := jsonschema.FromValue(sends, s.doc.dialect(), nil)
	if err != nil {
		c.gap(op.name, after.path, err.Error(), s.schema.place())
		return
	}
	to, err := jsonschema.FromValue(reads, r.doc.dialect(), nil)
	if err != nil {
		c.gap(op.name, after.path, err.Error(), r.schema.place())
		return
	}
	c.judge(op, s, r, c.compared(sends, reads, from, to))
}

// compared asks once for each pair of schemas: a shared one that changed stands in many operations.
func (c *comparison) compared(sends, reads any, from, to *jsonschema.Schema) jsonschema.Comparison {
	key, err := json.Marshal([]any{sends, reads})
	if found, ok := c.known[string(key)]; ok && err == nil {
		found.Documents = 0 // they were counted
		return found
	}
	found := jsonschema.Compare(from, to, c.opts)
	c.known[string(key)] = found
	return found
}

// A side is a part in one version.
type side struct {
	doc *document
	part
	version string
}

// judge turns what documents said into findings, gaps and proofs.
func (c *comparison) judge(op *pairing, s, r side, found jsonschema.Comparison) {
	path := r.path
	c.diff.Documents += found.Documents
	for _, gap := range found.Gaps {
		c.gap(op.name, join(path, gap.Path), gap.Why, s.schema.place())
	}
	for _, b := range found.Breaks {
		c.refuted(op, s, r, b)
	}
	for _, note := range found.Notes {
		if len(c.touching(op, path, func(f contract.Finding) bool { return strings.Contains(f.Rule, "type-") })) == 0 {
			c.add(op, join(path, note.Path), c.finding(s, r, note.Path, contract.Finding{Rule: r.what + "-" + note.Rule, Severity: contract.Risk, Flow: r.flow, Text: note.Text}))
		}
	}
	result := site{safe: len(found.Breaks)+len(found.Gaps) == 0, formats: len(found.Notes) > 0, documents: found.Documents}
	c.sites[op.name+"\x00"+path] = result
	for _, p := range found.Proofs {
		p.Contract, p.Subject, p.Path = c.opts.Contract, op.name, join(path, p.Path)
		c.diff.Proofs = append(c.diff.Proofs, p)
		c.spokenOf(p.Subject, p.Path)
	}
	if result.safe && len(found.Proofs) == 0 {
		by := "documents"
		if found.Documents == 0 {
			by = "rule: the schema of the sender is within the reader's"
		}
		c.prove(op.name, path, by, found.Documents)
	}
}

// refuted gives a break to the finding of oasdiff that says the same, or makes one of our own.
func (c *comparison) refuted(op *pairing, s, r side, b jsonschema.Break) {
	at := join(r.path, b.Path)
	witness := &contract.Witness{What: r.what, Encoding: "json", Document: b.Document, At: r.at, Media: r.media,
		Allowed: s.version, Refused: r.version, Reason: b.Reason}
	near := c.touching(op, r.path, func(f contract.Finding) bool {
		return f.Witness == nil && f.Severity != contract.Change && shown(f.Rule)
	})
	near = slices.DeleteFunc(near, func(made *claim) bool { return !fits(made, at, b.Rule) })
	slices.SortStableFunc(near, func(x, y *claim) int {
		return cmp.Or(cmp.Compare(distance(x.Path, at), distance(y.Path, at)), strings.Compare(x.Rule, y.Rule))
	})
	if len(near) > 0 {
		near[0].Witness = witness
		near[0].Severity = contract.Break
		return
	}
	if c.repeated(op, at, b) {
		return
	}
	f := contract.Finding{Rule: ruleOf(r, b.Rule), Severity: contract.Break, Flow: r.flow, Text: b.Text, Witness: witness}
	if r.flow == contract.FromUs {
		f.Text = "the new version may answer what the old one does not allow, seen from the old one: " + b.Text
	}
	c.add(op, at, c.finding(s, r, b.Path, f))
}

// repeated says whether a finding with a witness says the same already: oasdiff speaks of one removed value, documents of another.
func (c *comparison) repeated(op *pairing, at string, b jsonschema.Break) bool {
	for _, f := range c.touching(op, at, func(f contract.Finding) bool { return f.Severity == contract.Break && f.Witness != nil }) {
		if f.Path == at && akin(f.Rule, b.Rule) {
			return true
		}
	}
	return false
}

const far = 1 << 10

// distance says how far apart two paths are. A missing field is about the object or about the field; others are no neighbours.
func distance(path, other string) int {
	switch {
	case path == other:
		return 0
	case within(path, other), within(other, path):
		return max(len(path)-len(other), len(other)-len(path))
	}
	return far
}

// fits says whether a break may be what a finding speaks of: it is of the same kind, or at the same place and about more than one keyword.
func fits(made *claim, at, rule string) bool {
	d := distance(made.Path, at)
	if d == far {
		return false
	}
	if akin(made.Rule, rule) {
		return true
	}
	return d == 0 && composed.MatchString(made.Rule)
}

var composed = regexp.MustCompile(`-of-|-of$|wrapped|discriminator|type-|-if-|dependent|became-false`)

// akin says whether two rules are about the same keyword.
func akin(finding, rule string) bool {
	words := strings.Split(finding, "-")
	for _, word := range strings.Split(rule, "-") {
		switch word {
		case "required":
			if slices.Contains(words, "optional") {
				return true
			}
		case "type", "enum", "const":
			if slices.Contains(words, "nullable") {
				return true
			}
		case "minimum", "maximum":
			word = word[:3]
		case "property", "value", "narrowed", "removed", "added", "raised", "lowered", "closed", "of":
			continue
		}
		if slices.Contains(words, word) {
			return true
		}
	}
	return false
}

// mirrored names a rule of what one side sends and the other reads by what it means from the old version to the new.
func mirrored(rule string) string {
	for _, words := range [][2]string{{"-narrowed", "-widened"}, {"-widened", "-narrowed"}, {"-closed", "-opened"}, {"-removed", "-added"}, {"-added", "-removed"},
		{"-required", "-optional"}, {"-raised", "-lowered"}, {"-lowered", "-raised"}, {"-forbidden", "-allowed"}} {
		if before, ok := strings.CutSuffix(rule, words[0]); ok {
			return before + words[1]
		}
	}
	return rule
}

func ruleOf(r side, rule string) string {
	if r.flow == contract.FromUs {
		rule = mirrored(rule)
	}
	switch {
	case strings.Contains(r.path, ".header.") && r.what == "response":
		return "response-header-" + rule
	case r.what == "request" && !within(r.path, "request.body"):
		return "request-parameter-" + rule
	}
	return r.what + "-body-" + rule
}

// finding fills in where a property of the part stands.
func (c *comparison) finding(s, r side, property string, f contract.Finding) contract.Finding {
	if s.version == "new" {
		s, r = r, s
	}
	f.Old = nearest(s.doc.dotted(s.schema, property), nearest(s.schema, s.node.place()))
	f.New = nearest(r.doc.dotted(r.schema, property), nearest(r.schema, r.node.place()))
	return f
}

// dotted goes down a path as findings write it, as far as it leads.
func (d *document) dotted(schema *node, path string) *node {
	n := schema
	for _, name := range strings.Split(strings.ReplaceAll(path, "[]", ".[]"), ".") {
		next := n
		if name == "[]" {
			next = d.keywordOf(n, "items")
		} else if name != "" {
			next = d.member(n, name)
		}
		if next == nil {
			break
		}
		n = next
	}
	return n
}

// touching returns oasdiff's findings about a part that fit.
func (c *comparison) touching(op *pairing, path string, fits func(contract.Finding) bool) []*claim {
	var all []*claim
	for _, made := range c.bySubjects[op.name] {
		if !fits(made.Finding) {
			continue
		}
		if slices.ContainsFunc(made.parts, func(p string) bool { return within(path, p) || within(p, path) }) {
			all = append(all, made)
		}
	}
	return all
}

var decided = regexp.MustCompile(`type-|-enum|one-of|any-of|all-of|-min|-max|pattern|nullable|const|contains|unique-items|multiple-of|` +
	`property-names|dependent|-if-|-then-|-else-|prefix-items|unevaluated|schema-became|became-required|became-optional|new-required-request-property|required-property-removed|additional-properties`)

var undecided = regexp.MustCompile(`x-extensible|read-only|write-only|default-value|discriminator|stability|deprecat|sunset|media-type|` +
	`request-body-became|request-parameter-became-required|request-parameter-became-optional|request-body-became-required|header-became-optional|new-required-request-parameter`)

// decidable says whether documents decide about a rule: it speaks of what a schema allows, and of nothing that is understood beyond it.
func decidable(rule string) bool {
	if strings.Contains(rule, "request-body-became-not-nullable") || strings.Contains(rule, "request-body-became-enum") {
		return true
	}
	return decided.MatchString(rule) && !undecided.MatchString(rule)
}

// decides says whether documents decide about a claim. A field that only moved within a composition was not removed.
func (c *comparison) decides(made *claim) bool {
	return decidable(made.Rule) || made.still && strings.HasSuffix(made.Rule, "-property-removed")
}

// shown says whether a document can be the witness of a rule.
func shown(rule string) bool { return decidable(rule) || strings.Contains(rule, "discriminator") }

// settle replaces what oasdiff holds for a break by a proof, where documents of all parts it speaks of showed that it is none.
func (c *comparison) settle() {
	c.claims = slices.DeleteFunc(c.claims, func(made *claim) bool {
		documents, safe := c.provenSafe(made)
		if safe {
			c.prove(made.Subject, made.Path, fmt.Sprintf("oasdiff %s, proven safe", made.Rule), documents)
		}
		return safe
	})
}

func (c *comparison) provenSafe(made *claim) (documents int, safe bool) {
	op := c.bySubject(made.Subject)
	if !made.library || made.Severity == contract.Change || op == nil || !c.decides(made) || len(made.parts) == 0 {
		return 0, false
	}
	seen := 0
	for _, p := range op.paths() {
		touched := slices.ContainsFunc(made.parts, func(about string) bool { return within(p, about) })
		one, _ := op.either(p)
		if !touched || one.schema == nil {
			continue
		}
		s, ok := c.sites[op.name+"\x00"+p]
		if !ok || !s.safe || s.formats && strings.Contains(made.Rule, "type-") {
			return 0, false
		}
		seen++
		documents += s.documents
	}
	return documents, seen > 0
}

func (c *comparison) bySubject(subject string) *pairing {
	method, path, _ := strings.Cut(subject, " ")
	return c.byKey[operationKey(method, path)]
}
