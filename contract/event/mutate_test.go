package event

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// A grower makes Avro schemas, as values of encoding/json.
type grower struct {
	rng  *rand.Rand
	next int // of names
}

func (g *grower) name(prefix string) string {
	g.next++
	return fmt.Sprintf("%s%d", prefix, g.next)
}

func (g *grower) schema(depth int) any {
	kinds := []string{"boolean", "int", "long", "float", "double", "string", "bytes", "enum", "fixed", "date", "decimal", "array", "map", "optional", "record"}
	n := len(kinds)
	if depth >= 4 {
		n -= 4
	}
	switch kind := kinds[g.rng.IntN(n)]; kind {
	case "enum":
		return map[string]any{"type": "enum", "name": g.name("E"), "symbols": []any{"A", "B", "C"}}
	case "fixed":
		return map[string]any{"type": "fixed", "name": g.name("F"), "size": 3}
	case "date":
		return map[string]any{"type": "int", "logicalType": "date"}
	case "decimal":
		return map[string]any{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}
	case "array":
		return map[string]any{"type": "array", "items": g.schema(depth + 1)}
	case "map":
		return map[string]any{"type": "map", "values": g.schema(depth + 1)}
	case "optional":
		return []any{"null", g.record(depth + 1)}
	case "record":
		return g.record(depth + 1)
	default:
		return map[string]any{"type": kind}
	}
}

func (g *grower) record(depth int) map[string]any {
	fields := []any{}
	for i := range 2 + g.rng.IntN(4) {
		fields = append(fields, map[string]any{"name": fmt.Sprintf("f%d", i), "type": g.schema(depth)})
	}
	return map[string]any{"type": "record", "name": g.name("R"), "fields": fields}
}

// An effect is what a mutation does to those who write the old and read the new, and the other way round.
type effect struct {
	name              string
	backward, forward bool // still compatible
	apply             func(g *grower, o map[string]any) bool
}

func retype(from, to any) func(*grower, map[string]any) bool {
	return func(_ *grower, o map[string]any) bool {
		if o["type"] != from || len(o) != 1 {
			return false
		}
		o["type"] = to
		return true
	}
}

func edit(kind string, f func(o map[string]any)) func(*grower, map[string]any) bool {
	return func(_ *grower, o map[string]any) bool {
		if o["type"] != kind {
			return false
		}
		f(o)
		return true
	}
}

func addField(more ...any) func(o map[string]any) {
	return func(o map[string]any) {
		field := map[string]any{"name": "added", "type": "string"}
		if len(more) > 0 {
			field["default"] = more[0]
		}
		o["fields"] = append([]any{field}, o["fields"].([]any)...)
	}
}

func effects() []effect {
	dropLast := func(o map[string]any) { o["fields"] = o["fields"].([]any)[1:] }
	decimals := func(o map[string]any) bool { return o["logicalType"] == "decimal" }
	return []effect{
		{"field added", false, true, edit("record", addField())},
		{"field added with a default", true, true, edit("record", addField("x"))},
		{"field removed", true, false, edit("record", dropLast)},
		{"fields in another order", true, true, edit("record", func(o map[string]any) {
			f := o["fields"].([]any)
			o["fields"] = append(append([]any{}, f[1:]...), f[0])
		})},
		{"documentation", true, true, edit("record", func(o map[string]any) { o["doc"] = "words" })},
		{"record renamed", false, false, edit("record", func(o map[string]any) { o["name"] = "Other" })},
		{"symbol added", true, false, edit("enum", func(o map[string]any) { o["symbols"] = []any{"A", "B", "C", "D"} })},
		{"symbol removed", false, true, edit("enum", func(o map[string]any) { o["symbols"] = []any{"A", "C"} })},
		{"symbols in another order", true, true, edit("enum", func(o map[string]any) { o["symbols"] = []any{"C", "A", "B"} })},
		{"fixed size", false, false, edit("fixed", func(o map[string]any) { o["size"] = 4 })},
		{"int to long", true, false, retype("int", "long")},
		{"long to int", false, true, retype("long", "int")},
		{"float to double", true, false, retype("float", "double")},
		{"string to bytes", true, true, retype("string", "bytes")},
		{"string to int", false, false, retype("string", "int")},
		{"boolean to long", false, false, retype("boolean", "long")},
		{"made optional", true, false, retype("string", []any{"null", "string"})},
		{"scale", false, false, func(_ *grower, o map[string]any) bool {
			if !decimals(o) {
				return false
			}
			o["scale"] = 1
			return true
		}},
		{"unit", false, false, func(_ *grower, o map[string]any) bool {
			if o["logicalType"] != "date" {
				return false
			}
			o["logicalType"] = "time-millis"
			return true
		}},
	}
}

// objects lists all objects of a schema that a mutation may apply to.
func objects(v any) []map[string]any {
	var all []map[string]any
	switch x := v.(type) {
	case map[string]any:
		all = append(all, x)
		for _, key := range []string{"fields", "items", "values", "type"} {
			all = append(all, objects(x[key])...)
		}
	case []any:
		for _, item := range x {
			all = append(all, objects(item)...)
		}
	}
	return all
}

// A "type" of a primitive that became a union must stand without its object.
func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(unwrap(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func unwrap(v any) any {
	switch x := v.(type) {
	case map[string]any:
		if inner, ok := x["type"].([]any); ok && len(x) == 1 {
			return inner
		}
		out := map[string]any{}
		for k, inner := range x {
			out[k] = unwrap(inner)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = unwrap(x[i])
		}
		return out
	}
	return v
}

// TestAvroMutations makes schemas, breaks each in one known way, and wants it found, with a witness that replays, and nothing else.
func TestAvroMutations(t *testing.T) {
	const seed, want = 7, 5000
	pairs := 400
	if testing.Short() {
		pairs = 100
	}
	if conformance.Full() {
		pairs = want
	}
	g := grower{rng: rand.New(rand.NewPCG(seed, seed))}
	seen := map[string]int{}
	for made := 0; made < pairs; {
		root := g.record(0)
		old := text(t, root)
		e := effects()[g.rng.IntN(len(effects()))]
		places := objects(root)
		applied := false
		for _, i := range g.rng.Perm(len(places)) {
			if applied = e.apply(&g, places[i]); applied {
				break
			}
		}
		if !applied {
			continue
		}
		made++
		seen[e.name]++
		checkMutation(t, fmt.Sprintf("seed %d, pair %d", seed, made), e, old, text(t, root))
	}
	for _, e := range effects() {
		if seen[e.name] == 0 {
			t.Errorf("no pair has %q", e.name)
		}
	}
}

func checkMutation(t *testing.T, which string, e effect, old, new string) {
	t.Helper()
	for mode, compatible := range map[Mode]bool{Backward: e.backward, Forward: e.forward} {
		diff, err := Check(t.Context(), Avro, versionsOf(old, new), mode, contract.Options{Documents: 20})
		if err != nil {
			t.Fatalf("%s: %v", which, err)
		}
		if got := !strings.Contains(strings.Join(rules(diff), "\n"), "break "); got != compatible || len(diff.Gaps) > 0 {
			t.Errorf("%s, %s, %s: compatible: got %v, want %v: %v %v\nold %s\nnew %s", which, e.name, mode, got, compatible, rules(diff), diff.Gaps, old, new)
		}
		w, r := old, new
		if mode == Forward {
			w, r = new, old
		}
		for _, f := range diff.Findings {
			if f.Severity == contract.Break {
				replay(t, f, w, r)
			}
		}
	}
}
