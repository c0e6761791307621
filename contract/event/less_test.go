package event

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

// What is demanded and not declared is told, and a payload that nothing fits proves nothing.
func TestUndeclared(t *testing.T) {
	version := func(action, payload string) string {
		return "asyncapi: 3.0.0\ninfo: {title: t, version: '1'}\nchannels: {c: {address: c, messages: {m: {payload: " + payload +
			"}}}}\noperations: {o: {action: " + action + ", channel: {$ref: '#/channels/c'}}}\n"
	}
	const sku = "{type: object, properties: {sku: {type: string}}, required: [sku]}"
	for _, c := range []struct{ name, action, from, to, want string }{
		{"sent says more", "send", "[sku]", "[sku, b]", "change json-narrowed send c m.payload.b"},
		{"received must say more", "receive", "[sku]", "[sku, b]", "break json-property-required receive c m.payload.b"},
		{"sent and dependent", "send", "required: [sku]", "required: [sku], dependencies: {sku: [b]}", "change json-narrowed send c m.payload"},
		{"received and dependent", "receive", "required: [sku]", "required: [sku], dependencies: {sku: [b]}", "break json-dependency-added receive c m.payload"},
		{"sent has more", "send", "required: [sku]", "minProperties: 2, required: [sku]", "change json-narrowed send c m.payload"},
		{"sent is closed", "send", "required: [sku]", "required: [sku], additionalProperties: false", "change json-narrowed send c m.payload.extra"},
		{"nobody can send it", "send", "required: [sku]", "required: [sku, b], additionalProperties: false", "gap send c m.payload"},
		{"nobody can send it to us", "receive", "required: [sku]", "required: [sku, b], additionalProperties: false", "break json-"},
		{"in other words", "send", "required: [sku]", "allOf: [{required: [sku]}]", ""},
	} {
		diff, err := Diff(t.Context(), asyncSource("old", version(c.action, sku), ""), asyncSource("new", version(c.action, strings.Replace(sku, c.from, c.to, 1)), ""), contract.Options{Documents: 40})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := summary(diff); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		for _, f := range diff.Findings {
			if f.Witness == nil {
				t.Errorf("%s: %s has no witness", c.name, f.Rule)
			}
		}
	}
}
