package event

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/twmb/avro"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
	"github.com/assay-dev/assay/verdict"
)

// memory is a version that stands in memory.
func memory(name, file, text string) contract.Source {
	return contract.Source{Name: name, FS: fstest.MapFS{file: {Data: []byte(text)}}, Path: file}
}

func versionsOf(texts ...string) []contract.Source {
	var all []contract.Source
	for i, text := range texts {
		all = append(all, memory(fmt.Sprintf("v%d", i+1), "event.avsc", text))
	}
	return all
}

// rec is a record with the fields given.
func rec(fields string) string {
	return `{"type": "record", "name": "Order", "namespace": "shop", "fields": [` + fields + `]}`
}

func one(typ string) string { return rec(`{"name": "x", "type": ` + typ + `}`) }

// rules lists what a diff found, as "severity rule path", in its order.
func rules(d contract.Diff) []string {
	var all []string
	for _, f := range d.Findings {
		all = append(all, fmt.Sprintf("%s %s %s", f.Severity, f.Rule, f.Path))
	}
	return all
}

// avroEdits has one edit for each rule: what a writer's and a reader's schema are, and what must be found.
func avroEdits() []struct{ name, writer, reader, want string } {
	enum := func(symbols, more string) string {
		return one(`{"type": "enum", "name": "State", "symbols": [` + symbols + `]` + more + `}`)
	}
	return []struct{ name, writer, reader, want string }{
		{"type", one(`"string"`), one(`"int"`), "break avro-type x"},
		{"narrowed", one(`"long"`), one(`"int"`), "break avro-type x"},
		{"name", one(`{"type": "record", "name": "A", "fields": []}`), one(`{"type": "record", "name": "B", "fields": []}`), "break avro-name x"},
		{"enum name", one(`{"type": "enum", "name": "A", "symbols": ["S"]}`), one(`{"type": "enum", "name": "B", "symbols": ["S"]}`), "break avro-name x"},
		{"fixed name", one(`{"type": "fixed", "name": "A", "size": 2}`), one(`{"type": "fixed", "name": "B", "size": 2}`), "break avro-name x"},
		{"no default", rec(``), one(`"string"`), "break avro-field-without-default x"},
		{"null is no default", rec(``), one(`["null", "string"]`), "break avro-field-without-default x"},
		{"enum symbol", enum(`"A", "B"`, ""), enum(`"A"`, ""), "break avro-enum-symbol x<B>"},
		{"enum symbol with a default", enum(`"A", "B"`, ""), enum(`"A"`, `, "default": "A"`), "risk avro-enum-symbol-defaulted x<B>"},
		{"fixed size", one(`{"type": "fixed", "name": "A", "size": 2}`), one(`{"type": "fixed", "name": "A", "size": 3}`), "break avro-fixed-size x"},
		{"writer's branch", one(`["null", "string"]`), one(`["null", "int"]`), "break avro-union-branch x<string>"},
		{"null to a type that is none", one(`["null", "string"]`), one(`"string"`), "break avro-union-branch x<null>"},
		{"no branch in the reader", one(`"string"`), one(`["null", "int"]`), "break avro-union-branch x"},
		{"decimal scale", one(`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`),
			one(`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 3}`), "break avro-decimal x"},
		{"decimal precision", one(`{"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}`),
			one(`{"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}`), "break avro-decimal x"},
		{"unit of time", one(`{"type": "long", "logicalType": "timestamp-millis"}`),
			one(`{"type": "long", "logicalType": "timestamp-micros"}`), "break avro-logical-type x"},
		{"unit of time, beside the type", rec(`{"name": "x", "type": "long", "logicalType": "timestamp-millis"}`),
			rec(`{"name": "x", "type": "long", "logicalType": "timestamp-micros"}`), "break avro-logical-type x"},
		{"logical type added", one(`"long"`), one(`{"type": "long", "logicalType": "timestamp-micros"}`), "risk avro-logical-type-added x"},
		{"logical type removed", one(`{"type": "int", "logicalType": "date"}`), one(`"int"`), "risk avro-logical-type-removed x"},
		{"logical type of nobody", one(`{"type": "string", "logicalType": "colour"}`), one(`"string"`), "risk avro-logical-type-unknown x"},
		{"ambiguous", rec(`{"name": "a", "type": "int"}, {"name": "b", "type": "int"}`), rec(`{"name": "a", "type": "int", "aliases": ["b"]}`),
			"break avro-field-ambiguous a"},
		{"namespace", one(`{"type": "fixed", "name": "p.A", "size": 2}`), one(`{"type": "fixed", "name": "q.A", "size": 2}`), "risk avro-namespace x"},
		{"precision", one(`"long"`), one(`"double"`), "risk avro-precision-lost x"},
		{"precision of float", one(`"int"`), one(`"float"`), "risk avro-precision-lost x"},
		{"bytes as text", one(`"bytes"`), one(`"string"`), "risk avro-bytes-as-string x"},
		{"in an array", one(`{"type": "array", "items": "string"}`), one(`{"type": "array", "items": "int"}`), "break avro-type x[]"},
		{"in a map", one(`{"type": "map", "values": "string"}`), one(`{"type": "map", "values": "int"}`), "break avro-type x{}"},
		{"in itself", rec(`{"name": "x", "type": "int"}, {"name": "next", "type": ["null", "Order"]}`),
			rec(`{"name": "x", "type": "string"}, {"name": "next", "type": ["null", "Order"]}`), "break avro-type x"},
	}
}

