package openapi_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// A mutation changes a generated version in a way whose effect is known. It returns false where it finds nothing to change.
type mutation struct {
	name   string
	breaks bool
	do     func(g *generated, i int) bool
}

// in and out change a field of a request or a response.
func in(field string, change func(p m)) func(*generated, int) bool {
	return field2(true, field, change)
}
func out(field string, change func(p m)) func(*generated, int) bool {
	return field2(false, field, change)
}

func field2(request bool, field string, change func(p m)) func(*generated, int) bool {
	return func(g *generated, i int) bool {
		p, ok := get(g.schema(i, request), "properties")[field].(m)
		if ok {
			change(p)
		}
		return ok
	}
}

func set(key string, v any) func(m) { return func(p m) { p[key] = v } }
func unset(key string) func(m)      { return func(p m) { delete(p, key) } }
func setType(name string) func(p m) { return set("type", name) }
func body(request bool, change func(g *generated, s m) bool) func(*generated, int) bool {
	return func(g *generated, i int) bool { return change(g, g.schema(i, request)) }
}

func require(from, to bool) func(*generated, m) bool {
	return func(g *generated, s m) bool {
		name := g.some(s, from)
		if name == "" {
			return false
		}
		setRequired(s, name, to)
		return true
	}
}

func addField(required bool) func(*generated, m) bool {
	return func(g *generated, s m) bool {
		get(s, "properties")["added"] = m{"type": "integer"}
		if required {
			setRequired(s, "added", true)
		}
		return true
	}
}

func removeField(required bool) func(*generated, m) bool {
	return func(g *generated, s m) bool {
		name := g.some(s, required)
		if name == "" {
			return false
		}
		delete(get(s, "properties"), name)
		setRequired(s, name, false)
		return true
	}
}

// wrap puts the schema of a field into a composition.
func wrap(key string) func(p m) {
	return func(p m) {
		copied := m{}
		for k, v := range p {
			copied[k] = v
			delete(p, k)
		}
		p[key] = []any{copied}
	}
}

func parameter(i int, change func(p m)) func(*generated, int) bool {
	return func(g *generated, op int) bool {
		change(g.op(op)["parameters"].([]any)[i].(m))
		return true
	}
}

func schemaOf(change func(m)) func(m) { return func(p m) { change(get(p, "schema")) } }

func operation(change func(op m)) func(*generated, int) bool {
	return func(g *generated, i int) bool { change(g.op(i)); return true }
}

func addParameter(required bool) func(m) {
	return func(op m) {
		op["parameters"] = append(op["parameters"].([]any), m{"name": "added", "in": "query", "required": required, "schema": m{"type": "string"}})
	}
}

func requestMutations() []mutation {
	return []mutation{
		{"field became required", true, body(true, require(false, true))},
		{"required field added", true, body(true, addField(true))},
		{"optional field added", false, body(true, addField(false))},
		{"field became optional", false, body(true, require(true, false))},
		{"optional field removed", false, body(true, removeField(false))},
		{"text became a number", true, in("text", setType("integer"))},
		{"integer became number", false, in("count", setType("number"))},
		{"number became integer", true, in("price", setType("integer"))},
		{"enum value removed", true, in("state", set("enum", []any{"new", "paid"}))},
		{"enum value added", false, in("state", set("enum", []any{"new", "paid", "sent", "lost"}))},
		{"enum gone", false, in("state", unset("enum"))},
		{"enum set", true, in("text", set("enum", []any{"a", "b"}))},
		{"maximum lowered", true, in("count", set("maximum", 50))},
		{"maximum raised", false, in("count", set("maximum", 500))},
		{"minimum raised", true, in("count", set("minimum", 2))},
		{"minimum gone", false, in("count", unset("minimum"))},
		{"multipleOf set", true, in("count", set("multipleOf", 5))},
		{"minLength raised", true, in("name", set("minLength", 3))},
		{"maxLength gone", false, in("name", unset("maxLength"))},
		{"pattern set", true, in("text", set("pattern", "^[a-z]+$"))},
		{"maxItems lowered", true, in("lines", set("maxItems", 2))},
		{"maxItems raised", false, in("lines", set("maxItems", 9))},
		{"uniqueItems set", true, in("lines", set("uniqueItems", true))},
		{"items changed", true, in("lines", set("items", m{"type": "integer"}))},
		{"no more fields", true, body(true, func(_ *generated, s m) bool { s["additionalProperties"] = false; return true })},
		{"not added", true, in("text", set("not", m{"enum": []any{"none"}}))},
		{"null no more", true, in("note", unset("nullable"))},
		{"null allowed", false, in("text", set("nullable", true))},
		{"allOf of one", false, in("text", wrap("allOf"))},
		{"oneOf of one", false, in("count", wrap("oneOf"))},
		{"anyOf of one", false, in("lines", wrap("anyOf"))},
		{"enum to a wider anyOf", false, in("state", func(p m) {
			wrap("anyOf")(p)
			p["anyOf"] = append(p["anyOf"].([]any), m{"type": "integer"})
		})},
		{"description", false, in("text", set("description", "a text"))},
		{"body required", true, operation(func(op m) { get(op, "requestBody")["required"] = true })},
		{"media type removed", true, operation(func(op m) { delete(get(op, "requestBody", "content"), "text/plain") })},
		{"media type added", false, operation(func(op m) { get(op, "requestBody", "content")["text/csv"] = m{"schema": m{"type": "string"}} })},
	}
}

