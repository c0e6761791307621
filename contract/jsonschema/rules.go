package jsonschema

import (
	"math/big"
	"slices"
)

// keywords proves each keyword of b. All are looked at, so that each that fails is noted.
func (p *prover) keywords(as conj, split []*part, b *part, path string) bool {
	k := as.kinds(3)
	ok := true
	check := func(of kinds, keyword string, holds bool) {
		if k&of != 0 && !holds {
			ok = p.owe(as, b, path, keyword) && ok
		}
	}
	and := func(holds bool) { ok = holds && ok }

	if b.Bool != nil {
		check(everything, "false", *b.Bool)
	}
	if b.Types != nil {
		check(everything, "type", k&^kindsOf(b.Types.ToStrings()) == 0)
	}
	if _, lists := listed(b); lists {
		check(everything, "enum", p.sameList(as, b))
	}
	if b.Format != nil {
		check(everything, "format", slices.ContainsFunc(as, func(a *part) bool { return a.Format != nil && a.Format.Name == b.Format.Name }))
	}
	check(numbers, "minimum", within(bound{b.Minimum, false}, as.lower(), 1))
	check(numbers, "exclusiveMinimum", within(bound{b.ExclusiveMinimum, true}, as.lower(), 1))
	check(numbers, "maximum", within(bound{b.Maximum, false}, as.upper(), -1))
	check(numbers, "exclusiveMaximum", within(bound{b.ExclusiveMaximum, true}, as.upper(), -1))
	check(numbers, "multipleOf", b.MultipleOf == nil || as.multiples(b.MultipleOf, k))
	check(stringsKind, "minLength", b.MinLength == nil || as.least(minLength) >= *b.MinLength)
	check(stringsKind, "maxLength", b.MaxLength == nil || as.most(maxLength) <= *b.MaxLength)
	check(stringsKind, "pattern", b.Pattern == nil || as.matches(b.Pattern.String()))
	if k&objects != 0 {
		and(p.object(as, b, path))
	}
	if k&arrays != 0 {
		and(p.array(as, b, path))
	}
	and(p.combined(as, split, b, path))
	return ok
}

// sameList knows a list of values that another includes. Where as list values at all, they were tried before.
func (p *prover) sameList(as conj, b *part) bool {
	want, _ := listed(b)
	return slices.ContainsFunc(as, func(a *part) bool {
		have, ok := listed(a)
		return ok && !slices.ContainsFunc(have, func(v any) bool {
			return !slices.ContainsFunc(want, func(w any) bool { return encode(v) == encode(w) })
		})
	})
}

// within reports whether a bound follows from another: sign is 1 for lower bounds, and -1 for upper ones.
func within(want, have bound, sign int) bool {
	if want.at == nil {
		return true
	}
	if have.at == nil {
		return false
	}
	c := have.at.Cmp(want.at) * sign
	return c > 0 || c == 0 && (have.open || !want.open)
}

// multiples reports whether all numbers are multiples of m.
func (as conj) multiples(m *big.Rat, k kinds) bool {
	if k&fractions == 0 && new(big.Rat).Inv(m).IsInt() {
		return true
	}
	return slices.ContainsFunc(as, func(a *part) bool { return a.MultipleOf != nil && new(big.Rat).Quo(a.MultipleOf, m).IsInt() })
}

// matches reports whether each text that has all patterns of as has another.
func (as conj) matches(pattern string) bool {
	patterns := as.patterns()
	if slices.Contains(patterns, pattern) {
		return true
	}
	_, found, decided := between(patterns, pattern)
	return decided && !found
}

// patterns returns those that can be matched here, and those that cannot.
func (as conj) patterns() []string {
	var out []string
	for _, a := range as {
		if a.Pattern != nil && !slices.Contains(out, a.Pattern.String()) {
			out = append(out, a.Pattern.String())
		}
	}
	return out
}

// combined proves what b is made of by other schemas for the same value.
func (p *prover) combined(as conj, split []*part, b *part, path string) bool {
	ok := true
	and := func(holds bool) { ok = holds && ok }
	if b.Ref != nil {
		and(p.subset(as, split, b.Ref, path))
	}
	for _, s := range b.AllOf {
		and(p.subset(as, split, s, path))
	}
	if len(b.AnyOf) == 1 {
		and(p.subset(as, split, b.AnyOf[0], path))
	} else if len(b.AnyOf) > 1 {
		and(p.some(as, split, b.AnyOf, path) || p.owe(as, b, path, "anyOf"))
	}
	if len(b.OneOf) == 1 {
		and(p.subset(as, split, b.OneOf[0], path))
	} else if len(b.OneOf) > 1 {
		and(p.exactlyOne(as, split, b.OneOf, path) || p.owe(as, b, path, "oneOf"))
	}
	if b.Not != nil {
		and(p.excludes(as, b.Not, path) || p.owe(as, b, path, "not"))
	}
	if b.If != nil && (b.Then != nil || b.Else != nil) {
		and(p.attempt(func() bool { return p.conditional(as, split, b, path) }) || p.owe(as, b, path, "if"))
	}
	if b.RecursiveRef != nil || b.DynamicRef != nil || len(b.Extensions) > 0 {
		and(p.owe(as, b, path, "$dynamicRef"))
	}
	return ok
}

// some reports whether one of the branches allows all.
func (p *prover) some(as conj, split []*part, branches []*part, path string) bool {
	return p.attempt(func() bool {
		return slices.ContainsFunc(branches, func(s *part) bool { return p.subset(as, split, s, path) })
	})
}

// exactlyOne reports whether one branch allows all, and the others nothing of it.
func (p *prover) exactlyOne(as conj, split []*part, branches []*part, path string) bool {
	return p.attempt(func() bool {
		for i, s := range branches {
			others := slices.Delete(slices.Clone(branches), i, i+1)
			if !slices.ContainsFunc(others, func(o *part) bool { return !p.excludes(as, o, path) }) && p.subset(as, split, s, path) {
				return true
			}
		}
		return false
	})
}

// excludes reports whether s allows nothing that as allow: nothing can be both, or what s allows was excluded before.
func (p *prover) excludes(as conj, s *part, path string) bool {
	if p.none(flatten(append(slices.Clone(as), s)), 4) {
		return true
	}
	return p.attempt(func() bool {
		return slices.ContainsFunc(as, func(a *part) bool { return a.Not != nil && p.subset(conj{s}, nil, a.Not, path) })
	})
}

// conditional proves both ways of an if. An if of as that asks the same adds what it says.
func (p *prover) conditional(as conj, split []*part, b *part, path string) bool {
	then, other := append(slices.Clone(as), b.If), slices.Clone(as)
	for _, a := range as {
		if a.If != nil && same(a.If, b.If) {
			then = append(then, notNil(a.Then)...)
			other = append(other, notNil(a.Else)...)
		}
	}
	return (b.Then == nil || p.subset(then, split, b.Then, path)) && (b.Else == nil || p.excludes(as, notOf(b.If), path) || p.subset(other, split, b.Else, path))
}

// notOf is the schema that allows what s refuses.
func notOf(s *part) *part { return &part{Not: s} }
