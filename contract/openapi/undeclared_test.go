package openapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

func headed(schema string) string {
	return strings.Replace(response("3.1.0", "{type: object}"), "description: all\n",
		"description: all\n          headers: {X-A: {content: {application/json: {schema: "+schema+"}}}}\n", 1)
}

func asked(schema string) string    { return request("3.1.0", schema, "{type: integer}") }
func answered(schema string) string { return response("3.1.0", schema) }
func limited(schema string) string  { return request("3.1.0", "{type: object}", schema) }

// What is demanded and not declared, and what oasdiff keeps silent about: each change that a neighbour can see is told, with a
// document that shows it, and no claim rests on a schema that allows nothing.
func TestUndeclared(t *testing.T) {
	const none = contract.Severity("unknown") // undecided
	o := func(more string) string { return "{type: object, " + more + "}" }
	sku := "properties: {sku: {type: string}}"
	both := "properties: {sku: {type: string}, b: {type: integer}}"
	for _, p := range []struct {
		name     string
		in       func(schema string) string
		old, new string
		want     contract.Severity
		rule     string // of a finding that has a witness
	}{
		{"answers say more", answered, o(sku + ", required: [sku]"), o(sku + ", required: [sku, b]"), contract.Change, "response-body-property-required"},
		{"answers say less", answered, o(sku + ", required: [sku, b]"), o(sku + ", required: [sku]"), contract.Break, "response-body-property-optional"},
		{"requests must say more", asked, o(sku + ", required: [sku]"), o(sku + ", required: [sku, b]"), contract.Break, "request-body-property-required"},
		{"requests may say less", asked, o(sku + ", required: [sku, b]"), o(sku + ", required: [sku]"), contract.Change, "request-body-property-optional"},
		{"a demanded field of requests is declared", asked, o(sku + ", required: [b]"), o(both + ", required: [b]"), contract.Break, "request-body-type-narrowed"},
		{"and another has another type", asked, o(sku + ", required: [b]"), o("properties: {sku: {type: integer}, b: {}}, required: [b]"), contract.Break, "request-property-type-changed"},
		{"by a reference with siblings", asked, "{$ref: '#/components/schemas/Cat', required: [b]}",
			o("properties: {kind: {type: integer}, lives: {type: integer}, b: {}}, required: [b]"), contract.Break, "request-property-type-changed"},
		{"in a branch, demanded around it", asked, o("required: [b], oneOf: [{properties: {sku: {type: string}}, required: [sku]}]"),
			o("required: [b], oneOf: [{properties: {sku: {type: integer}, b: {}}, required: [sku]}]"), contract.Break, ""},
		{"a field of answers is no longer declared", answered, o(both + ", required: [b]"), o(sku + ", required: [b]"), contract.Break, "response-body-type-widened"},
		{"answers nobody can give", answered, o(sku + ", additionalProperties: false"), o(sku + ", required: [b], additionalProperties: false"), none, ""},
		{"requests nobody could send", asked, o(sku + ", required: [b], additionalProperties: false"), o(sku + ", additionalProperties: false"), none, ""},
		{"requests nobody can send", asked, o(sku + ", additionalProperties: false"), o(sku + ", required: [b], additionalProperties: false"), contract.Break, "request-body-property-required"},
		{"a dependency of answers", answered, o(sku), o(sku + ", dependentRequired: {sku: [b]}"), contract.Change, ""},
		{"a dependency of requests", asked, o(sku), o(sku + ", dependentRequired: {sku: [b]}"), contract.Break, "request-body-dependent-required-added"},
		{"required of a property without required", answered, "{" + sku + "}", "{" + sku + ", required: [sku]}", contract.Change, ""},
		{"more properties of answers", answered, o(sku), o(sku + ", minProperties: 2"), contract.Change, ""},
		{"more properties of requests", asked, o(sku), o(sku + ", minProperties: 2"), contract.Break, "request-body-min-properties-set"},
		{"a parameter must say more", limited, o(sku), o(sku + ", required: [b]"), contract.Break, "request-parameter-property-required"},
		{"a parameter may say less", limited, o(sku + ", required: [b]"), o(sku), contract.Change, "request-parameter-property-optional"},
		{"a header says more", headed, o(sku), o(sku + ", required: [b]"), contract.Change, "response-header-property-required"},
		{"a header says less", headed, o(sku + ", required: [b]"), o(sku), contract.Break, "response-header-property-optional"},
		{"items say more", answered, "{type: array, items: " + o(sku) + "}", "{type: array, items: " + o(sku+", required: [b]") + "}", contract.Change, "response-body-property-required"},
		{"any answer is an object with b", answered, "{}", "{required: [b]}", contract.Change, "response-body-property-required"},
		{"answers have no doubles", answered, "{type: array}", "{type: array, uniqueItems: true}", contract.Change, "response-body-unique-items-required"},
		{"answers are closed", answered, o(sku), o(sku + ", additionalProperties: false"), contract.Change, "response-body-additional-properties-closed"},
		{"requests are opened", asked, o(sku + ", additionalProperties: false"), o(sku), contract.Change, "request-body-additional-properties-opened"},
		{"two changes, one of which oasdiff knows", asked, o(sku + ", required: [b]"), o("properties: {sku: {type: string}, c: {type: string}}"), contract.Change, "request-body-property-optional"},
		{"said in other words", answered, o(sku + ", required: [b]"), o(sku + ", allOf: [{required: [b]}]"), "", ""},
	} {
		old, new := p.in(p.old), p.in(p.new)
		d := diff(t, old, new)
		shown := func(f contract.Finding) bool { return p.rule == "" || f.Rule == p.rule && f.Witness != nil }
		got := contract.Severity("")
		if len(d.Findings) > 0 {
			got = d.Findings[0].Severity // they are sorted
		} else if len(d.Gaps) > 0 {
			got = none
		}
		said := got == p.want && (p.want == "" || p.want == none || slices.ContainsFunc(d.Findings, shown))
		if p.want == "" { // what oasdiff takes for a change
			said = got == "" || got == contract.Change
		}
		if !said {
			t.Errorf("%s: got %q, want %q by %q%s", p.name, got, p.want, p.rule, show(d))
		}
		if !strings.HasPrefix(p.name, "a header") { // of which the other validator does not read the content
			replayAll(t, old, new, d)
		}
	}
}
