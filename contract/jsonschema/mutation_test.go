package jsonschema

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// tree writes a schema that has documents at each of its places, so that each change that narrows one breaks.
func (m maker) tree(depth int) map[string]any {
	kind := m.IntN(7)
	if depth == 0 {
		kind = m.IntN(4)
	}
	switch kind {
	case 0:
		return map[string]any{"type": "string", "minLength": 1 + m.IntN(3), "maxLength": 6 + m.IntN(20)}
	case 1:
		return map[string]any{"type": m.pick("integer", "number"), "minimum": m.IntN(10), "maximum": 20 + m.IntN(50)}
	case 2:
		return map[string]any{"type": "string", "enum": []any{"red", "green", "blue"}}
	case 3:
		return map[string]any{"type": []any{"boolean", "null"}}
	case 4:
		return map[string]any{"type": "array", "items": m.tree(depth - 1), "minItems": m.IntN(2), "maxItems": 3 + m.IntN(4)}
	case 5:
		return map[string]any{"anyOf": []any{m.tree(depth - 1), map[string]any{"type": "null"}}}
	}
	properties := map[string]any{}
	for i := range 2 + m.IntN(4) {
		properties[fmt.Sprintf("p%d", i)] = m.tree(depth - 1)
	}
	return map[string]any{"type": "object", "properties": properties, "required": []any{"p0"}, "additionalProperties": m.IntN(2) == 0}
}

// An edit changes a node of a tree, with a known effect, or returns nil where it does not fit.
type edit struct {
	name   string
	breaks bool
	apply  func(m maker, s map[string]any) map[string]any
}

func with(s map[string]any, keyword string, change func(v any) any) map[string]any {
	old, ok := s[keyword]
	if !ok {
		return nil
	}
	out := maps.Clone(s)
	if out[keyword] = change(old); out[keyword] == nil {
		delete(out, keyword)
	}
	return out
}

func edits() []edit {
	add := func(n int) func(any) any {
		return func(v any) any { i, _ := v.(int); return i + n }
	}
	simple := func(keyword string, change func(any) any) func(maker, map[string]any) map[string]any {
		return func(_ maker, s map[string]any) map[string]any { return with(s, keyword, change) }
	}
	drop := func(any) any { return nil }
	return []edit{
		{"min-length-raised", true, simple("minLength", add(1))},
		{"min-length dropped", false, simple("minLength", drop)},
		{"max-length-lowered", true, simple("maxLength", add(-1))},
		{"max-length raised", false, simple("maxLength", add(1))},
		{"minimum-raised", true, simple("minimum", add(1))},
		{"minimum dropped", false, simple("minimum", drop)},
		{"maximum-lowered", true, simple("maximum", add(-1))},
		{"maximum raised", false, simple("maximum", add(5))},
		{"max-items-lowered", true, simple("maxItems", add(-1))},
		{"min-items-raised", true, simple("minItems", add(1))},
		{"max-items raised", false, simple("maxItems", add(1))},
		{"enum-value-removed", true, simple("enum", func(v any) any { return v.([]any)[:2] })},
		{"enum-value added", false, simple("enum", func(v any) any { return append([]any{"black"}, v.([]any)...) })},
		{"type-narrowed", true, simple("type", func(any) any { return "boolean" })},
		{"type widened", false, simple("type", func(v any) any {
			if t, ok := v.(string); ok {
				return []any{t, "null"}
			}
			return append([]any{"string"}, v.([]any)...)
		})},
		{"any-of-narrowed", true, simple("anyOf", func(v any) any { return v.([]any)[:1] })},
		{"any-of widened", false, simple("anyOf", func(v any) any { return append([]any{map[string]any{"type": "string"}}, v.([]any)...) })},
		{"property-required", true, simple("required", func(any) any { return []any{"p0", "p1"} })},
		{"required dropped", false, simple("required", drop)},
		{"property added", false, func(_ maker, s map[string]any) map[string]any {
			if s["additionalProperties"] != false {
				return nil
			}
			return with(s, "properties", func(v any) any {
				p := maps.Clone(v.(map[string]any))
				p["new"] = map[string]any{"type": "string"}
				return p
			})
		}},
		{"property typed that was open", true, func(_ maker, s map[string]any) map[string]any {
			if s["additionalProperties"] != true {
				return nil
			}
			return with(s, "properties", func(v any) any {
				p := maps.Clone(v.(map[string]any))
				p["new"] = map[string]any{"type": "string"}
				return p
			})
		}},
		{"property removed where closed", true, func(_ maker, s map[string]any) map[string]any {
			if s["additionalProperties"] != false {
				return nil
			}
			return with(s, "properties", func(v any) any { p := maps.Clone(v.(map[string]any)); delete(p, "p1"); return p })
		}},
		{"closed", true, func(_ maker, s map[string]any) map[string]any {
			if s["additionalProperties"] != true {
				return nil
			}
			return with(s, "additionalProperties", func(any) any { return false })
		}},
		{"opened", false, func(_ maker, s map[string]any) map[string]any {
			if s["additionalProperties"] != false {
				return nil
			}
			return with(s, "additionalProperties", func(any) any { return true })
		}},
		{"wrapped in allOf", false, func(_ maker, s map[string]any) map[string]any { return map[string]any{"allOf": []any{s}} }},
		{"wrapped in oneOf", false, func(_ maker, s map[string]any) map[string]any { return map[string]any{"oneOf": []any{s}} }},
		{"described", false, func(_ maker, s map[string]any) map[string]any {
			out := maps.Clone(s)
			out["description"] = "changed"
			return out
		}},
	}
}

