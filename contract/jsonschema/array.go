package jsonschema

import (
	"math"
	"slices"
)

// array proves what b says of lists.
func (p *prover) array(as conj, b *part, path string) bool {
	ok := true
	check := func(keyword string, holds bool) { ok = (holds || p.owe(as, b, path, keyword)) && ok }

	check("minItems", b.MinItems == nil || as.least(minItems) >= *b.MinItems)
	check("maxItems", b.MaxItems == nil || as.maxItems() <= *b.MaxItems)
	check("uniqueItems", !b.UniqueItems || as.maxItems() <= 1 || slices.ContainsFunc(as, func(a *part) bool { return a.UniqueItems }))
	ok = p.items(as, b, path) && ok
	if b.Contains != nil {
		check("contains", p.attempt(func() bool { return p.into(func() bool { return p.contains(as, b, path) }) }))
	}
	return ok
}

// items proves item by item up to where both sides say the same of all that follow.
func (p *prover) items(as conj, b *part, path string) bool {
	first, following := tuple(b)
	keyword := "items"
	if following == nil {
		following, keyword = b.UnevaluatedItems, "unevaluatedItems"
	}
	ok := true
	for i := range min(max(as.prefix(), len(first))+1, as.maxItems()) {
		s := following
		if i < len(first) {
			s = first[i]
		}
		if s == nil {
			continue
		}
		holds := p.into(func() bool { return p.subset(as.item(i), nil, s, path+"[]") })
		if !holds && s.Bool != nil {
			p.owe(as, b, path, keyword)
		}
		ok = holds && ok
	}
	return ok
}

// contains proves from a part that demands as much of something at least as narrow, and bounds as much of something as wide.
func (p *prover) contains(as conj, b *part, path string) bool {
	low, high := containsBounds(b)
	enough := low == 0
	few := high == math.MaxInt || as.maxItems() <= high
	for _, a := range as {
		if a.Contains == nil {
			continue
		}
		l, h := containsBounds(a)
		enough = enough || l >= low && p.subset(conj{a.Contains}, nil, b.Contains, path+"[]")
		few = few || h <= high && p.subset(conj{b.Contains}, nil, a.Contains, path+"[]")
	}
	if !enough && as.least(minItems) >= low {
		enough = true
		for i := range low {
			enough = enough && i < 16 && p.subset(as.item(i), nil, b.Contains, path+"[]")
		}
	}
	return enough && few
}

func containsBounds(s *part) (low, high int) {
	low, high = 1, math.MaxInt
	if s.MinContains != nil {
		low = *s.MinContains
	}
	if s.MaxContains != nil {
		high = *s.MaxContains
	}
	return low, high
}
