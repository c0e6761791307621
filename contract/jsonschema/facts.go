package jsonschema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
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
