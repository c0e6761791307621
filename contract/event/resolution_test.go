package event

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/avro"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// TestResolution goes through the specification's rules of resolution, with what each is worth where the first was written and the
// second reads. The library is asked as well, and agrees but where it is said.
func TestResolution(t *testing.T) {
	named := func(kind, name, more string) string {
		body := map[string]string{"record": `"fields": []`, "enum": `"symbols": ["A", "B"]`, "fixed": `"size": 2`}[kind]
		return one(`{"type": "` + kind + `", "name": "` + name + `", ` + body + more + `}`)
	}
	enum := func(symbols, more string) string {
		return one(`{"type": "enum", "name": "E", "symbols": [` + symbols + `]` + more + `}`)
	}
	const pass, fail = verdict.Pass, verdict.Fail
	for _, c := range []struct {
		name, writer, reader string
		want                 verdict.Verdict
		lib                  bool // the library allows the pair
	}{
		{"int to long", one(`"int"`), one(`"long"`), pass, true}, {"int to float", one(`"int"`), one(`"float"`), pass, true},
		{"int to double", one(`"int"`), one(`"double"`), pass, true}, {"long to float", one(`"long"`), one(`"float"`), pass, true},
		{"long to double", one(`"long"`), one(`"double"`), pass, true}, {"float to double", one(`"float"`), one(`"double"`), pass, true},
		{"string to bytes", one(`"string"`), one(`"bytes"`), pass, true}, {"bytes to string", one(`"bytes"`), one(`"string"`), pass, true},
		{"long to int", one(`"long"`), one(`"int"`), fail, false}, {"double to float", one(`"double"`), one(`"float"`), fail, false},
		{"float to long", one(`"float"`), one(`"long"`), fail, false}, {"int to string", one(`"int"`), one(`"string"`), fail, false},
		{"int to boolean", one(`"int"`), one(`"boolean"`), fail, false}, {"bytes to fixed", one(`"bytes"`), named("fixed", "F", ""), fail, false},
		{"null to int", one(`"null"`), one(`"int"`), fail, false}, {"array to map", one(`{"type": "array", "items": "int"}`), one(`{"type": "map", "values": "int"}`), fail, false},
		{"items promoted", one(`{"type": "array", "items": "int"}`), one(`{"type": "array", "items": "long"}`), pass, true},
		{"values narrowed", one(`{"type": "map", "values": "long"}`), one(`{"type": "map", "values": "int"}`), fail, false},

		{"type renamed", named("record", "A", ""), named("record", "B", ""), fail, false},
		{"type renamed, with an alias", named("record", "A", ""), named("record", "B", `, "aliases": ["A"]`), pass, true},
		{"enum renamed, with an alias", named("enum", "A", ""), named("enum", "B", `, "aliases": ["A"]`), pass, true},
		{"fixed renamed, with an alias", named("fixed", "A", ""), named("fixed", "B", `, "aliases": ["A"]`), pass, true},
		{"an alias of the writer is none", named("record", "A", `, "aliases": ["B"]`), named("record", "B", ""), fail, false},
		{"alias in full", named("record", "A", ""), named("record", "B", `, "aliases": ["shop.A"]`), pass, true},
		{"alias in another namespace", named("record", "q.A", ""), named("record", "B", `, "aliases": ["q.A"]`), pass, true},
		{"alias of another name", named("record", "A", ""), named("record", "B", `, "aliases": ["C"]`), fail, false},
		{"another namespace", named("record", "p.A", ""), named("record", "q.A", ""), pass, true},

		{"field renamed", one(`"int"`), rec(`{"name": "y", "type": "int"}`), fail, false},
		{"field renamed, with an alias", one(`"int"`), rec(`{"name": "y", "type": "int", "aliases": ["x"]}`), pass, true},
		{"field renamed, and of another type", one(`"string"`), rec(`{"name": "y", "type": "int", "aliases": ["x"]}`), fail, false},
		{"field renamed, with an alias, promoted", one(`"int"`), rec(`{"name": "y", "type": "long", "aliases": ["x"]}`), pass, true},
		{"field of the reader with a default", rec(``), rec(`{"name": "x", "type": "int", "default": 1}`), pass, true},
		{"field of the reader without", rec(``), one(`"int"`), fail, false},
		{"field of the writer", one(`"int"`), rec(``), pass, true},
		{"field of the writer, recursive", rec(`{"name": "x", "type": ["null", "Order"]}`), rec(``), pass, true},
		{"fields in another order", rec(`{"name": "a", "type": "int"}, {"name": "b", "type": "string"}`), rec(`{"name": "b", "type": "string"}, {"name": "a", "type": "int"}`), pass, true},
		{"default of a union", rec(``), rec(`{"name": "x", "type": ["int", "null"], "default": 1}`), pass, true},
		{"default of a record", rec(``), rec(`{"name": "x", "type": {"type": "record", "name": "I", "fields": [{"name": "n", "type": "int"}]}, "default": {"n": 1}}`), pass, true},

		{"symbols in another order", enum(`"A", "B"`, ""), enum(`"B", "A"`, ""), pass, true},
		{"symbol of the reader", enum(`"A"`, ""), enum(`"A", "B"`, ""), pass, true},
		{"symbol of the writer", enum(`"A", "B"`, ""), enum(`"A"`, ""), fail, false},
		{"symbol of the writer, a default", enum(`"A", "B"`, ""), enum(`"A"`, `, "default": "A"`), pass, true},
		{"a default of the writer is none", enum(`"A", "B"`, `, "default": "A"`), enum(`"A"`, ""), fail, false},
		{"fixed of another size", named("fixed", "F", ""), one(`{"type": "fixed", "name": "F", "size": 3}`), fail, false},

		{"into a union", one(`"int"`), one(`["null", "int"]`), pass, true}, {"into a union, promoted", one(`"int"`), one(`["null", "double"]`), pass, true},
		{"into a union without it", one(`"int"`), one(`["null", "string"]`), fail, false}, {"out of a union", one(`["null", "int"]`), one(`"int"`), fail, false},
		{"out of a union of one", one(`["int"]`), one(`"int"`), pass, true}, {"branches in another order", one(`["null", "int"]`), one(`["int", "null"]`), pass, true},
		{"a branch more", one(`["null", "int"]`), one(`["null", "int", "string"]`), pass, true}, {"a branch less", one(`["null", "int", "string"]`), one(`["null", "int"]`), fail, false},
		{"branches promoted to one", one(`["int", "float"]`), one(`"double"`), pass, true},
		{"branch renamed, with an alias", one(`["null", {"type": "record", "name": "A", "fields": []}]`), one(`["null", {"type": "record", "name": "B", "aliases": ["A"], "fields": []}]`), pass, true},
		{"branch renamed", one(`["null", {"type": "record", "name": "A", "fields": []}]`), one(`["null", {"type": "record", "name": "B", "fields": []}]`), fail, false},

		{"recursive", rec(`{"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Order"]}`), rec(`{"name": "n", "type": "long"}, {"name": "next", "type": ["null", "Order"]}`), pass, true},
		{"recursive, narrowed", rec(`{"name": "n", "type": "long"}, {"name": "next", "type": ["null", "Order"]}`), rec(`{"name": "n", "type": "int"}, {"name": "next", "type": ["null", "Order"]}`), fail, false},
		{"recursive through two", rec(`{"name": "a", "type": {"type": "record", "name": "I", "fields": [{"name": "o", "type": ["null", "Order"]}, {"name": "n", "type": "string"}]}}`),
			rec(`{"name": "a", "type": {"type": "record", "name": "I", "fields": [{"name": "o", "type": ["null", "Order"]}, {"name": "n", "type": "int"}]}}`), fail, false},
		{"date to int", one(`{"type": "int", "logicalType": "date"}`), one(`"int"`), pass, true},
		{"millis to micros", one(`{"type": "long", "logicalType": "time-micros"}`), one(`{"type": "long", "logicalType": "timestamp-micros"}`), fail, true}, // the bytes fit, and mean another thing
		{"decimal of bytes to fixed", one(`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`), one(`{"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "precision": 4, "scale": 2}`), fail, false},
		{"decimal without a scale", one(`{"type": "bytes", "logicalType": "decimal", "precision": 4}`), one(`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 0}`), pass, true},
	} {
		diff, err := Check(t.Context(), Avro, versionsOf(c.writer, c.reader), Backward, contract.Options{Documents: 40})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff.Verdict() != c.want {
			t.Errorf("%s: got %s, want %s: %v %v", c.name, diff.Verdict(), c.want, withoutChanges(diff), diff.Gaps)
		}
		if got := avro.CheckCompatibility(avro.MustParse(c.writer), avro.MustParse(c.reader)) == nil; got != c.lib {
			t.Errorf("%s: the library allows it: got %v, want %v", c.name, got, c.lib)
		}
	}
}