func TestAvroRules(t *testing.T) {
	for _, c := range avroEdits() {
		for _, mode := range []Mode{Backward, Forward} {
			texts := []string{c.writer, c.reader}
			if mode == Forward {
				texts = []string{c.reader, c.writer}
			}
			diff, err := Check(t.Context(), Avro, versionsOf(texts...), mode, contract.Options{})
			if err != nil {
				t.Fatal(c.name, err)
			}
			if got := strings.Join(withoutChanges(diff), "; "); got != c.want {
				t.Errorf("%s, %s: got %q, want %q", c.name, mode, got, c.want)
			}
			if want := verdictOf(c.want); diff.Verdict() != want {
				t.Errorf("%s, %s: got %s, want %s: %v", c.name, mode, diff.Verdict(), want, diff.Gaps)
			}
			for _, f := range diff.Findings {
				if f.Severity == contract.Change {
					continue
				}
				if f.Old.Line == 0 || f.New.Line == 0 {
					t.Errorf("%s: no place: %v", c.name, f)
				}
				if c.name != "ambiguous" && c.name != "namespace" {
					replay(t, f, c.writer, c.reader)
				}
			}
		}
	}
}

func withoutChanges(d contract.Diff) []string {
	var all []string
	for _, r := range rules(d) {
		if !strings.HasPrefix(r, "change") {
			all = append(all, r)
		}
	}
	return all
}

func verdictOf(want string) verdict.Verdict {
	if strings.HasPrefix(want, "break") {
		return verdict.Fail
	}
	return verdict.Pass
}

// replay holds a witness against the library: the writer's schema decodes it, and the reader refuses it, or reads another value.
func replay(t *testing.T, f contract.Finding, writer, reader string) {
	t.Helper()
	if f.Witness == nil {
		t.Errorf("%s %s: no witness", f.Rule, f.Path)
		return
	}
	data, err := hex.DecodeString(f.Witness.Document)
	if err != nil {
		t.Fatal(err)
	}
	w, r := avro.MustParse(writer), avro.MustParse(reader)
	var wrote, read any
	if rest, err := w.Decode(data, &wrote); err != nil || len(rest) > 0 {
		t.Errorf("%s %s: the writer does not decode %s: %v", f.Rule, f.Path, f.Witness.Document, err)
	}
	if text, err := w.EncodeJSON(wrote, avro.TaggedUnions()); err != nil || !json.Valid([]byte(f.Witness.Readable)) {
		t.Errorf("%s: readable is %q, not like %s (%v)", f.Rule, f.Witness.Readable, text, err)
	}
	resolved, err := avro.Resolve(w, r)
	if f.Severity == contract.Break && f.Rule != "avro-logical-type" {
		// The library fills a missing ["null", …] with null. The specification and the Java reader want a default.
		if err == nil && !strings.Contains(f.Text, "is no default") {
			t.Errorf("%s %s: the library reads %s as %s", f.Rule, f.Path, writer, reader)
		}
		return
	}
	if err != nil {
		t.Errorf("%s %s: %v", f.Rule, f.Path, err)
		return
	}
	if _, err := resolved.Decode(data, &read); err == nil && fmt.Sprintf("%#v", wrote) == fmt.Sprintf("%#v", read) && !strings.Contains(f.Rule, "unknown") {
		t.Errorf("%s %s: %s reads as it was written: %#v", f.Rule, f.Path, f.Witness.Document, read)
	}
}

func TestAvroConformance(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(conformance.Dir(t, "avro-compat"), "compatibility-test-data.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases struct {
		Tests []struct {
			Enabled           bool
			ID, Compatibility string
			Original, Updated json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases.Tests {
		passes := map[Mode]bool{}
		for _, mode := range []Mode{Backward, Forward} {
			diff, err := Check(t.Context(), Avro, versionsOf(string(c.Original), string(c.Updated)), mode, contract.Options{})
			if err != nil {
				t.Fatal(c.ID, err)
			}
			passes[mode] = diff.Verdict() == verdict.Pass
			if !passes[mode] && diff.Verdict() != verdict.Fail {
				t.Errorf("%s, %s: undecided: %v", c.ID, mode, diff.Gaps)
			}
		}
		got := map[[2]bool]string{{true, true}: "both", {true, false}: "backward", {false, true}: "forward", {}: "none"}[[2]bool{passes[Backward], passes[Forward]}]
		if c.Enabled && got != c.Compatibility {
			t.Errorf("%s: got %s, want %s", c.ID, got, c.Compatibility)
		}
	}
	t.Logf("%d cases", len(cases.Tests))
}
