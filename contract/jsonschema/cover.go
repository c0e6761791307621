package jsonschema

import (
	"reflect"
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// coverage is which parts of both schemas judged values of which kinds, in documents that one side allows.
type coverage struct {
	prover
	reached map[*part]kinds
	left    int
}

func newCoverage(from, to *Schema) *coverage {
	return &coverage{prover: *newProver(from, to), reached: map[*part]kinds{}, left: 400_000}
}

// visit notes what judges a value. Of the side that allows the document a branch counts only where it allows the value.
func (c *coverage) visit(s *part, v any, allows bool) {
	if s == nil || c.left <= 0 || opaquePart(s) {
		return
	}
	c.left--
	c.reached[s] |= kindOf(v)
	c.visit(s.Ref, v, allows)
	for _, x := range s.AllOf {
		c.visit(x, v, allows)
	}
	for _, x := range slices.Concat(s.AnyOf, s.OneOf, notNil(s.Not, s.If, s.Then, s.Else)) {
		if refused, unknown := c.judge(x, v); !allows && !unknown || !refused && !unknown || x == s.Not && !unknown {
			c.visit(x, v, allows && x != s.Not)
		} else if x == s.If && !unknown {
			c.reached[x] |= kindOf(v)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		c.object(s, v, allows)
	case []any:
		c.array(s, v, allows)
	}
}

func (c *coverage) object(s *part, v map[string]any, allows bool) {
	_, schemas := dependencies(s)
	for _, name := range sortedNames(v) {
		judges, _ := applying(s, name)
		if s.UnevaluatedProperties != nil && len(judges) == 0 {
			judges = append(judges, s.UnevaluatedProperties)
		}
		for _, x := range judges {
			c.visit(x, v[name], allows)
		}
		c.visit(s.PropertyNames, name, allows)
		c.visit(schemas[name], v, allows)
	}
}

func (c *coverage) array(s *part, v []any, allows bool) {
	first, rest := tuple(s)
	if rest == nil {
		rest = s.UnevaluatedItems
	}
	for i, item := range v {
		if i < len(first) {
			c.visit(first[i], item, allows)
		} else {
			c.visit(rest, item, allows)
		}
		c.visit(s.Contains, item, false)
	}
}

// opaquePart reports whether a part has a pattern that cannot be matched here.
func opaquePart(s *part) bool {
	_, is := s.Pattern.(opaque)
	for re := range s.PatternProperties {
		if _, unknown := re.(opaque); unknown {
			is = true
		}
	}
	return is
}

// subtle reports whether a keyword depends on so much at once that documents which reach it prove little.
func subtle(keyword string) bool {
	return keyword == "contains" || keyword == "unevaluatedItems" || keyword == "unevaluatedProperties"
}

// missing returns a part that an obligation is about and no document reached, or nil.
func (c *coverage) missing(o obligation) *part {
	need := kindsFor(o.keyword)
	for _, a := range append(slices.Clone(o.from), o.to) {
		if a.Location != "" && (c.reached[a]&need == 0 || opaquePart(a)) {
			return a
		}
	}
	for _, a := range append(slices.Clone(o.from), o.to) {
		if m := c.unreached(deciding(a, o.keyword, a == o.to), map[*part]bool{}); m != nil {
			return m
		}
	}
	return nil
}

// needed returns how many parts of both sides documents must reach for an obligation.
func needed(o obligation) int {
	seen := map[*part]bool{}
	var add func(list []*part)
	add = func(list []*part) {
		for _, s := range list {
			if s != nil && !seen[s] && s.Location != "" && s.Bool == nil {
				seen[s] = true
				add(below(s))
			}
		}
	}
	for _, a := range append(slices.Clone(o.from), o.to) {
		add(deciding(a, o.keyword, a == o.to))
	}
	for _, a := range append(slices.Clone(o.from), o.to) {
		if a.Location != "" {
			seen[a] = true
		}
	}
	return len(seen)
}

// deciding returns the parts of a schema that decide about a keyword of the other side: its branches, and what the keyword holds.
func deciding(s *part, keyword string, itself bool) []*part {
	list := slices.Concat(s.AnyOf, s.OneOf, notNil(s.Then, s.Else))
	if !itself {
		return list
	}
	_, schemas := dependencies(s)
	switch keyword {
	case "anyOf", "oneOf":
		return list
	case "not":
		return notNil(s.Not)
	case "if":
		return notNil(s.If, s.Then, s.Else)
	case "contains":
		return notNil(s.Contains)
	case "propertyNames":
		return notNil(s.PropertyNames)
	case "dependentSchemas":
		var out []*part
		for _, name := range sortedNames(schemas) {
			out = append(out, schemas[name])
		}
		return out
	}
	return nil
}

// unreached returns a part of a list, or below it, that no document reached.
func (c *coverage) unreached(list []*part, seen map[*part]bool) *part {
	for _, s := range list {
		if s == nil || seen[s] || s.Location == "" || s.Bool != nil {
			continue
		}
		seen[s] = true
		if c.reached[s] == 0 || opaquePart(s) {
			return s
		}
		if m := c.unreached(below(s), seen); m != nil {
			return m
		}
	}
	return nil
}

// below returns all parts that a part is made of.
func below(s *part) []*part {
	var out []*part
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if !f.IsExported() || !asserts(f.Name) || v.Field(i).IsZero() {
			continue
		}
		switch x := v.Field(i).Interface().(type) {
		case *part:
			out = append(out, x)
		case []*part:
			out = append(out, x...)
		case map[string]*part:
			for _, name := range sortedNames(x) {
				out = append(out, x[name])
			}
		case map[validator.Regexp]*part:
			for _, re := range sortedPatterns(s) {
				out = append(out, x[re])
			}
		}
	}
	return out
}

// kindsFor returns which values a keyword is about.
func kindsFor(keyword string) kinds {
	switch keyword {
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		return numbers
	case "minLength", "maxLength", "pattern", "format":
		return stringsKind
	case "minItems", "maxItems", "uniqueItems", "items", "contains", "unevaluatedItems":
		return arrays
	case "required", "properties", "additionalProperties", "minProperties", "maxProperties", "propertyNames", "dependentRequired",
		"dependentSchemas", "patternProperties", "unevaluatedProperties":
		return objects
	}
	return everything
}
