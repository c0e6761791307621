package openapi_test

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

// An edit changes one thing of a version, and says what must come of it.
type edit struct {
	name     string
	old, new string // text of the version, replaced
	want     contract.Severity
	rule     string // of a finding with that severity; "" is any
	witness  bool   // wanted
}

// request makes a version with one operation that takes a body and a parameter.
func request(version, body, parameter string) string {
	return "openapi: " + version + `
info: {title: t, version: "1"}
paths:
  /orders:
    post:
      parameters:
        - {name: limit, in: query, schema: ` + parameter + `}
      requestBody:
        content:
          application/json:
            schema: ` + body + `
      responses: {"201": {description: made}, "409": {description: twice}}
components:
  schemas:
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind, tricks], properties: {kind: {type: string}, tricks: {type: integer}}}
`
}

func response(version, body string) string {
	return "openapi: " + version + `
info: {title: t, version: "1"}
paths:
  /orders:
    get:
      responses:
        "404": {description: none}
        "200":
          description: all
          content:
            application/json:
              schema: ` + body + `
`
}

// A list collects edits.
type list []edit

func (l *list) add(name string, want contract.Severity, rule string, witness bool) func(old, new string) {
	return func(old, new string) { *l = append(*l, edit{name, old, new, want, rule, witness}) }
}

func req(old, new string) (string, string) {
	return request("3.0.3", old, "{type: integer}"), request("3.0.3", new, "{type: integer}")
}

func req31(old, new string) (string, string) {
	return request("3.1.0", old, "{type: integer}"), request("3.1.0", new, "{type: integer}")
}

func par(old, new string) (string, string) {
	return request("3.0.3", "{type: object}", old), request("3.0.3", "{type: object}", new)
}

func res(old, new string) (string, string) { return response("3.0.3", old), response("3.0.3", new) }

func object(more string) string {
	return "{type: object, properties: {sku: {type: string}}" + more + "}"
}

func edits() []edit {
	var l list
	l.missed()
	l.overReported()
	l.requests()
	l.others()
	return l
}

// missed are those that oasdiff does not find, or takes for additions.
func (l *list) missed() {
	l.add("request: no more fields", contract.Break, "request-body-", true)(req(object(""), object(", additionalProperties: false")))
	l.add("request: not added", contract.Break, "request-body-", true)(req(object(""), object(", not: {required: [sku]}")))
	l.add("request: unevaluatedProperties false", contract.Break, "request-body-", true)(req31(object(""), object(", unevaluatedProperties: false")))
	l.add("request: pattern of the body tightened", contract.Break, "", true)(req("{type: string, pattern: '^[a-z]+$'}", "{type: string, pattern: '^[a-c]+$'}"))
	l.add("request: 4xx removed", contract.Risk, "response-non-success-status-removed", false)(
		request("3.0.3", object(""), "{type: integer}"), strings.Replace(request("3.0.3", object(""), "{type: integer}"), `, "409": {description: twice}`, "", 1))
	pets := func(mapping string) string {
		return "{oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind, mapping: {" + mapping + "}}}"
	}
	cat, dog, puppy := "cat: '#/components/schemas/Cat'", "dog: '#/components/schemas/Dog'", "puppy: '#/components/schemas/Dog'"
	l.add("request: mapping of a discriminator removed", contract.Break, "request-body-discriminator-mapping-deleted", true)(
		req(pets(cat+", "+dog+", "+puppy), pets(cat+", "+dog)))
}

// overReported are those that oasdiff takes for more than they are.
func (l *list) overReported() {
	l.add("request: allOf of one", "", "", false)(req(object(""), "{allOf: ["+object("")+"]}"))
	l.add("request: oneOf of one", "", "", false)(req(object(""), "{oneOf: ["+object("")+"]}"))
	l.add("response: allOf of one", "", "", false)(res(object(""), "{allOf: ["+object("")+"]}"))
	l.add("response: oneOf of one", "", "", false)(res(object(""), "{oneOf: ["+object("")+"]}"))
	l.add("request: enum to a wider anyOf", "", "", false)(req("{type: object, properties: {a: {type: string, enum: [x, y]}}}",
		"{type: object, properties: {a: {anyOf: [{type: string, enum: [x, y]}, {type: integer}]}}}"))
}

func (l *list) requests() {
	l.add("request: field became required", contract.Break, "request-property-became-required", true)(req(object(""), object(", required: [sku]")))
	l.add("request: new required field", contract.Break, "new-required-request-property", true)(
		req(object(""), "{type: object, required: [qty], properties: {sku: {type: string}, qty: {type: integer}}}"))
	l.add("request: new optional field", contract.Change, "new-optional-request-property", false)(
		req(object(""), "{type: object, properties: {sku: {type: string}, qty: {type: integer}}}"))
	l.add("request: field removed", contract.Risk, "request-property-removed", false)(
		req("{type: object, properties: {sku: {type: string}, qty: {type: integer}}}", object("")))
	l.add("request: type changed", contract.Break, "request-property-type-changed", true)(
		req(object(""), "{type: object, properties: {sku: {type: integer}}}"))
	l.add("request: type widened", contract.Change, "", false)(
		req("{type: object, properties: {qty: {type: integer}}}", "{type: object, properties: {qty: {type: number}}}"))
	l.add("request: enum value removed", contract.Break, "request-property-enum-value-removed", true)(
		req("{type: object, properties: {a: {type: string, enum: [x, y]}}}", "{type: object, properties: {a: {type: string, enum: [x]}}}"))
	l.add("request: body required", contract.Break, "request-body-became-required", true)(
		request("3.0.3", object(""), "{type: integer}"), strings.Replace(request("3.0.3", object(""), "{type: integer}"), "requestBody:\n", "requestBody:\n        required: true\n", 1))
	l.add("request: read-only required field", "", "", false)(
		req(object(""), "{type: object, required: [id], properties: {sku: {type: string}, id: {type: string, readOnly: true}}}"))
}

