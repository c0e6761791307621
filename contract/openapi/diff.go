package openapi

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// Diff compares two versions of an interface in OpenAPI 3.0 or 3.1. It returns an error where one cannot be read.
// It is safe for concurrent use, reads through the sources alone, and is deterministic for a seed.
func Diff(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
	result := contract.Diff{Contract: opts.Contract, Kind: contract.OpenAPI, Old: old.Name, New: new.Name, Seed: opts.Seed}
	before, err := read(old, opts)
	if err != nil {
		return result, err
	}
	after, err := read(new, opts)
	if err != nil {
		return result, err
	}
	c := &comparison{pair: newPair(before, after), opts: opts, byKey: map[string]*pairing{}, byName: map[string]*pairing{}, letIn: map[string]bool{}, sites: map[string]site{}, diff: &result,
		known: map[string]answer{}, bySubjects: map[string][]*claim{}, said: map[string][]string{}}
	if err := c.run(ctx); err != nil {
		return result, err
	}
	result.Sort()
	return result, nil
}

// A comparison is one Diff under way.
type comparison struct {
	*pair
	opts    contract.Options
	byKey   map[string]*pairing
	byName  map[string]*pairing
	claims  []*claim
	letIn   map[string]bool // operations whose security changed, and who was let in still is
	shutOut bool            // for some, not
	sites   map[string]site // by subject and path: what documents said
	diff    *contract.Diff

	known      map[string]answer
	bySubjects map[string][]*claim
	said       map[string][]string // paths that a proof or a gap is about, by subject
}

// A pairing is an operation in both versions. One that only one version has has no parts in the other.
type pairing struct {
	name               string
	old, new           *operation // nil: the version has none
	oldNode, newNode   *node
	oldParts, newParts map[string]part
}

func (op *pairing) subject() string { return op.name }

// either returns a part of the new version, or else of the old.
func (op *pairing) either(path string) (part, bool) {
	if p, ok := op.newParts[path]; ok {
		return p, true
	}
	p, ok := op.oldParts[path]
	return p, ok
}

// paths returns the parts of both versions in order.
func (op *pairing) paths() []string {
	all := maps.Clone(op.oldParts)
	if all == nil {
		all = map[string]part{}
	}
	maps.Copy(all, op.newParts)
	return slices.Sorted(maps.Keys(all))
}

// under returns the parts at or below a path.
func (op *pairing) under(path string) []part {
	var all []part
	for _, name := range op.paths() {
		if within(name, path) {
			p, _ := op.either(name)
			all = append(all, p)
		}
	}
	return all
}

// within says whether a path is another or lies below it.
func within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && (rest == "" || above == "" || rest[0] == '.' || rest[0] == '[')
}

