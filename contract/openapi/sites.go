package openapi

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// A site is what documents said about the schema of one part.
type site struct {
	s, r      side // that were compared; without a document they are the same
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
	c.compareSecurity(op)
	for _, path := range op.paths() {
		before, inOld := op.oldParts[path]
		after, inNew := op.newParts[path]
		if !inOld || !inNew {
			c.onlyThere(op, path)
			continue
		}
		c.comparePart(op, before, after)
		c.stays(op, path)
		c.demanded(op, before, after)
		c.compareLinks(op, before, after)
	}
	c.uncovered(op)
	if ownServers(op.old) != nil || ownServers(op.new) != nil {
		c.compareServers(op, "servers", c.old.servers(op.old), c.new.servers(op.new))
	}
}

func (c *comparison) comparePart(op *pairing, before, after part) {
	if before.schema == nil || after.schema == nil {
		return
	}
	if before.at != "" && wireForm(c.old, before) != wireForm(c.new, after) && (before.text != after.text || c.old.structured(before.schema) != c.new.structured(after.schema)) {
		c.serialization(op, before, after) // what is split otherwise has no document in common
		return
	}
	c.compareSchemas(op, before, after)
	c.serialization(op, before, after)
	c.compareEncoding(op, before, after)
	c.compareXML(op, before, after)
}

// compareSchemas asks whether each document that the sending version allows is allowed by the reading one.
func (c *comparison) compareSchemas(op *pairing, before, after part) {
	key := op.name + "\x00" + after.path
	if c.old.version == c.new.version && c.same(before.schema, after.schema) {
		c.sites[key] = site{safe: true}
		return
	}
	s, r := side{c.old, before, "old"}, side{c.new, after, "new"}
	if after.flow == contract.FromUs {
		s, r = r, s
	}
	sends, reads := facing(s, r)
	if s.doc.dialect() == r.doc.dialect() && reflect.DeepEqual(sends, reads) {
		c.sites[key] = site{safe: true}
		c.prove(op.name, after.path, "rule: only annotations changed", 0)
		return
	}
	if before.text {
		sends = sendable(sends)
	}
	found, at, err := c.compared(s, r, sends, reads)
	if err != nil {
		c.gap(op.name, after.path, err.Error(), at)
		return
	}
	c.judge(op, s, r, found)
}

// An answer is what documents say of two schemas.
type answer struct {
	jsonschema.Comparison
	nothing bool // the sender's schema allows no document at all, so whatever reads it reads all of them
}

// compared asks once for each pair of schemas: a shared one that changed stands in many operations. It returns where the schema stands
// that cannot be read.
func (c *comparison) compared(s, r side, sends, reads any) (found answer, at contract.Place, err error) {
	key, err := json.Marshal([]any{sends, reads})
	if err != nil {
		return found, s.schema.place(), err
	}
	found, known := c.known[string(key)]
	if known {
		found.Documents = 0 // they were counted
		return found, at, nil
	}
	from, err := jsonschema.FromValue(sends, s.doc.dialect(), nil)
	if err != nil {
		return found, s.schema.place(), err
	}
	to, err := jsonschema.FromValue(reads, r.doc.dialect(), nil)
	if err != nil {
		return found, r.schema.place(), err
	}
	found = answer{jsonschema.Compare(from, to, c.opts), from.AllowsNothing()}
	c.known[string(key)] = found
	return found, at, nil
}

// A side is a part in one version.
type side struct {
	doc *document
	part
	version string
}

// judge turns what documents said into findings, gaps and proofs.
func (c *comparison) judge(op *pairing, s, r side, found answer) {
	path := r.path
	if found.nothing && (s.at == "" || s.required()) {
		found.Gaps = append(found.Gaps, contract.Gap{Why: "no document at all fits the " + s.version + " version: what is sent in spite of that cannot be told"})
	}
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
	result := site{safe: len(found.Breaks)+len(found.Gaps) == 0, formats: len(found.Notes) > 0, documents: found.Documents, s: s, r: r}
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

// facing returns the schemas of one that sends and one that reads, as they meet.
func facing(s, r side) (sends, reads any) {
	sends, reads = bundled(s.doc, s.schema, r.doc, r.schema, r.flow, true), bundled(r.doc, r.schema, s.doc, s.schema, r.flow, false)
	if s.text {
		sends = textual(sends, reads)
	}
	return sends, reads
}
