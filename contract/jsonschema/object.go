package jsonschema

import (
	"maps"
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// object proves what b says of objects.
func (p *prover) object(as conj, b *part, path string) bool {
	ok := true
	and := func(holds bool) { ok = holds && ok }
	check := func(keyword string, holds bool) { and(holds || p.owe(as, b, path, keyword)) }

	check("required", !slices.ContainsFunc(b.Required, func(name string) bool { return !as.required(name) }))
	check("minProperties", b.MinProperties == nil || max(as.least(minProperties), as.mandatory()) >= *b.MinProperties)
	check("maxProperties", b.MaxProperties == nil || min(as.most(maxProperties), as.closed()) <= *b.MaxProperties)
	and(p.named(as, b, path))
	and(p.others(as, b, path))
	if b.PropertyNames != nil {
		check("propertyNames", p.attempt(func() bool { return p.into(func() bool { return p.propertyNames(as, b, path) }) }))
	}
	and(p.dependent(as, b, path))
	return ok
}

// mandatory returns how many properties must be there.
func (as conj) mandatory() int {
	all := map[string]bool{}
	for _, a := range as {
		for _, name := range a.Required {
			all[name] = true
		}
	}
	return len(all)
}

// closed returns how many properties there can be.
func (as conj) closed() int {
	n := 1 << 30
	for _, a := range as {
		if s := additional(a.AdditionalProperties); s != nil && s.Bool != nil && !*s.Bool && len(a.PatternProperties) == 0 {
			n = min(n, len(a.Properties))
		}
	}
	return n
}

// rest is what b says of properties that nothing else of it names: what is unevaluated is at most that.
func rest(b *part) (schema *part, keyword string) {
	if b.AdditionalProperties != nil {
		return additional(b.AdditionalProperties), "additionalProperties"
	}
	return b.UnevaluatedProperties, "unevaluatedProperties"
}

// named proves the properties that either side names.
func (p *prover) named(as conj, b *part, path string) bool {
	ok := true
	for _, name := range append(as, b).names() {
		if p.forbidden(as, name) {
			continue
		}
		schemas, keyword := judging(b, name)
		for _, s := range schemas {
			holds := p.into(func() bool { return p.subset(as.property(name), nil, s, joinPath(path, name)) })
			if !holds && s.Bool != nil {
				p.owe(as, b, path, keyword)
			}
			ok = holds && ok
		}
	}
	return ok
}

// judging returns all schemas of b that may judge a property. Where a pattern cannot be matched here, that is both what it says
// and what is said of those that it does not match.
func judging(b *part, name string) (schemas []*part, keyword string) {
	keyword = "properties"
	other, otherwise := rest(b)
	if s := b.Properties[name]; s != nil {
		schemas = append(schemas, s)
	}
	for _, re := range sortedPatterns(b) {
		if _, unknown := re.(opaque); unknown || re.MatchString(name) {
			schemas = append(schemas, b.PatternProperties[re])
		}
	}
	matched, sure := applying(&part{Properties: b.Properties, PatternProperties: b.PatternProperties}, name)
	if (len(matched) == 0 || !sure && b.Properties[name] == nil) && other != nil {
		schemas, keyword = append(schemas, other), otherwise
	}
	return schemas, keyword
}

// forbidden reports whether no object of as has a property.
func (p *prover) forbidden(as conj, name string) bool {
	return p.none(flatten(as.property(name)), 3) || slices.ContainsFunc(as, func(a *part) bool {
		if a.PropertyNames == nil {
			return false
		}
		refused, unknown := p.judge(a.PropertyNames, name)
		return refused && !unknown
	})
}

// others proves the properties that neither side names.
func (p *prover) others(as conj, b *part, path string) bool {
	ok := true
	for _, re := range sortedPatterns(b) {
		ok = p.alternatives(as, b, b.PatternProperties[re], re, path) && ok
	}
	if s, _ := rest(b); s != nil {
		ok = p.alternatives(as, b, s, nil, path) && ok
	}
	return ok
}

// alternatives proves s for a property of any name: one that re matches, or where re is nil, one that no pattern of b matches.
// Of each part of as it takes in turn what may be all that the part says of such a property.
func (p *prover) alternatives(as conj, b, s *part, re validator.Regexp, path string) bool {
	choices := []conj{nil}
	for _, a := range as {
		options := optionsOf(a, b, re)
		var next []conj
		for _, c := range choices {
			for _, o := range options {
				next = append(next, append(slices.Clone(c), notNil(o)...))
			}
		}
		if choices = next; len(choices) > 64 {
			return p.owe(as, b, path, "patternProperties")
		}
	}
	keyword := "patternProperties"
	if re == nil {
		_, keyword = rest(b)
	}
	ok := true
	for _, c := range choices {
		holds := p.into(func() bool { return p.subset(c, nil, s, joinPath(path, "*")) })
		if !holds && s.Bool != nil {
			p.owe(as, b, path, keyword)
		}
		ok = holds && ok
	}
	return ok
}

// optionsOf returns what a may say of a property that it does not name: nil is nothing.
func optionsOf(a, b *part, re validator.Regexp) []*part {
	patterns, theirs := byText(a.PatternProperties), byText(b.PatternProperties)
	if re != nil {
		if s := patterns[re.String()]; s != nil {
			return []*part{s}
		}
	}
	options := []*part{additional(a.AdditionalProperties)}
	for _, text := range slices.Sorted(maps.Keys(patterns)) {
		if re == nil && theirs[text] != nil {
			continue // what it matches, b's own pattern judges
		}
		options = append(options, patterns[text])
	}
	return options
}

func (p *prover) propertyNames(as conj, b *part, path string) bool {
	names := conj{typed("string")}
	for _, a := range as {
		if a.PropertyNames != nil {
			names = append(names, a.PropertyNames)
		}
	}
	if p.subset(names, nil, b.PropertyNames, path) {
		return true
	}
	if as.closed() == 1<<30 {
		return false
	}
	return !slices.ContainsFunc(as.names(), func(name string) bool {
		refused, unknown := p.judge(b.PropertyNames, name)
		return (refused || unknown) && !p.forbidden(as, name)
	})
}

// dependent proves what b demands where a property is there.
func (p *prover) dependent(as conj, b *part, path string) bool {
	ok := true
	lists, schemas := dependencies(b)
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if !p.forbidden(as, name) && slices.ContainsFunc(lists[name], func(other string) bool { return !as.implies(name, other) }) {
			ok = p.owe(as, b, path, "dependentRequired") && ok
		}
	}
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		if p.forbidden(as, name) {
			continue
		}
		given := append(slices.Clone(as), &part{Required: []string{name}})
		for _, a := range as {
			_, theirs := dependencies(a)
			given = append(given, notNil(theirs[name])...)
		}
		if !p.attempt(func() bool { return p.subset(given, nil, schemas[name], path) }) {
			ok = p.owe(as, b, path, "dependentSchemas") && ok
		}
	}
	return ok
}

// implies reports whether a property is there whenever another is.
func (as conj) implies(name, other string) bool {
	return name == other || as.required(other) || slices.ContainsFunc(as, func(a *part) bool {
		lists, _ := dependencies(a)
		return slices.Contains(lists[name], other)
	})
}

// dependencies returns both sorts of dependencies, in old dialects and new.
func dependencies(s *part) (lists map[string][]string, schemas map[string]*part) {
	lists, schemas = map[string][]string{}, map[string]*part{}
	maps.Copy(lists, s.DependentRequired)
	maps.Copy(schemas, s.DependentSchemas)
	for name, v := range s.Dependencies {
		switch v := v.(type) {
		case []string:
			lists[name] = append(slices.Clone(lists[name]), v...)
		case *part:
			if schemas[name] == nil {
				schemas[name] = v
			} else {
				schemas[name] = &part{AllOf: []*part{schemas[name], v}, DraftVersion: s.DraftVersion}
			}
		}
	}
	return lists, schemas
}