func (c *comparison) run(ctx context.Context) error {
	changed := c.match()
	if len(changed) > 0 || !c.sameRest() {
		changes, err := c.libraryChanges(ctx, changed)
		if err != nil {
			return err
		}
		for _, change := range changes {
			if made, ok := c.translate(change); ok {
				c.claim(&made)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(changed)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.compareOperation(c.byKey[key])
	}
	c.shadowed()
	c.compareRest()
	c.settle()
	for _, key := range slices.Sorted(maps.Keys(changed)) {
		c.harmless(c.byKey[key])
		c.cover(c.byKey[key])
	}
	for _, made := range c.claims {
		c.diff.Findings = append(c.diff.Findings, made.Finding)
	}
	c.dedupe()
	return nil
}

// match pairs the operations, and returns those that are not the same.
func (c *comparison) match() map[string]bool {
	changed := map[string]bool{}
	pairOf := func(o *operation) *pairing {
		if c.byKey[o.key] == nil {
			c.byKey[o.key] = &pairing{}
		}
		return c.byKey[o.key]
	}
	for _, o := range c.old.operations() {
		op := pairOf(o)
		op.name, op.old, op.oldNode = o.subject(), o, o.node
	}
	for _, o := range c.new.operations() {
		op := pairOf(o)
		op.name, op.new, op.newNode = o.subject(), o, o.node
	}
	for _, key := range slices.Sorted(maps.Keys(c.byKey)) {
		op := c.byKey[key]
		if op.old != nil && op.new != nil && c.sameOperation(op.old, op.new) {
			c.prove(op.name, "", "same", 0)
			continue
		}
		changed[key] = true
		c.byName[op.name] = op
		if op.old != nil {
			op.oldParts = c.old.parts(op.old)
		}
		if op.new != nil {
			op.newParts = c.new.parts(op.new)
		}
		c.renamed(op)
	}
	return changed
}

func (c *comparison) prove(subject, path, by string, documents int) {
	c.diff.Proofs = append(c.diff.Proofs, contract.Proof{Contract: c.opts.Contract, Subject: subject, Path: path, By: by, Documents: documents})
	c.spokenOf(subject, path)
}

func (c *comparison) gap(subject, path, why string, at contract.Place) {
	c.diff.Gaps = append(c.diff.Gaps, contract.Gap{Contract: c.opts.Contract, Subject: subject, Path: path, Why: why, At: at})
	c.spokenOf(subject, path)
}

// add makes a finding of our own.
func (c *comparison) add(op *pairing, path string, f contract.Finding) *claim {
	f.Kind, f.Contract, f.Path = contract.OpenAPI, c.opts.Contract, path
	if op != nil {
		f.Subject = op.name
		f.Old, f.New = nearer(f.Old, op.oldNode.place()), nearer(f.New, op.newNode.place())
	}
	made := &claim{Finding: f, parts: []string{path}}
	c.claim(made)
	return made
}

func (c *comparison) claim(made *claim) {
	c.claims = append(c.claims, made)
	c.bySubjects[made.Subject] = append(c.bySubjects[made.Subject], made)
}

func (c *comparison) spokenOf(subject, path string) { c.said[subject] = append(c.said[subject], path) }

func nearer(p, other contract.Place) contract.Place {
	if p.Line == 0 {
		return other
	}
	return p
}

// dedupe drops what is said twice in the same words: a rule of oasdiff speaks once for each place where a shared schema is used.
func (c *comparison) dedupe() {
	seen := map[string]bool{}
	c.diff.Findings = slices.DeleteFunc(c.diff.Findings, func(f contract.Finding) bool {
		key := strings.Join([]string{f.Rule, f.Subject, f.Path, f.Text}, "\x00")
		again := seen[key]
		seen[key] = true
		return again
	})
}

// sameRest says whether what stands outside of operations is the same.
func (c *comparison) sameRest() bool {
	for _, key := range []string{"security", "servers", "tags"} {
		if !c.same(c.old.root.get(key), c.new.root.get(key)) {
			return false
		}
	}
	x, y := c.old.root.get("components"), c.new.root.get("components")
	return equal(x, y)
}

// compareRest judges servers, and what says how schemas are to be read.
func (c *comparison) compareRest() {
	c.compareServers(nil, "servers", c.old.root.get("servers"), c.new.root.get("servers"))
	c.compareComponents()
	for _, d := range []*document{c.old, c.new} {
		if n := d.root.get("jsonSchemaDialect"); n != nil && !knownDialect(n.str()) {
			c.gap("schemas", "", fmt.Sprintf("the dialect %s is not known: schemas were read as JSON Schema 2020-12", n.str()), n.at)
		}
	}
	if len(c.byKey) == 0 && len(c.claims) == 0 && len(c.diff.Gaps) == 0 {
		c.gap("paths", "", "neither version has an operation: nothing was compared", c.new.root.at)
	}
}

func knownDialect(uri string) bool {
	return strings.HasPrefix(uri, "https://spec.openapis.org/oas/3.1/dialect/") || uri == "https://json-schema.org/draft/2020-12/schema"
}
