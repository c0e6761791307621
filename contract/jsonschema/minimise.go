package jsonschema

import (
	"maps"
	"slices"
)

// minimise drops properties and items while keep still holds, from the top down.
func minimise(doc any, keep func(any) bool) any {
	for tries := 0; tries < 400; {
		smaller := false
		for v := range shrinks(doc) {
			if tries++; tries > 400 {
				break
			}
			if keep(v) {
				doc, smaller = v, true
				break
			}
		}
		if !smaller {
			break
		}
	}
	return doc
}

// shrinks returns each document that lacks one property or item of doc, at any depth.
func shrinks(doc any) func(yield func(any) bool) {
	return func(yield func(any) bool) { shrink(doc, yield) }
}

func shrink(doc any, yield func(any) bool) bool {
	switch v := doc.(type) {
	case map[string]any:
		for _, name := range sortedNames(v) {
			without := maps.Clone(v)
			delete(without, name)
			if !yield(without) {
				return false
			}
		}
		for _, name := range sortedNames(v) {
			with := func(x any) any { m := maps.Clone(v); m[name] = x; return m }
			if !shrink(v[name], func(x any) bool { return yield(with(x)) }) {
				return false
			}
		}
	case []any:
		if len(v) > 3 && !yield(slices.Clone(v[:len(v)/2])) {
			return false
		}
		for i := range min(len(v), 50) {
			if !yield(slices.Delete(slices.Clone(v), i, i+1)) {
				return false
			}
		}
		for i := range min(len(v), 50) {
			with := func(x any) any { l := slices.Clone(v); l[i] = x; return l }
			if !shrink(v[i], func(x any) bool { return yield(with(x)) }) {
				return false
			}
		}
	}
	return true
}