// TestNet: what the rules overlook, data show. The comparison by rules is left out here, and one of the readers at a time has another schema.
func TestNet(t *testing.T) {
	parse := func(text string) *avroSchema {
		s, err := readAvro(memory("v", "event.avsc", text))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w, r, other := parse(one(`"long"`)), parse(one(`"long"`)), parse(one(`"int"`))
	sub := subject{kind: contract.Avro, name: "n", flow: contract.ToUs, opts: contract.Options{Documents: 20}}
	for name, c := range map[string]struct {
		w, r *avroSchema
		why  string
	}{
		"fine":               {w, r, ""},
		"our reader refuses": {w, &avroSchema{root: other.root, lib: r.lib}, "the reader refuses it"},
		"the writer does not decode it": {&avroSchema{root: parse(one(`"string"`)).root, lib: parse(one(`"boolean"`)).lib}, &avroSchema{root: parse(one(`"string"`)).root, lib: parse(one(`"boolean"`)).lib},
			"the writer's own schema does not decode it"},
	} {
		p, err := sub.try(t.Context(), c.w, c.r)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(p.gaps) == 1 && strings.Contains(p.gaps[0].Why, c.why) && len(p.proofs) == 0; got != (c.why != "") {
			t.Errorf("%s: got %+v, %d proofs", name, p.gaps, len(p.proofs))
		}
	}
}

// plainValue brings what our reader and the library's make of a datum into one form.
func plainValue(v any) any {
	switch x := v.(type) {
	case int:
		return int64(x)
	case int32:
		return int64(x)
	case float32:
		return float64(x)
	case []byte:
		return string(x)
	case map[string]any:
		out := map[string]any{}
		for key, inner := range x {
			out[key] = plainValue(inner)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = plainValue(x[i])
		}
		return out
	}
	return v
}

// TestReadersAgree: two readers that know nothing of each other take the same value from the same bytes, of versions that fit.
func TestReadersAgree(t *testing.T) {
	g := grower{rng: rand.New(rand.NewPCG(11, 11))}
	agreed, kinds := 0, map[string]int{}
	for range 400 {
		root := g.record(2)
		old := text(t, root)
		e := effects()[g.rng.IntN(len(effects()))]
		for _, o := range objects(root) {
			if e.backward && e.apply(&g, o) {
				break
			}
		}
		w, err := readAvro(memory("old", "event.avsc", old))
		if err != nil {
			t.Fatal(err)
		}
		r, err := readAvro(memory("new", "event.avsc", text(t, root)))
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(nodes(r.root), func(s *schema) bool { return s.logical != "" }) {
			continue // the library has types of its own for them
		}
		resolved, err := avro.Resolve(w.lib, r.lib)
		if err != nil {
			t.Fatalf("%s: %v", e.name, err)
		}
		for range 10 {
			data, ok := newGenerator(g.rng).value(nil, w.root, 0)
			if !ok {
				continue
			}
			d := reading{data: data, reached: map[any]bool{}}
			ours, err := d.read(w.root, r.root)
			if err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
			var theirs any
			if _, err := resolved.Decode(data, &theirs); err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
			if got, want := plainValue(ours), plainValue(theirs); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: of %x we read %v, and the library %v\nold %s\nnew %s", e.name, data, got, want, old, text(t, root))
			}
			agreed++
			kinds[e.name]++
		}
	}
	if t.Log(agreed, kinds); agreed < 500 {
		t.Error("too few to tell")
	}
}