func otherMutations() []mutation {
	return []mutation{
		{"response: required field removed", true, body(false, removeField(true))},
		{"response: optional field removed", false, body(false, removeField(false))},
		{"response: field became optional", true, body(false, require(true, false))},
		{"response: field became required", false, body(false, require(false, true))},
		{"response: field added", false, body(false, addField(false))},
		{"response: required field added", false, body(false, addField(true))},
		{"response: enum value added", true, out("state", set("enum", []any{"new", "paid", "sent", "lost"}))},
		{"response: enum value removed", false, out("state", set("enum", []any{"new"}))},
		{"response: integer became number", true, out("count", setType("number"))},
		{"response: number became integer", false, out("price", setType("integer"))},
		{"response: null allowed", true, out("text", set("nullable", true))},
		{"response: null no more", false, out("note", unset("nullable"))},
		{"response: maximum raised", true, out("count", set("maximum", 500))},
		{"response: maximum lowered", false, out("count", set("maximum", 50))},
		{"response: maxLength gone", true, out("name", unset("maxLength"))},
		{"response: allOf of one", false, out("state", wrap("allOf"))},
		{"response: media type removed", true, operation(func(op m) { delete(get(op, "responses", "200", "content"), "text/plain") })},
		{"success removed", true, operation(func(op m) { delete(get(op, "responses"), "202") })},
		{"404 removed", false, operation(func(op m) { delete(get(op, "responses"), "404") })},
		{"409 added", false, operation(func(op m) { get(op, "responses")["409"] = m{"description": "twice"} })},
		{"required parameter added", true, operation(addParameter(true))},
		{"optional parameter added", false, operation(addParameter(false))},
		{"parameter became required", true, parameter(1, set("required", true))},
		{"header became optional", false, parameter(4, set("required", false))},
		{"parameter: maximum lowered", true, parameter(1, schemaOf(set("maximum", 10)))},
		{"parameter: maximum raised", false, parameter(1, schemaOf(set("maximum", 1000)))},
		{"parameter: enum value removed", true, parameter(2, schemaOf(set("enum", []any{"a"})))},
		{"parameter: enum value added", false, parameter(2, schemaOf(set("enum", []any{"a", "b", "c", "d"})))},
		{"parameter: number to text", false, parameter(1, set("schema", m{"type": "string"}))},
		{"parameter: written otherwise", true, parameter(3, set("explode", false))},
		{"operation removed", true, func(g *generated, i int) bool { delete(get(g.doc, "paths"), g.ops[i]); return true }},
		{"operation added", false, func(g *generated, i int) bool {
			get(g.doc, "paths", g.ops[i])["delete"] = m{"parameters": g.op(i)["parameters"], "responses": m{"204": m{"description": "gone"}}}
			return true
		}},
	}
}

// pairs says how many to try: ASSAY_PAIRS makes it many.
func pairs() int {
	if n, err := strconv.Atoi(os.Getenv("ASSAY_PAIRS")); err == nil {
		return n
	}
	if conformance.Full() {
		return 1000
	}
	return conformance.Fewer(200)
}

// Each mutation of a generated version is found where it breaks, and silent where it does not.
func TestGeneratedPairs(t *testing.T) {
	all := append(requestMutations(), otherMutations()...)
	missed, alarms, gaps, replayed, harmless, breaking := 0, 0, 0, 0, 0, 0
	for seed := range pairs() {
		g := generate(uint64(seed), 2)
		mutant := all[seed%len(all)]
		changed := g.clone()
		if !mutant.do(changed, g.rng.IntN(2)) {
			continue
		}
		old, new := g.json(), changed.json()
		d := diff(t, old, new)
		broken := len(d.Findings) > 0 && d.Findings[0].Severity == contract.Break
		switch {
		case mutant.breaks && !broken:
			missed++
			t.Errorf("seed %d: %s: missed%s", seed, mutant.name, show(d))
		case !mutant.breaks && broken:
			alarms++
			t.Logf("seed %d: %s: false alarm%s", seed, mutant.name, show(d))
		}
		if mutant.breaks {
			breaking++
		} else {
			harmless++
		}
		if gaps += len(d.Gaps); len(d.Gaps) > 0 {
			t.Logf("seed %d: %s: gap%s", seed, mutant.name, show(d))
		}
		replayed += replayAll(t, old, new, d)
	}
	t.Logf("%d operators; %d breaking pairs, %d missed; %d harmless pairs, %d false alarms; %d gaps; %d witnesses replayed",
		len(all), breaking, missed, harmless, alarms, gaps, replayed)
	if alarms*100 > harmless {
		t.Errorf("%d false alarms of %d harmless pairs: more than 1 %%", alarms, harmless)
	}
	if len(all) < 25 {
		t.Errorf("%d operators", len(all))
	}
}
