package openapi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

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
	c.spokenOf(op.name, at)
	if len(near) > 0 {
		near[0].Witness = witness
		near[0].Severity = contract.Break
		if len(near[0].Path) < len(r.path) && within(at, near[0].Path) { // it was about some media type
			place := c.finding(s, r, b.Path, near[0].Finding)
			near[0].Path, near[0].Old, near[0].New = at, place.Old, place.New
		}
		return
	}
	if c.repeated(op, at, b) {
		return
	}
	f := contract.Finding{Rule: ruleOf(r, b.Rule), Severity: contract.Break, Flow: r.flow, Text: b.Text, Witness: witness}
	if r.flow == contract.FromUs {
		f.Text = "the new version may " + verb(r) + " what the old one does not allow, seen from the old one: " + b.Text
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

// verb is what a version that sends does.
func verb(r side) string {
	if r.what == "request" {
		return "send"
	}
	return "answer"
}

func ruleOf(r side, rule string) string {
	if r.flow == contract.FromUs {
		rule = mirrored(rule)
	}
	return ruleIn(r, rule)
}

// ruleIn is a rule of a part of an operation.
func ruleIn(r side, rule string) string {
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
