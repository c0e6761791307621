package jsonschema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/assay-dev/assay/contract"
)

// ruleSubset is what a proof says that rests on rules.
const ruleSubset = "rule: each keyword allows what it allowed"

// Compare says whether each document that from allows is allowed by to. It is deterministic for a seed.
func Compare(from, to *Schema, opts contract.Options) Comparison {
	c := &comparer{from: from, to: to, opts: opts}
	c.notes()
	switch {
	case from.canon == to.canon:
		c.proof("", "same", 0)
	case c.blind():
	default:
		c.compare()
	}
	return c.out
}

// A comparer is one comparison on its way.
type comparer struct {
	from, to *Schema
	opts     contract.Options
	out      Comparison
	cover    *coverage
}

func (c *comparer) proof(path, by string, documents int) {
	c.out.Proofs = append(c.out.Proofs, contract.Proof{Contract: c.opts.Contract, Path: path, By: by, Documents: documents})
}

func (c *comparer) gap(path, why string, at contract.Place) {
	c.out.Gaps = append(c.out.Gaps, contract.Gap{Contract: c.opts.Contract, Path: path, Why: why, At: at})
}

// blind reports whether either schema has what cannot be decided, and says so.
func (c *comparer) blind() bool {
	for _, b := range slices.Concat(c.from.bundle.blind, c.to.bundle.blind) {
		c.gap("", b.why, b.node.at)
	}
	return len(c.out.Gaps) > 0
}

func (c *comparer) compare() {
	p := newProver(c.from, c.to)
	proven := p.subset(conj{c.from.root}, nil, c.to.root, "")
	for _, path := range distinctPaths(p.shown) {
		if path != "" || proven {
			c.proof(path, ruleSubset, 0)
		}
	}
	if proven {
		if len(c.out.Proofs) == 0 {
			c.proof("", ruleSubset, 0)
		}
		return
	}
	c.documents()
	c.settle(p.owed)
}

func distinctPaths(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// documents tries documents, and notes breaks and what was reached.
func (c *comparer) documents() {
	g := newGenerator(c.from, c.to, c.opts.Seed)
	list := g.values(conj{c.from.root}, conj{c.to.root}, 0)
	c.cover = newCoverage(c.from, c.to)
	limit := cmp.Or(c.opts.Documents, contract.DefaultDocuments)
	found := map[string]bool{}
	for _, candidate := range list[:min(len(list), max(limit, maxCandidates))] {
		c.out.Documents++
		c.cover.visit(c.from.root, candidate.value, true)
		c.cover.visit(c.to.root, candidate.value, false)
		if candidate.refused {
			c.witness(candidate.value, found)
		}
	}
	slices.SortStableFunc(c.out.Breaks, func(a, b Break) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule)) })
}

// witness makes a break of a document, unless one like it was found.
func (c *comparer) witness(v any, found map[string]bool) {
	refusal, unknown := c.to.judge(c.to.root, v)
	if refusal == nil || unknown != "" {
		return
	}
	leaf := leafOf(refusal)
	key := c.rule(leaf, v) + " " + pathOf(leaf, v) + " " + leaf.SchemaURL
	if found[key] {
		return
	}
	found[key] = true
	v = minimise(v, func(v any) bool { return c.still(v, key) })
	refusal, _ = c.to.judge(c.to.root, v)
	c.add(leafOf(refusal), refusal, v)
}

// still reports whether a smaller document is a witness of the same break.
func (c *comparer) still(v any, key string) bool {
	if refusal, unknown := c.from.judge(c.from.root, v); refusal != nil || unknown != "" {
		return false
	}
	refusal, unknown := c.to.judge(c.to.root, v)
	if refusal == nil || unknown != "" {
		return false
	}
	leaf := leafOf(refusal)
	return key == c.rule(leaf, v)+" "+pathOf(leaf, v)+" "+leaf.SchemaURL
}

func (c *comparer) add(leaf, refusal *validator.ValidationError, v any) {
	rule := c.rule(leaf, v)
	to := c.to.placeOf(leaf)
	c.out.Breaks = append(c.out.Breaks, Break{
		Rule: rule, Path: pathOf(leaf, v), Text: explain(rule) + ": " + wording(leaf),
		From: c.from.nearest(v, leaf), To: to, Document: encode(v), Reason: reason(refusal),
	})
}

// rule names a refusal. A property that from names, and to does not, was removed.
func (c *comparer) rule(leaf *validator.ValidationError, v any) string {
	rule := ruleOf(leaf)
	if k, ok := leaf.ErrorKind.(*kind.AdditionalProperties); ok {
		for _, s := range c.from.judging(v, leaf.InstanceLocation) {
			if s.Properties[slices.Min(k.Properties)] != nil {
				return "property-removed"
			}
		}
	}
	return rule
}

// settle makes of each obligation a break that was found, a proof or a gap.
func (c *comparer) settle(owed []obligation) {
	for _, o := range owed {
		if c.broken(o) {
			continue
		}
		if m := c.cover.missing(o); m != nil {
			at := c.to.place(m)
			if at.Line == 0 {
				at = c.from.place(m)
			}
			c.gap(o.path, fmt.Sprintf("%s is neither proven nor refuted: no document that reaches %s was found among %d", o.keyword, c.name(m), c.out.Documents), at)
			continue
		}
		if subtle(o.keyword) {
			c.gap(o.path, fmt.Sprintf("%s is neither proven nor refuted: %d documents found no difference, which of this keyword is no proof", o.keyword, c.out.Documents), c.to.place(o.to))
			continue
		}
		c.proof(o.path, "documents", c.out.Documents)
		last := &c.out.Proofs[len(c.out.Proofs)-1]
		last.Nodes = needed(o) // and none is missing
		last.Reached = last.Nodes
	}
	if len(c.out.Breaks)+len(c.out.Gaps)+len(c.out.Proofs) == 0 {
		c.gap("", "nothing could be compared", c.to.start.at)
	}
}

func (c *comparer) name(m *part) string {
	_, pointer, _ := strings.Cut(m.Location, c.to.bundle.dialect.defs()+"/")
	return fmt.Sprintf("%q", pointer)
}

// broken reports whether a break was found where an obligation is.
func (c *comparer) broken(o obligation) bool {
	return slices.ContainsFunc(c.out.Breaks, func(b Break) bool {
		return b.Path == o.path || o.path == "" || strings.HasPrefix(b.Path, o.path+".") || strings.HasPrefix(b.Path, o.path+"[") ||
			o.keyword == "false" && (o.path == b.Path+"[]" || strings.HasPrefix(o.path, b.Path) && strings.HasSuffix(o.path, "*"))
	})
}
