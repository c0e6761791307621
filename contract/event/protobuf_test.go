package event

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const placed = "syntax = \"proto3\";\npackage shop;\nmessage Placed {\n  string id = 1;\n  int32 qty = 2;\n}\n"

func TestModesProtobuf(t *testing.T) {
	retyped := strings.Replace(placed, "int32 qty", "string qty", 1)
	added := strings.Replace(placed, "qty = 2;", "qty = 2;\n  string note = 3;", 1)
	for _, c := range []struct {
		mode Mode
		new  string
		want verdict.Verdict
	}{
		{Backward, retyped, verdict.Fail}, {Forward, retyped, verdict.Fail}, {Full, added, verdict.Pass}, {None, retyped, verdict.Pass},
	} {
		diff, err := Check(t.Context(), Protobuf, []contract.Source{memory("v1", "placed.proto", placed), memory("v2", "placed.proto", c.new)}, c.mode, contract.Options{})
		if err != nil || diff.Verdict() != c.want {
			t.Errorf("%s: got %s, want %s: %v %v %v", c.mode, diff.Verdict(), c.want, rules(diff), diff.Gaps, err)
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
