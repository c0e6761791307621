package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A requirement is what a caller presents at once: schemes and their scopes. The empty one presents nothing.
type requirement []credential

type credential struct {
	name   string
	scheme *node
	scopes []string
}

// requirements returns the alternatives of an operation, of which a caller meets one.
func (d *document) requirements(o *operation) []requirement {
	list := d.security(o)
	if list == nil || len(list.kids) == 0 {
		return []requirement{{}}
	}
	var all []requirement
	for _, one := range list.kids {
		made := requirement{}
		for i, name := range one.keys {
			c := credential{name: name, scheme: d.deref(d.scheme(name))}
			for _, scope := range one.kids[i].kids {
				c.scopes = append(c.scopes, scope.str())
			}
			made = append(made, c)
		}
		all = append(all, made)
	}
	return all
}

// security returns what an operation demands. What we present ourselves to a webhook or callback it alone says.
func (d *document) security(o *operation) *node {
	if n := o.node.get("security"); n != nil || o.turned {
		return n
	}
	return d.root.get("security")
}

func (d *document) scheme(name string) *node {
	return d.root.get("components").get("securitySchemes").get(name)
}

// lets says whether a requirement lets in who presents what another demands.
func (r requirement) lets(presented requirement) bool {
	return !slices.ContainsFunc(r, func(want credential) bool {
		return !slices.ContainsFunc(presented, func(have credential) bool { return have.meets(want) })
	})
}

func (c credential) meets(want credential) bool {
	if c.scheme == nil || want.scheme == nil || presentedAs(c.scheme) != presentedAs(want.scheme) {
		return false
	}
	if kind := c.scheme.get("type").str(); c.name != want.name && kind != "apiKey" && kind != "http" {
		return false // tokens of another issuer
	}
	return !slices.ContainsFunc(want.scopes, func(scope string) bool { return !slices.Contains(c.scopes, scope) })
}

// presentedAs says how a credential travels, whatever it is called in the contract.
func presentedAs(scheme *node) string {
	in, name := scheme.get("in").str(), scheme.get("name").str()
	if in == "header" {
		name = strings.ToLower(name)
	}
	return strings.Join([]string{scheme.get("type").str(), in, name, strings.ToLower(scheme.get("scheme").str())}, " ")
}

func (r requirement) String() string {
	if len(r) == 0 {
		return "nothing"
	}
	var all []string
	for _, c := range r {
		text := c.name
		if len(c.scopes) > 0 {
			text += "[" + strings.Join(c.scopes, " ") + "]"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// refused returns a way in of the old version that the new one has not.
func refused(old, new []requirement) (requirement, bool) {
	for _, presented := range old {
		if !slices.ContainsFunc(new, func(r requirement) bool { return r.lets(presented) }) {
			return presented, true
		}
	}
	return nil, false
}

// compareSecurity asks whether whoever the old version lets in is let in by the new one.
func (c *comparison) compareSecurity(op *pairing) {
	if c.sameSecurity(op.old, op.new) {
		return
	}
	if op.turned() {
		c.add(op, "security", contract.Finding{Rule: "security-of-our-requests-changed", Severity: contract.Risk, Flow: contract.FromUs,
			Text: "what we present to the receiver is another: it may check for what it knew"})
		return
	}
	presented, out := refused(c.old.requirements(op.old), c.new.requirements(op.new))
	claims := c.touching(op, "security", func(f contract.Finding) bool { return f.Path == "security" && f.Severity != contract.Change })
	if !out {
		c.letIn[op.key()] = true
		for _, made := range claims {
			made.settled = "whoever was let in still is"
		}
		if !c.spoken(op, "security") {
			c.prove(op.name, "security", "rule: whoever was let in still is", 0)
		}
		return
	}
	c.shutOut = true
	witness := &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: "security " + presented.String(), Allowed: "old", Refused: "new",
		Reason: "none of the alternatives is met by it"}
	for _, made := range claims {
		if made.Severity == contract.Break {
			made.Witness = witness
			return
		}
	}
	if len(claims) == 0 && c.spokenOfSecurity() {
		return // the scheme, or what holds for all operations, says so
	}
	c.add(op, "security", contract.Finding{Rule: "request-security-narrowed", Severity: contract.Break, Flow: contract.ToUs, Witness: witness,
		Text: fmt.Sprintf("who presents %s is no longer let in", presented),
		Try:  "keep what was accepted as one of the alternatives", Old: c.old.security(op.old).place(), New: c.new.security(op.new).place()})
}

// spokenOfSecurity says whether a break of a scheme, or of what holds for all operations, was found.
func (c *comparison) spokenOfSecurity() bool {
	return slices.ContainsFunc(c.claims, func(made *claim) bool { return made.Severity == contract.Break && ofSecurity(made.Rule) })
}

func ofSecurity(rule string) bool {
	return strings.HasPrefix(rule, "api-security-component") || strings.HasPrefix(rule, "api-global-security")
}
