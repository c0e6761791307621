package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// A conj is schemas that all allow a value: what is known of it. What each of them implies holds, and what is not understood is
// left out, which only makes less known.
type conj []*part

// kinds is a set of kinds of values.
type kinds int

const (
	nulls kinds = 1 << iota
	bools
	integers
	fractions
	stringsKind
	arrays
	objects
	everything kinds = 1<<iota - 1
)

const numbers = integers | fractions

// kindsOf returns the kinds that a list of types names.
func kindsOf(names []string) kinds {
	table := map[string]kinds{"null": nulls, "boolean": bools, "integer": integers, "number": numbers, "string": stringsKind, "array": arrays, "object": objects}
	var k kinds
	for _, name := range names {
		k |= table[name]
	}
	return k
}

// kindOf returns the kind of a value.
func kindOf(v any) kinds {
	switch v := v.(type) {
	case nil:
		return nulls
	case bool:
		return bools
	case string:
		return stringsKind
	case []any:
		return arrays
	case map[string]any:
		return objects
	case json.Number:
		if r := ratOf(v); r != nil && !r.IsInt() {
			return fractions
		}
		return integers
	}
	return everything
}

func ratOf(v any) *big.Rat {
	r, ok := new(big.Rat).SetString(fmt.Sprint(v))
	if !ok {
		return nil
	}
	return r
}

// flatten adds what the parts refer to, and what their allOf hold; an anyOf or oneOf of one is the same as an allOf of it.
func flatten(as conj) conj {
	var out conj
	var add func(s *part)
	add = func(s *part) {
		if s == nil || slices.Contains(out, s) {
			return
		}
		out = append(out, s)
		add(s.Ref)
		for _, x := range s.AllOf {
			add(x)
		}
		if len(s.AnyOf) == 1 {
			add(s.AnyOf[0])
		}
		if len(s.OneOf) == 1 {
			add(s.OneOf[0])
		}
	}
	for _, a := range as {
		add(a)
	}
	return out
}

// kinds returns which kinds of values there can be.
func (as conj) kinds(depth int) kinds {
	k := everything
	for _, a := range as {
		if a.Bool != nil && !*a.Bool {
			return 0
		}
		if a.Types != nil {
			k &= kindsOf(a.Types.ToStrings())
		}
		if values, ok := listed(a); ok {
			var of kinds
			for _, v := range values {
				of |= kindOf(v)
			}
			k &= of
		}
		for _, branches := range [][]*part{a.AnyOf, a.OneOf} {
			if len(branches) > 1 && depth > 0 {
				var of kinds
				for _, b := range branches {
					of |= flatten(conj{b}).kinds(depth - 1)
				}
				k &= of
			}
		}
	}
	return k
}

// listed returns the values of a part that lists them.
func listed(a *part) ([]any, bool) {
	switch {
	case a.Const != nil:
		return []any{*a.Const}, true
	case a.Enum != nil:
		return a.Enum.Values, true
	}
	return nil, false
}

// values returns all values that there can be, where they are few.
func (as conj) values() ([]any, bool) {
	var best []any
	found := false
	for _, a := range as {
		if values, ok := listed(a); ok && (!found || len(values) < len(best)) {
			best, found = values, true
		}
	}
	if found {
		return best, true
	}
	if k := as.kinds(3); k&^(nulls|bools) == 0 {
		if k&nulls != 0 {
			best = append(best, nil)
		}
		if k&bools != 0 {
			best = append(best, false, true)
		}
		return best, true
	}
	return nil, false
}

// A bound is an end of a range of numbers.
type bound struct {
	at   *big.Rat // nil is none
	open bool     // at itself is out
}

// lower returns the largest lower bound, and upper the smallest upper one.
func (as conj) lower() bound {
	var b bound
	for _, a := range as {
		for _, c := range []bound{{a.Minimum, false}, {a.ExclusiveMinimum, true}} {
			if c.at != nil && (b.at == nil || c.at.Cmp(b.at) > 0 || c.at.Cmp(b.at) == 0 && c.open) {
				b = c
			}
		}
	}
	return b
}

func (as conj) upper() bound {
	var b bound
	for _, a := range as {
		for _, c := range []bound{{a.Maximum, false}, {a.ExclusiveMaximum, true}} {
			if c.at != nil && (b.at == nil || c.at.Cmp(b.at) < 0 || c.at.Cmp(b.at) == 0 && c.open) {
				b = c
			}
		}
	}
	return b
}

// most returns the smallest of what get returns, and least the largest.
func (as conj) most(get func(*part) *int) int {
	n := math.MaxInt
	for _, a := range as {
		if v := get(a); v != nil {
			n = min(n, *v)
		}
	}
	return n
}

func (as conj) least(get func(*part) *int) int {
	n := 0
	for _, a := range as {
		if v := get(a); v != nil {
			n = max(n, *v)
		}
	}
	return n
}

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