func (l *list) others() {
	l.add("parameter: maximum set", contract.Break, "request-parameter-max-set", true)(par("{type: integer}", "{type: integer, maximum: 5}"))
	l.add("parameter: number to text", "", "", false)(par("{type: integer}", "{type: string}"))
	l.add("parameter: text to number", contract.Break, "request-parameter-type-changed", true)(par("{type: string}", "{type: integer}"))
	l.add("parameter: required", contract.Break, "request-parameter-became-required", true)(
		request("3.0.3", object(""), "{type: integer}"), request("3.0.3", object(""), "{type: integer}, required: true"))
	l.add("parameter added, required", contract.Break, "new-required-request-parameter", true)(
		request("3.0.3", object(""), "{type: integer}"), strings.Replace(request("3.0.3", object(""), "{type: integer}"), "      requestBody:",
			"        - {name: page, in: query, required: true, schema: {type: integer}}\n      requestBody:", 1))
	l.add("parameter: explode", contract.Break, "request-parameter-serialization-changed", false)(
		request("3.0.3", object(""), "{type: array, items: {type: string}}"), request("3.0.3", object(""), "{type: array, items: {type: string}}, explode: false"))
	l.add("response: required field removed", contract.Break, "response-required-property-removed", true)(
		res(object(", required: [sku]"), "{type: object, properties: {name: {type: string}}}"))
	l.add("response: field became optional", contract.Break, "response-property-became-optional", true)(res(object(", required: [sku]"), object("")))
	l.add("response: optional field removed", contract.Risk, "response-optional-property-removed", false)(
		res("{type: object, properties: {sku: {type: string}, qty: {type: integer}}}", object("")))
	l.add("response: field added", contract.Change, "response-optional-property-added", false)(
		res(object(""), "{type: object, properties: {sku: {type: string}, qty: {type: integer}}}"))
	l.add("response: enum value added", contract.Break, "response-property-enum-value-added", true)(
		res("{type: object, properties: {a: {type: string, enum: [x]}}}", "{type: object, properties: {a: {type: string, enum: [x, y]}}}"))
	l.add("response: enum value removed", contract.Change, "", false)(
		res("{type: object, properties: {a: {type: string, enum: [x, y]}}}", "{type: object, properties: {a: {type: string, enum: [x]}}}"))
	l.add("response: nullable", contract.Break, "response-property-became-nullable", true)(
		res(object(""), "{type: object, properties: {sku: {type: string, nullable: true}}}"))
	l.add("operation removed", contract.Break, "api-", true)(response("3.0.3", object("")), strings.Replace(response("3.0.3", object("")), "    get:", "    head:", 1))
	l.add("operation added", contract.Change, "endpoint-added", false)(
		response("3.0.3", object("")), response("3.0.3", object(""))+"    put: {responses: {'200': {description: d}}}\n")
	l.add("operation deprecated with a date, then removed", contract.Risk, "api-path-removed-with-deprecation", false)(
		strings.Replace(response("3.0.3", object("")), "    get:\n", "    get:\n      deprecated: true\n      x-sunset: '2020-01-01'\n", 1)+"  /b: {get: {responses: {'200': {description: d}}}}\n",
		"openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /b: {get: {responses: {'200': {description: d}}}}\n")
	l.add("server removed", contract.Risk, "server-removed", false)(
		response("3.0.3", object(""))+"servers: [{url: /v1}]\n", response("3.0.3", object(""))+"servers: [{url: /v2}]\n")
}

func TestEdits(t *testing.T) {
	replayed := 0
	for _, e := range edits() {
		d := diff(t, e.old, e.new)
		var worst contract.Severity
		found := e.rule == ""
		witness := false
		for i, f := range d.Findings {
			if i == 0 {
				worst = f.Severity // they are sorted
			}
			if f.Severity == worst && strings.HasPrefix(f.Rule, e.rule) {
				found = true
				witness = witness || f.Witness != nil
			}
		}
		switch {
		case worst != e.want && !(e.want == "" && worst == contract.Change):
			t.Errorf("%s: got %q, want %q%s", e.name, worst, e.want, show(d))
		case !found:
			t.Errorf("%s: no finding %s%s", e.name, e.rule, show(d))
		case e.witness && !witness:
			t.Errorf("%s: no witness%s", e.name, show(d))
		case len(d.Gaps) > 0:
			t.Errorf("%s: gaps%s", e.name, show(d))
		}
		replayed += replayAll(t, e.old, e.new, d)
	}
	t.Logf("%d edits, %d witnesses replayed", len(edits()), replayed)
}