// edited applies an edit to the n-th node of a tree, and returns how many nodes it has met.
func edited(v any, n *int, apply func(map[string]any) map[string]any) any {
	s, ok := v.(map[string]any)
	if !ok {
		return v
	}
	if *n--; *n == -1 {
		if out := apply(s); out != nil {
			return out
		}
		*n = 0 // the next one
	}
	out := maps.Clone(s)
	for _, k := range []string{"items"} {
		if x, ok := s[k]; ok {
			out[k] = edited(x, n, apply)
		}
	}
	if p, ok := s["properties"].(map[string]any); ok {
		q := map[string]any{}
		for _, name := range sortedNames(p) {
			q[name] = edited(p[name], n, apply)
		}
		out["properties"] = q
	}
	if list, ok := s["anyOf"].([]any); ok {
		out["anyOf"] = append([]any{edited(list[0], n, apply)}, list[1:]...)
	}
	return out
}

// TestKnownEffects makes pairs by edits whose effect is known: each break must be found, and nothing else may be one or unknown.
func TestKnownEffects(t *testing.T) {
	t.Parallel()
	m := maker{rand.New(rand.NewPCG(5, 1))}
	tried := map[string]int{}
	pairs := 400
	if conformance.Full() {
		pairs = 5000
	}
	for i := range pairs {
		var tree map[string]any
		e := edits()[i%len(edits())]
		changed := any(nil)
		for n := m.IntN(4); changed == nil || encode(changed) == encode(tree); n = m.IntN(2) {
			tree = m.tree(3)
			changed = edited(tree, &n, func(s map[string]any) map[string]any { return e.apply(m, s) })
		}
		from, err := FromValue(tree, Draft2020, nil)
		if err != nil {
			t.Fatal(err)
		}
		to, err := FromValue(changed, Draft2020, nil)
		if err != nil {
			t.Fatal(err)
		}
		tried[e.name]++
		c := Compare(from, to, contract.Options{Seed: uint64(i)})
		replay(t, from, to, c)
		if (len(c.Breaks) > 0) != e.breaks && !nullBranch(tree, changed) || len(c.Gaps) > 0 {
			t.Errorf("%s: got %d breaks and %d gaps %v\n%s\n%s", e.name, len(c.Breaks), len(c.Gaps), c.Gaps, encode(tree), encode(changed))
		}
	}
	total := 0
	for _, e := range edits() {
		if total += tried[e.name]; tried[e.name] < 10 {
			t.Errorf("%s was tried %d times only", e.name, tried[e.name])
		}
	}
	t.Logf("%d pairs", total)
}

// nullBranch reports whether an edit's effect is hidden: null that a branch loses, its neighbour allows.
func nullBranch(tree, changed any) bool {
	from, _ := FromValue(tree, Draft2020, nil)
	to, _ := FromValue(changed, Draft2020, nil)
	p := newProver(from, to)
	return p.subset(conj{from.root}, nil, to.root, "")
}
