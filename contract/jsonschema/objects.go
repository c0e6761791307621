package jsonschema

import (
	"fmt"
	"maps"
	"regexp/syntax"
	"slices"
)

// fewInLarge is how many values of a property are tried beside all others: those that are refused come first.
const fewInLarge = 12

// someObjects returns objects around a small and a large one that the way allows: each property with each of its values, without
// each property, with properties that nobody names, and on and beside each bound.
func (g *generator) someObjects(way, hints, bs conj, depth int, few bool) []any {
	values := map[string][]candidate{}
	names := g.propertyNamesOf(hints)
	for _, name := range names {
		values[name] = g.values(way.property(name), append(spread(bs).property(name), hints.unevaluated()...), depth+1)
	}
	o := &objectMaker{g: g, way: way, names: names, values: values}
	small := o.small()
	if small == nil {
		return nil
	}
	large := o.large(small)
	out := []any{small, large}
	if few {
		return append(out, o.random(small, fewCandidates)...)
	}
	inLarge := 1
	if slices.ContainsFunc(hints, weighsTogether) {
		inLarge = fewInLarge
		out = append(out, o.pairs(small)...)
		out = append(out, o.lacking(small)...)
	}
	for _, name := range names {
		for i, c := range values[name] {
			if out = append(out, o.with(small, name, c.value)); i < inLarge {
				out = append(out, o.with(large, name, c.value))
			}
		}
		out = append(out, o.without(small, name), o.without(large, name))
	}
	out = append(out, o.counts(small, hints)...)
	return append(out, o.random(small, 12)...)
}

// weighsTogether reports whether a part says something of properties that depends on others.
func weighsTogether(h *part) bool {
	return len(h.DependentRequired)+len(h.DependentSchemas)+len(h.Dependencies) > 0 || h.UnevaluatedProperties != nil || h.If != nil || h.Not != nil ||
		len(h.AnyOf) > 1 || len(h.OneOf) > 1 || h.MinProperties != nil || h.MaxProperties != nil || h.Enum != nil || h.Const != nil
}

// unevaluated returns what is said of properties and items that nothing else judges: worth a try everywhere.
func (as conj) unevaluated() conj {
	var out conj
	for _, a := range as {
		out = append(out, notNil(a.UnevaluatedProperties, a.UnevaluatedItems)...)
	}
	return out
}

// propertyNamesOf returns the names that hints name, names that match their patterns, and one that nobody names.
func (g *generator) propertyNamesOf(hints conj) []string {
	all := map[string]bool{"extra": true}
	for _, h := range hints {
		for name := range h.Properties {
			all[name] = true
		}
		for _, name := range h.Required {
			all[name] = true
		}
		lists, schemas := dependencies(h)
		for name, list := range lists {
			all[name] = true
			for _, other := range list {
				all[other] = true
			}
		}
		for name := range schemas {
			all[name] = true
		}
		for _, re := range sortedPatterns(h) {
			g.addMatching(all, re.String())
		}
		if h.PropertyNames != nil {
			for _, v := range g.someStrings(spread(conj{h.PropertyNames})) {
				if s := v.(string); len(all) < 40 && len(s) < 300 {
					all[s] = true
				}
			}
			for _, s := range spread(conj{h.PropertyNames}) {
				values, _ := listed(s)
				for _, v := range values {
					if name, ok := v.(string); ok {
						all[name] = true
					}
				}
			}
		}
	}
	return sortedNames(all)
}

// addMatching adds two names that match a pattern.
func (g *generator) addMatching(all map[string]bool, pattern string) {
	text, err := translate(pattern)
	if err != nil {
		return
	}
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return
	}
	all[g.sample(re.Simplify(), 1, 0)] = true
	all[g.sample(re.Simplify(), 2, 1)+"x"] = true
}

// An objectMaker makes objects of one way.
type objectMaker struct {
	g      *generator
	way    conj
	names  []string
	values map[string][]candidate
}

