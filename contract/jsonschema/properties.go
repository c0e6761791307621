package jsonschema

import (
	"maps"
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// required reports whether a property must be there.
func (as conj) required(name string) bool {
	return slices.ContainsFunc(as, func(a *part) bool { return slices.Contains(a.Required, name) })
}

// names returns the properties that any of the parts names, in order.
func (as conj) names() []string {
	all := map[string]bool{}
	for _, a := range as {
		for name := range a.Properties {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// property returns what must hold of a property's value.
func (as conj) property(name string) conj {
	var out conj
	for _, a := range as {
		schemas, _ := applying(a, name)
		out = append(out, schemas...)
	}
	return out
}

// applying returns which schemas of a part judge a property. sure is false where a pattern cannot be matched here.
func applying(a *part, name string) (schemas []*part, sure bool) {
	sure = true
	if s := a.Properties[name]; s != nil {
		schemas = append(schemas, s)
	}
	for _, re := range sortedPatterns(a) {
		if _, unknown := re.(opaque); unknown {
			sure = false
		} else if re.MatchString(name) {
			schemas = append(schemas, a.PatternProperties[re])
		}
	}
	if len(schemas) == 0 && sure {
		if s := additional(a.AdditionalProperties); s != nil {
			schemas = append(schemas, s)
		}
	}
	return schemas, sure
}

// sortedPatterns returns the patterns of a part in order: maps have none.
func sortedPatterns(a *part) []validator.Regexp {
	return slices.SortedFunc(maps.Keys(a.PatternProperties), func(x, y validator.Regexp) int {
		if x.String() < y.String() {
			return -1
		}
		return 1
	})
}

// additional returns a keyword that is a bool or a schema as a schema; nil allows all.
func additional(v any) *part {
	switch v := v.(type) {
	case *part:
		return v
	case bool:
		if !v {
			return never()
		}
	}
	return nil
}

// never is the schema that allows nothing.
func never() *part { no := false; return &part{Bool: &no} }

// tuple returns what judges the first items, and what judges all that follow: nil allows all.
func tuple(a *part) (first []*part, rest *part) {
	if a.DraftVersion >= 2020 {
		return a.PrefixItems, a.Items2020
	}
	switch items := a.Items.(type) {
	case *part:
		return nil, items
	case []*part:
		return items, additional(a.AdditionalItems)
	}
	return nil, nil // additionalItems without a list of items says nothing
}

// item returns what must hold of the item at an index.
func (as conj) item(i int) conj {
	var out conj
	for _, a := range as {
		if first, rest := tuple(a); i < len(first) {
			out = append(out, first[i])
		} else if rest != nil {
			out = append(out, rest)
		}
	}
	return out
}

// prefix returns how many items are judged one by one.
func (as conj) prefix() int {
	n := 0
	for _, a := range as {
		first, _ := tuple(a)
		n = max(n, len(first))
	}
	return n
}

// maxItems returns how many items there can be.
func (as conj) maxItems() int {
	n := as.most(maxItems)
	for i := range as.prefix() + 1 {
		if i < n && slices.ContainsFunc(flatten(as.item(i)), func(s *part) bool { return s.Bool != nil && !*s.Bool }) {
			return i
		}
	}
	return n
}
