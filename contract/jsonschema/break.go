package jsonschema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// leafOf returns the refusal at the bottom of one: the first in order, as the validator's own order is that of maps.
func leafOf(e *validator.ValidationError) *validator.ValidationError {
	for len(e.Causes) > 0 {
		switch e.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf:
			deeper := deepest(e)
			if deeper == nil {
				return e
			}
			e = deeper
			continue
		case *kind.PropertyNames, *kind.Contains, *kind.MinContains, *kind.Not:
			return e
		}
		e = slices.MinFunc(e.Causes, func(a, b *validator.ValidationError) int { return cmp.Compare(rank(a), rank(b)) })
	}
	return e
}

// reasons names each refusal at the bottom of one: rule, place in the schema and in the value, without indices.
func reasons(e *validator.ValidationError) []string {
	var out []string
	var walk func(e *validator.ValidationError)
	walk = func(e *validator.ValidationError) {
		l := leafOf(e)
		if len(e.Causes) < 2 || l == e {
			at := slices.Clone(l.InstanceLocation)
			for i, token := range at {
				if strings.Trim(token, "0123456789") == "" {
					at[i] = "[]"
				}
			}
			text := strings.Join(at, "/") + " " + ruleOf(l) + " " + l.SchemaURL
			switch k := l.ErrorKind.(type) {
			case *kind.Required:
				text += " " + slices.Min(k.Missing)
			case *kind.AdditionalProperties:
				text += " " + slices.Min(k.Properties)
			}
			out = append(out, text)
			return
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(e)
	slices.Sort(out)
	return slices.Compact(out)
}

func rank(e *validator.ValidationError) string {
	l := e
	if len(e.Causes) > 0 {
		l = leafOf(e)
	}
	return strings.Join(l.InstanceLocation, "/") + " " + ruleOf(l) + " " + l.SchemaURL
}

// deepest returns the branch that refuses something below the value, where the others refuse the value itself: it is the branch
// that was meant.
func deepest(e *validator.ValidationError) *validator.ValidationError {
	if len(e.Causes) == 1 {
		return e.Causes[0]
	}
	var found *validator.ValidationError
	for _, c := range e.Causes {
		if len(leafOf(c).InstanceLocation) > len(e.InstanceLocation) {
			if found != nil {
				return nil
			}
			found = c
		}
	}
	return found
}

// wording is what the validator says of a refusal, with names in order.
func wording(e *validator.ValidationError) string {
	if k, ok := e.ErrorKind.(*kind.AdditionalProperties); ok {
		slices.Sort(k.Properties)
	}
	bare := &validator.ValidationError{ErrorKind: e.ErrorKind, InstanceLocation: e.InstanceLocation}
	text := bare.Error()
	if _, after, ok := strings.Cut(text, "': "); ok && strings.HasPrefix(text, "at '") {
		text = after
	}
	return text
}

// reason words a refusal.
func reason(e *validator.ValidationError) string {
	l := leafOf(e)
	if len(l.InstanceLocation) == 0 {
		return wording(l)
	}
	return fmt.Sprintf("at /%s: %s", strings.Join(l.InstanceLocation, "/"), wording(l))
}

// ruleOf names what a refusal means, by the keyword that refuses.
func ruleOf(l *validator.ValidationError) string {
	switch k := l.ErrorKind.(type) {
	case *kind.Type:
		return "type-narrowed"
	case *kind.Enum:
		return "enum-value-removed"
	case *kind.Const:
		return "const-changed"
	case *kind.Required:
		return "property-required"
	case *kind.AdditionalProperties:
		return "additional-properties-closed"
	case *kind.FalseSchema:
		return "value-forbidden"
	case *kind.MinLength:
		return "min-length-raised"
	case *kind.MaxLength:
		return "max-length-lowered"
	case *kind.Pattern:
		return "pattern-narrowed"
	case *kind.Format:
		return "format-narrowed"
	case *kind.Minimum, *kind.ExclusiveMinimum:
		return "minimum-raised"
	case *kind.Maximum, *kind.ExclusiveMaximum:
		return "maximum-lowered"
	case *kind.MultipleOf:
		return "multiple-of-narrowed"
	case *kind.MinItems:
		return "min-items-raised"
	case *kind.MaxItems:
		return "max-items-lowered"
	case *kind.UniqueItems:
		return "unique-items-required"
	case *kind.AdditionalItems:
		return "additional-items-closed"
	case *kind.Contains, *kind.MinContains, *kind.MaxContains:
		return "contains-narrowed"
	case *kind.MinProperties:
		return "min-properties-raised"
	case *kind.MaxProperties:
		return "max-properties-lowered"
	case *kind.PropertyNames:
		return "property-names-narrowed"
	case *kind.Dependency, *kind.DependentRequired:
		return "dependency-added"
	case *kind.AnyOf:
		return "any-of-narrowed"
	case *kind.OneOf:
		if len(k.Subschemas) > 1 {
			return "one-of-ambiguous"
		}
		return "one-of-narrowed"
	case *kind.Not:
		return "not-widened"
	}
	return "schema-narrowed"
}

// A Rule is what a break can be, for those who list them.
type Rule struct{ ID, Text string }

// Rules returns all rules of breaks and notes, in order.
func Rules() []Rule {
	return []Rule{
		{"type-narrowed", "a type is no longer allowed"},
		{"enum-value-removed", "a value is no longer one of those listed"},
		{"const-changed", "only one value is allowed, and it is another"},
		{"value-forbidden", "what was allowed is forbidden by a schema that is false"},
		{"property-required", "a property that could be left out must be there"},
		{"property-removed", "a property that was named is no longer, and what is not named is refused"},
		{"additional-properties-closed", "properties that are not named are refused"},
		{"property-names-narrowed", "names of properties are refused"},
		{"min-properties-raised", "more properties are demanded"},
		{"max-properties-lowered", "fewer properties are allowed"},
		{"dependency-added", "one property demands another"},
		{"min-length-raised", "a text must be longer"},
		{"max-length-lowered", "a text must be shorter"},
		{"pattern-narrowed", "a text must match a pattern that it did not have to"},
		{"format-narrowed", "a text must have a format, where formats are asserted"},
		{"minimum-raised", "a number must be larger"},
		{"maximum-lowered", "a number must be smaller"},
		{"multiple-of-narrowed", "a number must be a multiple of something else"},
		{"min-items-raised", "a list must be longer"},
		{"max-items-lowered", "a list must be shorter"},
		{"unique-items-required", "a list must not have equal items"},
		{"additional-items-closed", "items beyond those that are named are refused"},
		{"contains-narrowed", "a list must hold something, or not as much of it"},
		{"any-of-narrowed", "a value matches no branch of an anyOf"},
		{"one-of-narrowed", "a value matches no branch of a oneOf"},
		{"one-of-ambiguous", "a value matches more than one branch of a oneOf"},
		{"not-widened", "a value is one that is excluded"},
		{"schema-narrowed", "a value is refused for another reason"},
		{"format-changed", "the format of a text is another: an annotation, which no document shows"},
		{"content-changed", "the encoding or media type within a text is another: an annotation as well"},
	}
}

// explain says what a rule means.
func explain(rule string) string {
	for _, r := range Rules() {
		if r.ID == rule {
			return r.Text
		}
	}
	return rule
}

// pathOf names the value that was refused: for what is missing, or not allowed, the property itself.
func pathOf(l *validator.ValidationError, doc any) string {
	path := ""
	for _, token := range l.InstanceLocation {
		switch v := doc.(type) {
		case []any:
			path += "[]"
			var i int
			if _, err := fmt.Sscan(token, &i); err == nil && i < len(v) {
				doc = v[i]
			}
		case map[string]any:
			path = joinPath(path, token)
			doc = v[token]
		}
	}
	switch k := l.ErrorKind.(type) {
	case *kind.Required:
		return joinPath(path, slices.Min(k.Missing))
	case *kind.AdditionalProperties:
		return joinPath(path, slices.Min(k.Properties))
	}
	return path
}
