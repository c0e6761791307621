package event

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const placed = "syntax = \"proto3\";\npackage shop;\nmessage Placed {\n  string id = 1;\n  int32 qty = 2;\n}\n"

// Versions of one message, and what each mode says of the last. A witness is of the direction that the finding names; that each can
// be replayed is shown in package proto.
func TestModesProtobuf(t *testing.T) {
	wider := strings.Replace(placed, "int32 qty", "int64 qty", 1)
	text := strings.Replace(placed, "int32 qty", "string qty", 1)
	renamed := strings.Replace(placed, "int32 qty", "int32 amount", 1)
	added := strings.Replace(placed, "qty = 2;", "qty = 2;\n  string note = 3;", 1)
	removed := strings.Replace(placed, "  int32 qty = 2;\n", "", 1)
	reserved := strings.Replace(placed, "int32 qty = 2;", "reserved 2;\n  reserved \"qty\";", 1)
	reused := strings.Replace(placed, "int32 qty = 2;", "string state = 2;", 1)
	const back, forth = " message shop.Placed field 2 (old writes, new reads) ", " message shop.Placed field 2 (new writes, old reads) "
	for _, c := range []struct {
		mode     Mode
		versions []string
		want     string
	}{
		{None, []string{placed, text}, "change FIELD_WIRE_JSON_COMPATIBLE_TYPE message shop.Placed field 2 type"},
		{Backward, []string{placed, placed}, ""},
		{Backward, []string{placed, wider}, "change FIELD_SAME_TYPE message shop.Placed field 2 type"},
		{Forward, []string{placed, wider}, "break FIELD_SAME_TYPE" + forth + "type"},
		{Backward, []string{wider, placed}, "break FIELD_SAME_TYPE" + back + "type"},
		{Forward, []string{wider, placed}, "change FIELD_SAME_TYPE message shop.Placed field 2 type"},
		{Full, []string{placed, wider}, "break FIELD_SAME_TYPE" + forth + "type"},
		{Full, []string{placed, text}, "break FIELD_SAME_TYPE" + forth + "type; break FIELD_SAME_TYPE" + back + "type"},
		{Full, []string{placed, added}, "change field-added message shop.Placed field 3 "},
		{Full, []string{placed, renamed}, "risk FIELD_SAME_JSON_NAME" + forth + "json_name; risk FIELD_SAME_JSON_NAME" + back + "json_name; " +
			"risk FIELD_SAME_NAME" + forth + "name; risk FIELD_SAME_NAME" + back + "name"},
		{Backward, []string{placed, removed}, "break FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED" + back + "number; risk FIELD_NO_DELETE_UNLESS_NAME_RESERVED" + back + "name"},
		{Forward, []string{placed, removed}, "change FIELD_NO_DELETE_UNLESS_NAME_RESERVED message shop.Placed field 2 name; risk FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED" + forth + "number"},
		{Full, []string{placed, reserved}, "change FIELD_NO_DELETE message shop.Placed field 2 "},
		// The last version alone does not show that the number is used again.
		{Backward, []string{placed, reserved, reused}, "risk RESERVED"},
		{BackwardTransitive, []string{placed, reserved, reused}, "break FIELD_SAME_TYPE" + back + "type"},
		{Forward, []string{placed, reserved, reused}, "risk RESERVED"},
		{ForwardTransitive, []string{placed, reserved, reused}, "break FIELD_SAME_TYPE" + forth + "type"},
		{FullTransitive, []string{wider, placed, placed}, "break FIELD_SAME_TYPE" + back + "type"},
		{FullTransitive, []string{placed, added, added}, ""},
	} {
		var sources []contract.Source
		for i, text := range c.versions {
			sources = append(sources, memory(fmt.Sprintf("v%d", i+1), "placed.proto", text))
		}
		diff, err := Check(t.Context(), Protobuf, sources, c.mode, contract.Options{})
		if err != nil {
			t.Fatal(c.mode, err)
		}
		got := summary(diff)
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) && !(strings.HasSuffix(c.want, "RESERVED") && verdictOf(got) == verdict.Pass && strings.Contains(got, c.want)) {
			t.Errorf("%s of %d versions: got %q, want %q", c.mode, len(c.versions), got, c.want)
		}
		if want := verdictOf(c.want); diff.Verdict() != want {
			t.Errorf("%s of %d versions: got %s, want %s", c.mode, len(c.versions), diff.Verdict(), want)
		}
		for _, f := range diff.Findings {
			if f.Severity == contract.Break && (f.Witness == nil || strings.Contains(f.Subject, "(old writes") != (f.Witness.Allowed == "old")) {
				t.Errorf("%s: %s: the witness is missing or of the other direction: %+v", c.mode, f.Subject, f.Witness)
			}
		}
	}
}

func TestAsyncProtobuf(t *testing.T) {
	doc := strings.Replace(shop, "{schemaFormat: 'application/raml+yaml;version=1.0', schema: {type: object}}",
		"{schemaFormat: 'application/vnd.google.protobuf;version=3', schema: {$ref: placed.proto}}", 1)
	source := func(name, text string) contract.Source {
		return contract.Source{Name: name, Path: "api/async.yaml", FS: fstest.MapFS{"api/async.yaml": {Data: []byte(doc)},
			"api/billed.avsc": {Data: []byte(billed)}, "api/placed.proto": {Data: []byte(text)}}}
	}
	for text, want := range map[string]verdict.Verdict{placed: verdict.Pass, strings.Replace(placed, "int32 qty", "string qty", 1): verdict.Fail} {
		diff, err := Diff(t.Context(), source("old", placed), source("new", text), contract.Options{Documents: 10})
		if err != nil || diff.Verdict() != want {
			t.Errorf("got %s, want %s: %s %v", diff.Verdict(), want, summary(diff), err)
		}
	}
}
