package jsonschema

import (
	"math/big"
	"reflect"
	"slices"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// node of a compiled schema: what both engines work on.
type part = validator.Schema

// A pair is two parts that are compared.
type pair struct{ a, b *part }

// sameness decides whether two parts are written the same, wherever their references lead. It is coinductive: a pair that is
// under way is taken to be the same, as any difference is found elsewhere on the way.
type sameness struct{ under map[pair]bool }

// same reports whether a and b mean the same because they say the same.
func same(a, b *part) bool { return sameness{map[pair]bool{}}.parts(a, b) }

func (s sameness) parts(a, b *part) bool {
	a, b = target(a), target(b)
	if a == b || a == nil || b == nil {
		return a == b
	}
	if s.under[pair{a, b}] {
		return true
	}
	s.under[pair{a, b}] = true
	if a.DraftVersion != b.DraftVersion && (unevaluates(a) || unevaluates(b)) {
		return false
	}
	x, y := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
	for i := range x.NumField() {
		if asserts(x.Type().Field(i).Name) && x.Type().Field(i).IsExported() && !s.values(x.Field(i).Interface(), y.Field(i).Interface()) {
			return false
		}
	}
	return true
}

func unevaluates(s *part) bool { return s.UnevaluatedItems != nil || s.UnevaluatedProperties != nil }

// asserts reports whether a field of the validator's form decides about documents.
func asserts(field string) bool {
	return !slices.Contains([]string{"DraftVersion", "Location", "ID", "Anchor", "RecursiveAnchor", "DynamicAnchor", "Title", "Description", "Default",
		"Comment", "ReadOnly", "WriteOnly", "Examples", "Deprecated"}, field)
}

// target follows references from parts that say nothing else.
func target(s *part) *part {
	for range 100 { // loops are refused when a schema is read
		if s == nil || s.Ref == nil || !onlyRefers(s) {
			return s
		}
		s = s.Ref
	}
	return s
}

func onlyRefers(s *part) bool {
	if s.DraftVersion < 2019 {
		return true
	}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && f.Name != "Ref" && asserts(f.Name) && !v.Field(i).IsZero() {
			return false
		}
	}
	return true
}

func (s sameness) values(x, y any) bool {
	switch x := x.(type) {
	case *part:
		other, ok := y.(*part)
		return ok && s.parts(x, other)
	case []*part:
		return slices.EqualFunc(x, asList(y), s.parts)
	case map[string]*part:
		return sameMaps(s, x, y.(map[string]*part))
	case map[validator.Regexp]*part:
		return sameMaps(s, byText(x), byText(y.(map[validator.Regexp]*part)))
	case map[string]any:
		other := y.(map[string]any)
		for k, v := range x {
			if w, ok := other[k]; !ok || !s.values(v, w) {
				return false
			}
		}
		return len(x) == len(other)
	case validator.Regexp:
		other, ok := y.(validator.Regexp)
		return ok && x.String() == other.String()
	case *validator.Enum:
		return sameSets(enumOf(x), enumOf(y.(*validator.Enum)))
	case *any:
		other := y.(*any)
		return (x == nil) == (other == nil) && (x == nil || encode(*x) == encode(*other))
	case *big.Rat:
		other := y.(*big.Rat)
		return (x == nil) == (other == nil) && (x == nil || x.Cmp(other) == 0)
	case *validator.Format:
		other := y.(*validator.Format)
		return (x == nil) == (other == nil) && (x == nil || x.Name == other.Name)
	case []string:
		other, ok := y.([]string)
		return ok && sameSets(x, other)
	}
	if x, ok := x.(*validator.DynamicRef); ok && x != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

func asList(v any) []*part {
	list, ok := v.([]*part)
	if !ok {
		return []*part{nil, nil, nil}[:0]
	}
	return list
}

func sameMaps(s sameness, x, y map[string]*part) bool {
	for k, v := range x {
		if w, ok := y[k]; !ok || !s.parts(v, w) {
			return false
		}
	}
	return len(x) == len(y)
}

func byText(m map[validator.Regexp]*part) map[string]*part {
	if m == nil {
		return nil
	}
	out := make(map[string]*part, len(m))
	for re, s := range m {
		out[re.String()] = s
	}
	return out
}

func enumOf(e *validator.Enum) []string {
	if e == nil {
		return nil
	}
	out := []string{"enum"}
	for _, v := range e.Values {
		out = append(out, encode(v))
	}
	return out
}

func sameSets(x, y []string) bool {
	x, y = slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	return slices.Equal(slices.Compact(x), slices.Compact(y))
}
