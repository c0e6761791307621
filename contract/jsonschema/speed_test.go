package jsonschema

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// pairsOf makes schemas of the usual size, of which a tenth changed, and parses them.
func pairsOf(t testing.TB, n int) [][2]*Schema {
	m := maker{rand.New(rand.NewPCG(9, 1))}
	out := make([][2]*Schema, n)
	for i := range out {
		tree := m.tree(3)
		for len(encode(tree)) < 800 {
			tree = m.tree(3)
		}
		changed := any(tree)
		if i%10 == 0 {
			e := edits()[i/10%len(edits())]
			at := m.IntN(4)
			changed = edited(tree, &at, func(s map[string]any) map[string]any { return e.apply(m, s) })
		}
		from, err := FromValue(tree, Draft2020, nil)
		if err != nil {
			t.Fatal(err)
		}
		to, err := FromValue(changed, Draft2020, nil)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = [2]*Schema{from, to}
	}
	return out
}

// TestSpeed compares a thousand schemas, which is to take seconds. The limit is wide: machines are shared.
func TestSpeed(t *testing.T) {
	n := 200
	if conformance.Full() {
		n = 1000
	}
	start := time.Now()
	pairs := pairsOf(t, n)
	read := time.Since(start)
	start = time.Now()
	for _, p := range pairs {
		Compare(p[0], p[1], contract.Options{Seed: 1})
	}
	took := time.Since(start)
	t.Logf("read %d schemas in %s, compared %d pairs in %s", 2*n, read, n, took)
	if took > 60*time.Second {
		t.Errorf("%d comparisons took %s", n, took)
	}
}

// TestSameSeed sees that nothing depends on the order of maps, and that comparisons do not disturb each other.
func TestSameSeed(t *testing.T) {
	t.Parallel()
	old := parse(t, `{"type": "object", "properties": {"a": {"type": ["string", "null"], "pattern": "^[a-z]+$"}, "b": {"anyOf": [{"type": "integer"}, {"type": "string"}]}, "c": {"type": "array", "items": {"enum": [1, 2, 3]}}}}`)
	new := parse(t, `{"type": "object", "properties": {"a": {"type": "string", "pattern": "^[a-y]+$"}, "b": {"anyOf": [{"type": "integer", "minimum": 3}, {"type": "string"}]}, "c": {"type": "array", "items": {"enum": [1, 2]}, "uniqueItems": true}}, "required": ["a"], "additionalProperties": false}`)
	want := fmt.Sprintf("%+v", Compare(old, new, contract.Options{Seed: 4}))
	done := make(chan string)
	for range 8 {
		go func() { done <- fmt.Sprintf("%+v", Compare(old, new, contract.Options{Seed: 4})) }()
	}
	for range 8 {
		if got := <-done; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	var rules []string
	for _, b := range Compare(old, new, contract.Options{Seed: 4}).Breaks {
		rules = append(rules, b.Path+" "+b.Rule)
		if b.From.Line == 0 || b.To.Line == 0 {
			t.Errorf("%+v has no place", b)
		}
	}
	for _, w := range []string{"a property-required", "a type-narrowed", "a pattern-narrowed", "b any-of-narrowed", "c unique-items-required", "c[] enum-value-removed", "extra additional-properties-closed"} {
		if !slices.Contains(rules, w) {
			t.Errorf("no %q in %q", w, rules)
		}
	}
}

// BenchmarkCompare compares a hundred schemas that changed, each at one place, as those have that people keep.
func BenchmarkCompare(b *testing.B) {
	m := maker{rand.New(rand.NewPCG(5, 1))}
	var pairs [][2]*Schema
	for i := 0; len(pairs) < 100; i++ {
		tree := m.tree(3)
		at := m.IntN(4)
		e := edits()[i%len(edits())]
		changed := edited(tree, &at, func(s map[string]any) map[string]any { return e.apply(m, s) })
		from, _ := FromValue(tree, Draft2020, nil)
		to, _ := FromValue(changed, Draft2020, nil)
		if from.canon != to.canon {
			pairs = append(pairs, [2]*Schema{from, to})
		}
	}
	for b.Loop() {
		for _, p := range pairs {
			Compare(p[0], p[1], contract.Options{Seed: 1})
		}
	}
}
