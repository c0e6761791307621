package event

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// bomb is YAML whose aliases stand for 10^9 values.
func bomb() string {
	var b strings.Builder
	b.WriteString("asyncapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10), ", "))
	}
	return b.String()
}

func TestBadAsync(t *testing.T) {
	const head = "asyncapi: 3.0.0\n"
	for _, c := range []struct{ name, doc, want string }{
		{"nothing", "", "async.yaml: the file is empty"},
		{"no version", "info: {}\n", `async.yaml:1:1: no key "asyncapi"`},
		{"version", "asyncapi: 1.2.0\n", "async.yaml:1:11: AsyncAPI 1.2.0 is not read: versions 2 and 3 are"},
		{"no YAML", head + "a: [\n", "async.yaml: not YAML"},
		{"twice", head + "info: {}\ninfo: {}\n", `async.yaml:3:1: the key "info" is written twice`},
		{"UTF-8", head + "info: {title: \"\xff\"}\n", "async.yaml:2:16: a byte that is not UTF-8"},
		{"bomb", bomb(), "values, counting aliases as often as they are used"},
		{"endless alias", head + "a: &a\n  b: *a\n", "stands within what it names"},
		{"deep", head + "a: " + strings.Repeat("[", 600) + strings.Repeat("]", 600), "nested deeper than 512"},
		{"cyclic", head + "channels: {a: {$ref: '#/channels/b'}, b: {$ref: '#/channels/a'}}\n", "references lead to one another"},
		{"remote", head + "channels: {a: {$ref: 'https://example.com/a.yaml'}}\n", "references to other hosts are refused unless they are allowed"},
		{"missing", head + "channels: {a: {$ref: '#/components/channels/a'}}\n", "async.yaml:2:22: $ref \"#/components/channels/a\": async.yaml has nothing at /components"},
		{"outside", head + "channels: {a: {$ref: '../secret.yaml'}}\n", "outside of the version's folder"},
		{"no file", head + "channels: {a: {$ref: 'a.yaml'}}\n", "a.yaml"},
		{"action", head + "operations: {a: {action: shout}}\n", `async.yaml:2:17: the operation "a" has the action "shout"`},
		{"no channel", head + "operations: {a: {action: send}}\n", "names no channel of this document"},
		{"message", head + "channels: {a: {messages: {m: 3}}}\n", "async.yaml:2:30: a message must be an object"},
		{"Avro", head + "channels: {a: {messages: {m: {payload: {schemaFormat: application/vnd.apache.avro, schema: {type: nothing}}}}}}\n", "async.yaml:2:92: not an Avro schema"},
	} {
		src := memory("bad", "async.yaml", c.doc)
		_, err := Diff(t.Context(), src, src, contract.Options{Documents: 10})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestBadAvro(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "event.avsc:1:1: not JSON: the document ends"},
		{"half", `{"type": `, "event.avsc:1:10: not JSON"},
		{"more", `"int" "int"`, "event.avsc:1:7: text after the end"},
		{"twice", `{"type": "int", "type": "long"}`, `event.avsc:1:17: the key "type" is written twice`},
		{"unknown", `{"type": "record", "name": "A", "fields": [{"name": "b", "type": "B"}]}`, "not an Avro schema"},
		{"deep", strings.Repeat(`{"type":"array","items":`, 600) + `"int"` + strings.Repeat("}", 600), "nested deeper than 512"},
		{"UTF-8", "\"\xff\"", "event.avsc:1:2: a byte that is not UTF-8"},
	} {
		_, err := Check(t.Context(), Avro, versionsOf(c.text), Full, contract.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Check(t.Context(), Avro, []contract.Source{{Name: "v1", FS: fstest.MapFS{}, Path: "."}}, Full, contract.Options{}); err == nil || !strings.Contains(err.Error(), "is one file") {
		t.Error(err)
	}
	if _, err := Check(t.Context(), "xml", versionsOf(`"int"`), Full, contract.Options{}); err == nil || !strings.Contains(err.Error(), `no format of schemas is called "xml"`) {
		t.Error(err)
	}
	if _, err := Check(t.Context(), Avro, nil, Full, contract.Options{}); err == nil {
		t.Error("no version at all was checked")
	}
}

// A record that needs itself has no datum that ends: nothing can show that it is read.
func TestNoDatum(t *testing.T) {
	endless := rec(`{"name": "x", "type": "Order"}`)
	diff, err := Check(t.Context(), Avro, versionsOf(endless, endless), Backward, contract.Options{})
	if err != nil || diff.Verdict() != verdict.Unknown || len(diff.Gaps) != 1 {
		t.Errorf("got %s, %v, %v", diff.Verdict(), diff.Gaps, err)
	}
}

// Each record holds the last twice: its data double with each.
func TestDatumBomb(t *testing.T) {
	text := `{"type": "record", "name": "R0", "fields": []}`
	for i := 1; i < 20; i++ {
		text = fmt.Sprintf(`{"type": "record", "name": "R%d", "fields": [{"name": "a", "type": %s}, {"name": "b", "type": "R%d"}]}`, i, text, i-1)
	}
	diff, err := Check(t.Context(), Avro, versionsOf(text, text), Full, contract.Options{})
	if err != nil || diff.Verdict() != verdict.Unknown {
		t.Errorf("got %s, %v", diff.Verdict(), err)
	}
}

func TestRemoteAllowed(t *testing.T) {
	asked := ""
	opts := contract.Options{Documents: 10, Remote: func(url string) ([]byte, error) {
		asked = url
		return []byte("address: a\n"), nil
	}}
	src := memory("v", "async.yaml", "asyncapi: 3.0.0\nchannels: {a: {$ref: 'https://example.com/a.yaml'}}\n")
	if _, err := Diff(t.Context(), src, src, opts); err != nil || asked != "https://example.com/a.yaml" {
		t.Error(asked, err)
	}
	opts.Remote = func(string) ([]byte, error) { return nil, errors.New("no route") }
	if _, err := Diff(t.Context(), src, src, opts); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Error(err)
	}
}

// Four versions: the third dropped a field's default, which only data of the first are without.
func TestModes(t *testing.T) {
	v1 := rec(`{"name": "id", "type": "string"}`)
	v2 := rec(`{"name": "id", "type": "string"}, {"name": "at", "type": "long", "default": 0}`)
	v3 := rec(`{"name": "id", "type": "string"}, {"name": "at", "type": "long"}`)
	wider := rec(`{"name": "id", "type": "string"}, {"name": "at", "type": "double", "default": 0}`)
	for _, c := range []struct {
		mode     Mode
		versions []contract.Source
		want     verdict.Verdict
	}{
		{Backward, versionsOf(v1, v2, v3), verdict.Pass},
		{BackwardTransitive, versionsOf(v1, v2, v3), verdict.Fail},
		{Forward, versionsOf(v3, v2, v1), verdict.Pass},
		{ForwardTransitive, versionsOf(v3, v2, v1), verdict.Fail},
		{Backward, versionsOf(v2, wider), verdict.Pass},
		{Forward, versionsOf(v2, wider), verdict.Fail},
		{Full, versionsOf(v2, wider), verdict.Fail},
		{Full, versionsOf(v1, v2), verdict.Pass},
		{FullTransitive, versionsOf(v1, v2, v3), verdict.Fail},
		{None, versionsOf(v1, one(`"int"`)), verdict.Pass},
		{Full, versionsOf(v1), verdict.Pass},
	} {
		diff, err := Check(t.Context(), Avro, c.versions, c.mode, contract.Options{Documents: 20})
		if err != nil || diff.Verdict() != c.want {
			t.Errorf("%s of %d versions: got %s, want %s: %v %v", c.mode, len(c.versions), diff.Verdict(), c.want, rules(diff), err)
		}
	}
	if m, err := ParseMode("full-transitive"); m != FullTransitive || err != nil {
		t.Error(m, err)
	}
	if _, err := ParseMode("half"); err == nil || !strings.Contains(err.Error(), "NONE, BACKWARD, BACKWARD_TRANSITIVE") {
		t.Error(err)
	}
}

func TestModesJSON(t *testing.T) {
	source := func(text string) contract.Source { return memory(text, "event.json", text) }
	open := `{"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}`
	required := `{"type": "object", "properties": {"id": {"type": "string"}, "at": {"type": "integer"}}, "required": ["id", "at"]}`
	optional := `{"type": "object", "properties": {"id": {"type": "string"}, "at": {"type": "integer"}}, "required": ["id"]}`
	closed := `{"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"], "additionalProperties": false}`
	for _, c := range []struct {
		mode     Mode
		old, new string
		want     string
	}{
		{Backward, open, required, "break json-property-required event.json (old writes, new reads) at"},
		{Forward, open, required, "change json-property-added event.json at"},
		{Backward, open, optional, "risk json-type-narrowed event.json (old writes, new reads) at"},
		{Forward, open, optional, "change json-property-added event.json at"},
		{Backward, open, closed, "break json-additional-properties-closed"},
		{Forward, open, closed, ""},
		{Full, open, open, ""},
	} {
		diff, err := Check(t.Context(), JSON, []contract.Source{source(c.old), source(c.new)}, c.mode, contract.Options{Documents: 40})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Split(strings.ReplaceAll(summary(diff), "change json-schema-changed event.json ", ""), "; "), "")
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s, %s to %s: got %q, want %q", c.mode, c.old, c.new, got, c.want)
		}
	}
}