// small returns an object of what is required, or nil where some of that has no value.
func (o *objectMaker) small() map[string]any {
	obj := map[string]any{}
	for _, name := range o.names {
		if !o.way.required(name) {
			continue
		}
		v, ok := calm(o.values[name])
		if !ok {
			return nil
		}
		obj[name] = v
	}
	for i := 0; len(obj) < min(o.way.least(minProperties), 100) && i < 200; i++ {
		o.fill(obj, i)
	}
	return o.complete(obj)
}

// fill adds a property that obj lacks: one that has a name, or one that nobody names.
func (o *objectMaker) fill(obj map[string]any, i int) {
	name := fmt.Sprintf("extra%d", i)
	if i < len(o.names) {
		name = o.names[i]
	}
	if _, has := obj[name]; has {
		return
	}
	values, known := o.values[name]
	if !known {
		values = o.values["extra"]
	}
	if v, ok := calm(values); ok {
		obj[name] = v
	}
}

// complete adds what the way demands where a property is there.
func (o *objectMaker) complete(obj map[string]any) map[string]any {
	for range 3 {
		for _, a := range o.way {
			lists, _ := dependencies(a)
			for _, name := range sortedNames(lists) {
				if _, has := obj[name]; !has {
					continue
				}
				for _, other := range lists[name] {
					if _, has := obj[other]; !has {
						if v, ok := calm(o.values[other]); ok {
							obj[other] = v
						}
					}
				}
			}
		}
	}
	return obj
}

// large adds to an object each property that it may have.
func (o *objectMaker) large(small map[string]any) map[string]any {
	obj := maps.Clone(small)
	for _, name := range o.names {
		if v, ok := calm(o.values[name]); ok && name != "extra" && len(obj) < 60 {
			with := o.with(obj, name, v)
			if _, ok := o.g.admit(o.way, nil, with); ok {
				obj = with
			}
		}
	}
	return obj
}

func (o *objectMaker) with(base map[string]any, name string, v any) map[string]any {
	obj := maps.Clone(base)
	obj[name] = v
	return o.complete(obj)
}

// without drops a property, and adds others where there are too few without it.
func (o *objectMaker) without(base map[string]any, name string) map[string]any {
	obj := maps.Clone(base)
	delete(obj, name)
	for i := 0; len(obj) < min(o.way.least(minProperties), 100) && i < 200; i++ {
		if i >= len(o.names) || o.names[i] != name {
			o.fill(obj, i)
		}
	}
	return obj
}

// lacking returns objects that have one property and lack another.
func (o *objectMaker) lacking(small map[string]any) []any {
	var out []any
	for _, has := range o.names {
		v, ok := calm(o.values[has])
		for _, lacks := range o.names {
			if ok && has != lacks && len(out) < 60 {
				obj := maps.Clone(small)
				obj[has] = v
				out = append(out, o.without(obj, lacks))
			}
		}
	}
	return out
}

// counts returns objects on and beside each bound of how many properties there are.
func (o *objectMaker) counts(small map[string]any, hints conj) []any {
	var out []any
	for _, h := range hints {
		for _, n := range []*int{h.MinProperties, h.MaxProperties} {
			if n == nil || *n > 200 {
				continue
			}
			for want := max(*n-1, 0); want <= *n+1; want++ {
				obj := maps.Clone(small)
				for i := 0; len(obj) < want && i < want+len(o.names); i++ {
					o.fill(obj, i)
				}
				out = append(out, obj)
			}
		}
	}
	return out
}

// pairs returns objects of two properties besides what is required.
func (o *objectMaker) pairs(small map[string]any) []any {
	var out []any
	for i, a := range o.names {
		for _, b := range o.names[i+1:] {
			x, okX := calm(o.values[a])
			y, okY := calm(o.values[b])
			if okX && okY && len(out) < 60 {
				obj := maps.Clone(small)
				obj[a], obj[b] = x, y
				out = append(out, obj)
			}
		}
	}
	return out
}

// random returns objects of properties and values by chance.
func (o *objectMaker) random(small map[string]any, n int) []any {
	var out []any
	for range n {
		obj := maps.Clone(small)
		for _, name := range o.names {
			list := o.values[name]
			if len(list) > 0 && o.g.rng.IntN(2) == 0 {
				obj[name] = list[o.g.rng.IntN(len(list))].value
			}
		}
		out = append(out, o.complete(obj))
	}
	return out
}
