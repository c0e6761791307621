package jsonschema

import (
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// typed is the schema of one type.
func typed(name string) *part {
	var t validator.Types
	t.Add(name)
	return &part{Types: &t}
}

// none reports whether no value can be allowed by all of as. false is: does not know.
func (p *prover) none(as conj, depth int) bool {
	k := as.kinds(3)
	if k == 0 {
		return true
	}
	if values, few := as.values(); few {
		return !slices.ContainsFunc(values, func(v any) bool {
			return !slices.ContainsFunc(as, func(a *part) bool { refused, unknown := p.judge(a, v); return refused && !unknown })
		})
	}
	if slices.ContainsFunc(as, func(a *part) bool { return a.Not != nil && a.Not.Bool != nil && *a.Not.Bool }) {
		return true
	}
	switch {
	case k&^numbers == 0:
		return as.noNumber()
	case k == stringsKind:
		return as.least(minLength) > as.most(maxLength)
	case k == objects:
		return p.noObject(as, depth)
	case k == arrays:
		return as.least(minItems) > as.maxItems()
	}
	return false
}

func (as conj) noNumber() bool {
	low, high := as.lower(), as.upper()
	if low.at == nil || high.at == nil {
		return false
	}
	c := low.at.Cmp(high.at)
	return c > 0 || c == 0 && (low.open || high.open)
}

func (p *prover) noObject(as conj, depth int) bool {
	if as.least(minProperties) > as.most(maxProperties) {
		return true
	}
	if depth == 0 {
		return false
	}
	for _, a := range as {
		for _, name := range a.Required {
			if p.none(flatten(as.property(name)), depth-1) {
				return true
			}
		}
	}
	return false
}

func minLength(a *part) *int     { return a.MinLength }
func maxLength(a *part) *int     { return a.MaxLength }
func minItems(a *part) *int      { return a.MinItems }
func maxItems(a *part) *int      { return a.MaxItems }
func minProperties(a *part) *int { return a.MinProperties }
func maxProperties(a *part) *int { return a.MaxProperties }

// AllowsNothing reports whether no document can be allowed, as far as rules tell. What holds of all that such a schema allows says
// nothing.
func (s *Schema) AllowsNothing() bool {
	return newProver(s, s).none(flatten(conj{s.root}), 8)
}
