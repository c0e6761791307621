package spec

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/gate"
)

// A policyLoader reads one policy.
type policyLoader struct {
	*loader
	src    *source
	policy gate.Policy
}

// gate notes the policy's file. It is read when all journeys are known.
func (l *loader) gate(name string, n *yaml.Node) {
	var path string
	l.parts.src.text(&path)(name, n)
	if path != "" {
		l.parts.gate = n
	}
}

// policy reads the file that decides about a release.
func (l *loader) policy(at *yaml.Node) {
	src, err := l.open(l.below(at.Value), false)
	if err != nil {
		l.parts.src.wrong(at, "paths are relative to "+filepath.Base(l.project.File), "%v", err)
		return
	}
	if src.root == nil {
		return
	}
	p := &policyLoader{loader: l, src: src}
	p.policy.File, p.policy.Digest = src.rel, fmt.Sprintf("sha256:%x", sha256.Sum256(src.content))
	src.object(src.root, "a policy",
		field{"require", src.list(p.require), true},
		field{"conditions", src.list(p.condition), false},
		field{"waivers", src.list(p.waiver), false},
		field{"waivers-max", p.age(&p.policy.WaiversMax), false})
	if key, n := child(src.root, "require"); key != nil && n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		src.wrong(n, "such as {journeys: [checkout], modes: [failover, retry]}", "the policy requires nothing, so it could not refuse anything")
	}
	l.project.Policy = p.policy
}

func (p *policyLoader) require(_ string, n *yaml.Node) {
	r := gate.Require{Pos: p.src.pos(n)}
	p.src.object(n, "a requirement",
		field{"journeys", p.names(&r.Journeys, "journey", p.project.journeyNames(), true), true},
		field{"modes", p.names(&r.Modes, "failure mode", experiment.Modes(), false), true},
		field{"same", p.choice(&r.Same, gate.Sames()), false},
		field{"max-age", p.age(&r.MaxAge), false},
		field{"grade", p.choice(&r.Grade, evidence.Grades()), false})
	p.policy.Require = append(p.policy.Require, r)
}

// names reads a list of names that exist; with all, "*" stands for every one.
func (p *policyLoader) names(into *[]string, what string, known []string, all bool) reader {
	return func(name string, n *yaml.Node) {
		p.src.list(func(item string, n *yaml.Node) {
			var one string
			p.src.text(&one)(item, n)
			switch {
			case one == "" || all && one == "*":
			case !slices.Contains(known, one):
				p.src.wrong(n, hint(one, known), "no %s is called %q", what, brief(one))
				return
			case slices.Contains(*into, one):
				p.src.wrong(n, "", "%s is given twice", one)
				return
			}
			*into = append(*into, one)
		})(name, n)
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			p.src.wrong(n, "", "%s is an empty list, so nothing is asked for", name)
		}
	}
}

func (p *policyLoader) choice(into *string, allowed []string) reader {
	return func(name string, n *yaml.Node) {
		p.src.text(into)(name, n)
		if *into != "" && !slices.Contains(allowed, *into) {
			p.src.wrong(n, hint(*into, allowed), "%s cannot be %s", name, describe(n))
		}
	}
}

// age reads a duration that may be in days, such as 7d.
func (p *policyLoader) age(into *time.Duration) reader {
	return func(name string, n *yaml.Node) {
		days, isDays := strings.CutSuffix(n.Value, "d")
		if !isDays || n.Kind != yaml.ScalarNode {
			p.src.duration(into, 1)(name, n)
			return
		}
		count, err := strconv.ParseUint(days, 10, 16)
		if err != nil || count == 0 || count > 3650 {
			p.src.wrong(n, "such as 7d or 12h", "%s: %q is no age", name, brief(n.Value))
			return
		}
		*into = time.Duration(count) * 24 * time.Hour
	}
}

func (p *policyLoader) condition(_ string, n *yaml.Node) {
	c := gate.Condition{Pos: p.src.pos(n)}
	before := len(p.errs)
	var expect *yaml.Node
	p.src.object(n, "a condition",
		field{"name", p.src.text(&c.Name), true},
		field{"expect", func(name string, n *yaml.Node) { expect = n; p.src.text(&c.Expect)(name, n) }, true},
		field{"owner", p.src.text(&c.Owner), false})
	if len(p.errs) > before || expect == nil {
		return
	}
	if _, err := gate.Compile(c.Expect); err != nil {
		p.src.expression(expect, "", err)
		return
	}
	if slices.ContainsFunc(p.policy.Conditions, func(other gate.Condition) bool { return other.Name == c.Name }) {
		p.src.wrong(n, "", "two conditions are called %q", brief(c.Name))
	}
	p.policy.Conditions = append(p.policy.Conditions, c)
}

// waiver reads one waiver: about cells, a condition or a contract, and answered for by somebody until some day.
func (p *policyLoader) waiver(_ string, n *yaml.Node) {
	w := gate.Waiver{Pos: p.src.pos(n)}
	p.src.object(n, "a waiver",
		field{"journeys", p.names(&w.Journeys, "journey", p.knownJourneys(n), false), false},
		field{"modes", p.names(&w.Modes, "failure mode", experiment.Modes(), true), false},
		field{"condition", p.src.text(&w.Condition), false},
		field{"contract", p.src.text(&w.Contract), false}, // also one that was removed, since that is what is waived then
		field{"allow", p.choice(&w.Allow, gate.Allows()), false},
		field{"commit", p.src.text(&w.Commit), false},
		field{"owner", p.src.text(&w.Owner), true},
		field{"reason", p.src.text(&w.Reason), true},
		field{"ticket", p.src.text(&w.Ticket), false},
		field{"expires", p.day(&w.Expires), true})
	named := w.Condition != ""
	about := 0
	for _, one := range []bool{len(w.Journeys) > 0 && len(w.Modes) > 0, named, w.Contract != ""} {
		if one {
			about++
		}
	}
	if about != 1 {
		p.src.wrong(n, "journeys with modes, or condition, or contract", "the waiver must say what it is for: cells, a condition or a contract, and one of them")
	}
	if at, node := child(n, "condition"); at != nil && named && !slices.ContainsFunc(p.policy.Conditions, func(c gate.Condition) bool { return c.Name == w.Condition }) {
		p.src.wrong(node, "", "no condition is called %q", brief(w.Condition))
	}
	p.policy.Waivers = append(p.policy.Waivers, w)
}

// knownJourneys are those that a waiver may name: also one that was removed, since that is what is waived then.
func (p *policyLoader) knownJourneys(n *yaml.Node) []string {
	known := p.project.journeyNames()
	if _, modes := child(n, "modes"); modes != nil && len(modes.Content) == 1 && modes.Content[0].Value == "*" {
		if _, journeys := child(n, "journeys"); journeys != nil {
			for _, j := range journeys.Content {
				known = append(known, j.Value)
			}
		}
	}
	return known
}

// day reads a date, from whose beginning (UTC) on a waiver does not hold, or a time.
func (p *policyLoader) day(into *time.Time) reader {
	return func(name string, n *yaml.Node) {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, n.Value); err == nil && n.Kind == yaml.ScalarNode {
				*into = t.UTC()
				return
			}
		}
		p.src.wrong(n, "such as 2026-12-31", "%s must be a day, and this is %s", name, describe(n))
	}
}
