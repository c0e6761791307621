package proto

import (
	"context"
	"fmt"
	"slices"

	"github.com/bufbuild/protocompile/ast"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// Diff compares two versions by the default rules. Errors are for versions that cannot be read.
func Diff(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
	return DiffRules(ctx, old, new, opts, Rules{})
}

// DiffRules compares two versions by the rules that are chosen.
func DiffRules(ctx context.Context, old, new contract.Source, opts contract.Options, rules Rules) (contract.Diff, error) {
	chosen, err := rules.chosen()
	if err != nil {
		return contract.Diff{}, err
	}
	o, n, err := readBoth(ctx, old, new)
	if err != nil {
		return contract.Diff{}, err
	}
	c := newComparison(newTree(o), newTree(n), opts.Contract, chosen)
	c.lenient = len(rules.Use) == 0
	c.flows.only, c.json = rules.Flow, rules.JSON
	for _, check := range []func(){
		c.files, c.packages, c.enums, c.messages, c.extensions, c.services, c.settle, c.added, c.same, func() { c.sample(ctx, opts) },
	} {
		if err := ctx.Err(); err != nil {
			return contract.Diff{}, fmt.Errorf("compare %s with %s: %w", old.Name, new.Name, err)
		}
		check()
	}
	d := contract.Diff{Contract: opts.Contract, Kind: contract.Proto, Old: old.Name, New: new.Name, Seed: opts.Seed,
		Documents: c.documents, Findings: c.findings, Gaps: c.gaps, Proofs: c.proofs}
	d.Sort()
	return d, nil
}

// readBoth reads two versions. Files that are the same in both, with all that they import, are linked once.
func readBoth(ctx context.Context, old, new contract.Source) (o, n *version, err error) {
	if o, err = open(old); err != nil {
		return nil, nil, err
	}
	if n, err = open(new); err != nil {
		return nil, nil, err
	}
	if o.single && n.single && len(o.main) == 1 && len(n.main) == 1 {
		o.alias(o.main[0], n.main[0])
	}
	if err := o.compile(ctx, nil); err != nil {
		return nil, nil, err
	}
	return o, n, n.compile(ctx, newSharing(o, n).file)
}

// A comparison gathers what the rules find.
type comparison struct {
	old, new  *tree
	contract  string
	rules     map[string]Rule
	chosen    map[string]bool
	lenient   bool // the default was taken: what merely moved harms nobody
	json      bool // of one direction: messages are written in JSON
	flows     *flows
	findings  []contract.Finding
	held      []contract.Finding // by rules that were not chosen
	touched   map[string]bool    // subjects with a finding
	gaps      []contract.Gap
	proofs    []contract.Proof
	documents int // read and written in search of witnesses
}

func newComparison(o, n *tree, name string, chosen map[string]bool) *comparison {
	c := &comparison{old: o, new: n, contract: name, chosen: chosen, rules: map[string]Rule{}, touched: map[string]bool{}}
	for _, rule := range Catalogue() {
		c.rules[rule.ID] = rule
	}
	c.flows = newFlows(o, n)
	return c
}

// A change is what a rule says of one element.
type change struct {
	rule     string
	subject  string
	path     string
	text     string
	try      string
	old, new contract.Place
	flow     contract.Flow
	modes    []string
	held     contract.Severity                          // where the rule was not chosen; "" takes what the rule says
	witness  func(encodings []string) *contract.Witness // nil: none exists
	quiet    quiet                                      // where one direction is asked for, and no message of it shows the change
}

// report takes down what a rule found: a break if the rule was chosen.
func (c *comparison) report(ch change) {
	if c.flows.only != "" {
		c.directed(ch)
		return
	}
	rule := c.rules[ch.rule]
	f := contract.Finding{Rule: ch.rule, Kind: contract.Proto, Severity: contract.Break, Flow: ch.flow, Contract: c.contract,
		Subject: ch.subject, Path: ch.path, Text: ch.text, Try: ch.try, Old: ch.old, New: ch.new, Modes: ch.modes}
	if !c.chosen[ch.rule] {
		f.Severity = contract.Change
		if c.lenient && rule.Breaks == wire {
			f.Severity = contract.Risk
		}
		if ch.held != "" {
			f.Severity = ch.held
		}
		f.Text += ": " + harm(rule.Breaks)
		c.held = append(c.held, f)
		return
	}
	if ch.witness != nil {
		f.Witness = ch.witness(encodingsOf(rule))
	}
	f.Text += ": " + harm(breaksOf(rule, f.Witness))
	c.findings = append(c.findings, f)
	c.touched[f.Subject] = true
}

// breaksOf returns whom the change harms: a rule of generated source may have found what bytes show too.
func breaksOf(rule Rule, w *contract.Witness) string {
	switch {
	case w == nil || rule.Breaks == calls:
		return rule.Breaks
	case w.Encoding == "hex":
		return wire
	}
	return inJSON
}

// encodingsOf returns how witnesses are written, the telling one first. What breaks bytes is not argued with JSON where
// JSON was not asked for.
func encodingsOf(rule Rule) []string {
	switch {
	case rule.Breaks == inJSON:
		return []string{"json", "hex"}
	case slices.Equal(rule.Categories, []string{Wire}):
		return []string{"hex"}
	}
	return []string{"hex", "json"}
}

func harm(breaks string) string {
	switch breaks {
	case wire:
		return "messages of one version are misread or refused by the other"
	case inJSON:
		return "JSON of one version is misread or refused by the other"
	case calls:
		return "calls of neighbours that keep to the other version fail"
	}
	return "generated source breaks, what is sent stays as it was"
}

// settle adds what rules that were not chosen found, where no rule that was chosen speaks of the same element.
func (c *comparison) settle() {
	seen := map[string]bool{}
	for _, f := range c.held {
		inFile := slices.Contains(c.rules[f.Rule].Categories, File)
		if c.touched[f.Subject] || !inFile || seen[f.Subject+f.Path+f.Rule] {
			continue
		}
		seen[f.Subject+f.Path+f.Rule] = true
		c.findings = append(c.findings, f)
	}
	for _, f := range c.findings {
		c.touched[f.Subject] = true
	}
}

// places returns where the old and the new one stand: a part of them, or all.
func (c *comparison) places(o, n protoreflect.Descriptor, pick func(ast.Node) ast.Node) (contract.Place, contract.Place) {
	return c.old.at(o, pick), c.new.at(n, pick)
}