func FuzzAsync(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte(shop2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("large inputs only slow the search down")
		}
		src := asyncSource("fuzz", string(data), billed)
		diff, err := Diff(t.Context(), src, src, contract.Options{Documents: 5})
		if err == nil && diff.Verdict() == verdict.Fail {
			t.Errorf("a document breaks itself: %s", summary(diff))
		}
	})
}

func FuzzAvro(f *testing.F) {
	f.Add(billed, billed)
	for _, c := range avroEdits() {
		f.Add(c.writer, c.reader)
	}
	f.Fuzz(func(t *testing.T, old, new string) {
		if len(old)+len(new) > 4<<10 {
			t.Skip("large inputs only slow the search down")
		}
		diff, err := Check(t.Context(), Avro, versionsOf(old, new), Full, contract.Options{Documents: 5})
		if err == nil && old == new && diff.Verdict() == verdict.Fail {
			t.Errorf("a schema breaks itself: %s", summary(diff))
		}
	})
}

// TestManyChannels: what is wide costs no more than it must.
func TestManyChannels(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("asyncapi: 3.0.0\nchannels:\n")
	const many = 2000
	for i := range many {
		fmt.Fprintf(&doc, "  c%d: {address: 'a/{id}/%d', messages: {m: {name: m}}}\n", i, i)
	}
	doc.WriteString("operations:\n")
	for i := range many {
		fmt.Fprintf(&doc, "  o%d: {action: send, channel: {$ref: '#/channels/c%d'}}\n", i, i)
	}
	renamed := strings.ReplaceAll(doc.String(), "  c", "  d")
	renamed = strings.ReplaceAll(renamed, "channels/c", "channels/d")
	start := time.Now()
	diff, err := Diff(t.Context(), memory("old", "a.yaml", doc.String()), memory("new", "a.yaml", renamed), contract.Options{Documents: 1})
	if err != nil || diff.Verdict() != verdict.Pass {
		t.Errorf("got %s, %v: %.300s", diff.Verdict(), err, summary(diff))
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("%d channels took %s", many, took)
	} else {
		t.Log(took)
	}
	for _, c := range [][2]string{{"a/{b}/c", "a/{}/c"}, {"{b}{c}", "{}{}"}, {"a{b", "a{b"}, {"}a{b}", "}a{}"}, {"", ""}, {"a{b}c{", "a{}c{"}} {
		if got := shape(c[0]); got != c[1] {
			t.Errorf("%s: got %q, want %q", c[0], got, c[1])
		}
	}
}
