package openapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/conformance"
)

// wide is a version that has a bit of everything; attacks replace lines of it.
const wide = `openapi: 3.1.0
info: {title: wide, version: "1"}
servers:
  - url: https://{env}.example.com
    variables: {env: {default: prod, enum: [prod, test]}}
tags: [{name: orders, description: all}]
security: [{key: []}]
paths:
  /orders/{id}:
    summary: one order
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    get:
      operationId: getOrder
      tags: [orders]
      parameters:
        - {name: filter, in: query, style: deepObject, explode: true, schema: {type: object, properties: {state: {type: string}, page: {type: integer}}}}
        - {name: ids, in: query, style: form, explode: true, schema: {type: array, items: {type: string}}}
        - {name: session, in: cookie, schema: {type: string, maxLength: 20}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: where, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
        - {name: raw, in: query, allowReserved: true, schema: {type: string}}
      responses:
        "200":
          description: one
          headers:
            X-Rate: {required: true, schema: {type: integer}}
            X-Note: {schema: {type: string, maxLength: 9}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Order'}
            application/xml:
              schema: {$ref: '#/components/schemas/Order'}
          links:
            pay: {operationId: pay, parameters: {id: $response.body#/id}}
        4XX: {description: refused, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
        default: {description: other, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}
    post:
      operationId: pay
      security: [{oauth: [write]}, {key: []}]
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Pay'}
          multipart/form-data:
            schema: {type: object, properties: {file: {type: string, contentMediaType: image/png}, meta: {type: object, properties: {a: {type: string}}}}}
            encoding: {meta: {contentType: application/json}}
          "text/*": {schema: {type: string}}
      responses:
        "201": {description: paid}
        "202": {$ref: '#/components/responses/Later'}
      callbacks:
        paid:
          '{$request.body#/url}':
            post:
              requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}
              responses: {"200": {description: seen, content: {application/json: {schema: {type: object, properties: {ok: {type: boolean}}}}}}}
webhooks:
  shipped:
    post:
      parameters: [{name: X-Sign, in: header, required: true, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {type: object, required: [at], properties: {at: {type: string}, state: {type: string, enum: [a, b]}}}}}}
      responses: {"200": {description: seen}, "410": {description: stop}}
components:
  schemas:
    Order:
      type: object
      required: [id, kind]
      properties:
        id: {type: string, readOnly: true}
        kind: {type: string}
        secret: {type: string, writeOnly: true}
        note: {type: [string, "null"]}
        amount: {type: number, exclusiveMinimum: 0}
        near: {$ref: '#/components/schemas/Near', description: beside}
        pet: {$ref: '#/components/schemas/Pet'}
        map: {type: object, additionalProperties: {type: integer}}
        tree: {$ref: '#/components/schemas/Tree'}
    Near: {type: object, properties: {x: {type: integer}}}
    Tree: {type: object, properties: {name: {type: string}, kids: {type: array, items: {$ref: '#/components/schemas/Tree'}}}}
    Pet:
      oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]
      discriminator: {propertyName: kind, mapping: {cat: '#/components/schemas/Cat', dog: '#/components/schemas/Dog'}}
    Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
    Dog: {type: object, required: [kind, tricks], properties: {kind: {type: string}, tricks: {type: integer}}}
    Pay:
      allOf:
        - {$ref: '#/components/schemas/Base'}
        - {type: object, required: [amount], properties: {amount: {type: integer, minimum: 1}, id: {type: string, readOnly: true}, method: {type: string, enum: [card, cash]}}}
    Base: {type: object, properties: {url: {type: string, format: uri}}}
    Event: {type: object, required: [id], properties: {id: {type: string}, state: {type: string, enum: [paid, failed]}}}
    Problem: {type: object, properties: {title: {type: string}, code: {type: integer}}}
    Unused: {type: object, properties: {a: {type: string}}}
  responses:
    Later: {description: later, headers: {Location: {required: true, schema: {type: string}}}}
  parameters:
    Spare: {name: spare, in: query, schema: {type: integer}}
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: https://t.example.com, scopes: {read: r, write: w}}}}
`

// An attack replaces text of wide, and says what must come of it: the worst severity, "" for nothing at all but proofs, or "gap".
type attack struct{ name, old, new, want string }

func attacks() []attack {
	const br, risk, change, safe = "break", "risk", "change", ""
	return []attack{
		// parameters
		{"path parameter renamed, template too", "/orders/{id}:\n    summary: one order\n    parameters:\n      - {name: id,", "/orders/{order}:\n    summary: one order\n    parameters:\n      - {name: order,", change},
		{"path parameter narrowed", "{name: id, in: path, required: true, schema: {type: string}}", "{name: id, in: path, required: true, schema: {type: string, maxLength: 3}}", br},
		{"path parameter became integer", "{name: id, in: path, required: true, schema: {type: string}}", "{name: id, in: path, required: true, schema: {type: integer}}", br},
		{"deepObject to form", "style: deepObject, explode: true", "style: form, explode: true", br},
		{"deepObject field became integer", "properties: {state: {type: string}, page", "properties: {state: {type: integer}, page", br},
		{"deepObject field required", "schema: {type: object, properties: {state:", "schema: {type: object, required: [state], properties: {state:", br},
		{"deepObject field added", "page: {type: integer}}", "page: {type: integer}, size: {type: integer}}", safe},
		{"explode by default", "style: form, explode: true, schema: {type: array", "schema: {type: array", safe},
		{"explode off", "style: form, explode: true, schema: {type: array", "explode: false, schema: {type: array", br},
		{"array parameter to a single value", "style: form, explode: true, schema: {type: array, items: {type: string}}", "schema: {type: string}", br},
		{"cookie narrowed", "maxLength: 20", "maxLength: 10", br},
		{"cookie widened", "maxLength: 20", "maxLength: 30", change},
		{"cookie required", "{name: session, in: cookie,", "{name: session, in: cookie, required: true,", br},
		{"header parameter required", "{name: X-Trace, in: header,", "{name: X-Trace, in: header, required: true,", br},
		{"header parameter in other case", "{name: X-Trace, in: header,", "{name: x-trace, in: header,", safe},
		{"header parameter to query", "{name: X-Trace, in: header,", "{name: X-Trace, in: query,", risk},
		{"query parameter renamed", "{name: raw, in: query,", "{name: rough, in: query,", risk},
		{"content parameter narrowed", "where, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}", "where, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer, maximum: 3}}}}}", br},
		{"content parameter to schema", "where, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}", "where, in: query, schema: {type: object, properties: {a: {type: integer}}}", br},
		{"content parameter of another media type", "where, in: query, content: {application/json:", "where, in: query, content: {application/xml:", br},
		{"allowReserved gone", "allowReserved: true, ", "", "risk"},
		{"parameter deprecated", "{name: raw, in: query,", "{name: raw, deprecated: true, in: query,", change},
		{"path parameter moved to the operation", "    parameters:\n      - {name: id, in: path, required: true, schema: {type: string}}\n    get:\n      operationId: getOrder\n      tags: [orders]\n      parameters:\n",
			"    parameters: []\n    get:\n      operationId: getOrder\n      tags: [orders]\n      parameters:\n        - {name: id, in: path, required: true, schema: {type: string}}\n", risk}, // post has lost it
		{"operation overrides the path parameter", "      parameters:\n        - {name: filter", "      parameters:\n        - {name: id, in: path, required: true, schema: {type: integer}}\n        - {name: filter", br},
		// responses
		{"required header removed", "            X-Rate: {required: true, schema: {type: integer}}\n", "", br},
		{"required header optional", "X-Rate: {required: true, schema", "X-Rate: {schema", br},
		{"optional header removed", "            X-Note: {schema: {type: string, maxLength: 9}}\n", "", risk},
		{"header widened", "maxLength: 9", "maxLength: 12", br},
		{"header narrowed", "maxLength: 9", "maxLength: 5", change},
		{"header integer to string", "X-Rate: {required: true, schema: {type: integer}}", "X-Rate: {required: true, schema: {type: string}}", br},
		{"media type of an answer removed", "            application/xml:\n              schema: {$ref: '#/components/schemas/Order'}\n", "", br},
		{"4XX removed", "        4XX: {description: refused, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}\n", "", safe},
		{"4XX to 404", "        4XX:", "        \"404\":", change},
		{"default removed", "        default: {description: other, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}\n", "", risk},
		{"default answers other fields", "default: {description: other, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}", "default: {description: other, content: {application/json: {schema: {type: object, properties: {title: {type: integer}}}}}}", br},
		{"problem code became text", "code: {type: integer}", "code: {type: string}", br},
		{"answer became 2XX", "        \"201\": {description: paid}", "        2XX: {description: paid}", risk},
		{"201 removed", "        \"201\": {description: paid}\n", "", br},
		{"answer got a body", "\"201\": {description: paid}", "\"201\": {description: paid, content: {application/json: {schema: {type: string}}}}", change},
		{"shared answer lost a required header", "{description: later, headers: {Location: {required: true, schema: {type: string}}}}", "{description: later}", br},
		{"readOnly field optional", "required: [id, kind]\n", "required: [kind]\n", br},
		{"writeOnly field removed", "        secret: {type: string, writeOnly: true}\n", "", change},
		{"writeOnly field of another type in an answer", "secret: {type: string, writeOnly: true}", "secret: {type: integer, writeOnly: true}", change},
		{"writeOnly dropped", "secret: {type: string, writeOnly: true}", "secret: {type: string}", change},
		{"null no more", "note: {type: [string, \"null\"]}", "note: {type: string}", change},
		{"null allowed", "kind: {type: string}\n        secret", "kind: {type: [string, \"null\"]}\n        secret", br},
		{"exclusiveMinimum to minimum", "exclusiveMinimum: 0", "minimum: 0", br},
		{"sibling of a $ref narrows nothing", "description: beside", "description: near", safe},
		{"sibling of a $ref widens", "near: {$ref: '#/components/schemas/Near', description: beside}", "near: {$ref: '#/components/schemas/Near', required: [x]}", change},
		{"map values widened", "additionalProperties: {type: integer}", "additionalProperties: {type: number}", br},
		{"map values narrowed", "additionalProperties: {type: integer}", "additionalProperties: {type: integer, minimum: 0}", change},
		{"tree field became integer", "name: {type: string}, kids", "name: {type: integer}, kids", br},
		{"a pet added", "mapping: {cat: '#/components/schemas/Cat', dog:", "mapping: {cow: '#/components/schemas/Cat', cat: '#/components/schemas/Cat', dog:", br},
		{"a pet no more", ", dog: '#/components/schemas/Dog'}", "}", change},
		{"pet told by another field", "propertyName: kind", "propertyName: sort", br},
		// requests
		{"body optional", "        required: true\n        content", "        required: false\n        content", change},
		{"readOnly field required of requests", "required: [amount]", "required: [amount, id]", safe},
		{"readOnly dropped, required", "required: [amount], properties: {amount: {type: integer, minimum: 1}, id: {type: string, readOnly: true}", "required: [amount, id], properties: {amount: {type: integer, minimum: 1}, id: {type: string}", br},
		{"allOf got another", "        - {$ref: '#/components/schemas/Base'}\n", "        - {$ref: '#/components/schemas/Base'}\n        - {required: [url]}\n", br},
		{"allOf lost one", "        - {$ref: '#/components/schemas/Base'}\n", "", change},
		{"enum narrowed within allOf", "enum: [card, cash]", "enum: [card]", br},
		{"format of a field dropped", "{type: string, format: uri}", "{type: string}", change},
		{"format of a field changed", "{type: string, format: uri}", "{type: string, format: uuid}", risk},
		{"multipart field encoded otherwise", "meta: {contentType: application/json}", "meta: {contentType: application/xml}", br},
		{"multipart media of a file", "contentMediaType: image/png", "contentMediaType: image/gif", br},
		{"wildcard media narrowed", "\"text/*\"", "\"text/plain\"", br},
		{"wildcard media widened", "\"text/*\"", "\"*/*\"", change},
		{"media type removed", "          \"text/*\": {schema: {type: string}}\n", "", br},
		// security
		{"alternative removed", "[{oauth: [write]}, {key: []}]", "[{oauth: [write]}]", br},
		{"alternative added", "[{oauth: [write]}, {key: []}]", "[{oauth: [write]}, {key: []}, {}]", change},
		{"scope added", "{oauth: [write]}", "{oauth: [write, read]}", br},
		{"scope dropped", "{oauth: [write]}", "{oauth: []}", change},
		{"two at once", "[{oauth: [write]}, {key: []}]", "[{oauth: [write], key: []}, {key: []}]", br},
		{"two at once, others kept", "[{oauth: [write]}, {key: []}]", "[{oauth: [write]}, {key: []}, {oauth: [write], key: []}]", change},
		{"in another order", "[{oauth: [write]}, {key: []}]", "[{key: []}, {oauth: [write]}]", safe},
		{"global security gone", "security: [{key: []}]\n", "", change},
		{"global security other", "security: [{key: []}]\n", "security: [{oauth: [read]}]\n", br},
		{"global security written at the operation", "      operationId: getOrder\n", "      operationId: getOrder\n      security: [{key: []}]\n", safe},
		{"key in another header", "name: X-Key", "name: X-Api-Key", br},
		{"key in the query", "{type: apiKey, in: header, name: X-Key}", "{type: apiKey, in: query, name: X-Key}", br},
		{"token elsewhere", "tokenUrl: https://t.example.com", "tokenUrl: https://u.example.com", risk},
		{"a scope that nobody uses removed", "scopes: {read: r, write: w}", "scopes: {write: w}", change},
		// webhooks and callbacks: we send the request, and read the answer
		{"webhook: required field removed", "required: [at], properties: {at: {type: string}, state", "properties: {state", br},
		{"webhook: enum value added", "enum: [a, b]", "enum: [a, b, c]", br},
		{"webhook: enum value removed", "enum: [a, b]", "enum: [a]", change},
		{"webhook: field required", "required: [at]", "required: [at, state]", change},
		{"webhook: header no longer sent", "parameters: [{name: X-Sign, in: header, required: true, schema: {type: string}}]", "parameters: []", br},
		{"webhook: header optional", "{name: X-Sign, in: header, required: true, ", "{name: X-Sign, in: header, ", br},
		{"webhook: answer no longer understood", ", \"410\": {description: stop}", "", br},
		{"webhook: answer understood", ", \"410\": {description: stop}", ", \"410\": {description: stop}, \"429\": {description: slower}", change},
		{"webhook removed", "  shipped:\n", "  sent:\n", br},
		{"webhook: method", "  shipped:\n    post:", "  shipped:\n    put:", br},
		{"callback: required field removed", "Event: {type: object, required: [id], properties: {id: {type: string}, state", "Event: {type: object, properties: {state", br},
		{"callback: enum value added", "enum: [paid, failed]", "enum: [paid, failed, late]", br},
		{"callback: enum value removed", "enum: [paid, failed]", "enum: [paid]", change},
		{"callback: answer must say more", "schema: {type: object, properties: {ok: {type: boolean}}}", "schema: {type: object, required: [ok], properties: {ok: {type: boolean}}}", br},
		{"callback: answer may say less", "properties: {ok: {type: boolean}}", "properties: {ok: {}}", change},
		{"callback to another address", "{$request.body#/url}", "{$request.body#/link}", br},
		{"callback removed", "      callbacks:\n        paid:", "      callbacks:\n        settled:", br},
		{"callback: body optional", "requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}", "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}", br},
		// how things are written
		{"header in other case, required now", "{name: X-Trace, in: header,", "{name: x-trace, required: true, in: header,", br},
		{"response header in other case", "X-Rate: {required", "x-rate: {required", safe},
		{"parameter of the path, required", "    parameters:\n      - {name: id,", "    parameters:\n      - {name: need, in: query, required: true, schema: {type: string}}\n      - {name: id,", br},
		{"parameter of the path, optional", "    parameters:\n      - {name: id,", "    parameters:\n      - {name: may, in: query, schema: {type: string}}\n      - {name: id,", change},
		{"media type in other case", "            application/xml:\n", "            Application/XML:\n", change},
		{"media type with charset", "          application/json:\n            schema: {$ref: '#/components/schemas/Pay'}", "          application/json; charset=utf-8:\n            schema: {$ref: '#/components/schemas/Pay'}", safe},
		{"media type with a version", "          application/json:\n            schema: {$ref: '#/components/schemas/Pay'}", "          application/json;v=2:\n            schema: {$ref: '#/components/schemas/Pay'}", br},
		{"status within default, other body", "        default: {desc", "        \"503\": {description: busy, content: {application/json: {schema: {type: object, properties: {title: {type: integer}}}}}}\n        default: {desc", br},
		{"status within default, same body", "        default: {desc", "        \"503\": {description: busy, content: {application/json: {schema: {$ref: '#/components/schemas/Problem'}}}}\n        default: {desc", change},
		{"status within default, no body", "        default: {desc", "        \"503\": {description: busy}\n        default: {desc", br},
		{"media type besides a range, narrower", "          \"text/*\": {schema: {type: string}}", "          \"text/*\": {schema: {type: string}}\n          text/csv: {schema: {type: string, maxLength: 3}}", br},
		{"media type besides a range", "          \"text/*\": {schema: {type: string}}", "          \"text/*\": {schema: {type: string}}\n          text/csv: {schema: {type: string}}", change},
		{"schema where there was none", "        \"201\": {description: paid}", "        \"201\": {description: paid, headers: {X-A: {description: a}}}", change},
		{"xml name", "amount: {type: number, exclusiveMinimum: 0}", "amount: {type: number, exclusiveMinimum: 0, xml: {name: sum}}", br},
		{"encoding by default", "            encoding: {meta: {contentType: application/json}}\n", "", safe},
		{"encoding explode", "meta: {contentType: application/json}", "meta: {contentType: application/json, explode: false}", br},
		{"default of a parameter", "raw, in: query, allowReserved: true, schema: {type: string}", "raw, in: query, allowReserved: true, schema: {type: string, default: a}", change},
		{"server described", "variables: {env", "description: main\n    variables: {env", safe},
		{"server added before", "servers:\n", "servers:\n  - url: https://a.example.com\n", change},
		{"trailing slash", "  /orders/{id}:", "  /orders/{id}/:", br},
		{"more of a path literal", "  /orders/{id}:\n", "  /v1/orders/{id}:\n", br},
		{"extension", "summary: one order", "x-note: a\n    summary: one order", safe},
		// security
		{"operation made public", "      operationId: getOrder\n", "      operationId: getOrder\n      security: []\n", change},
		{"operation public by an empty alternative", "      operationId: getOrder\n", "      operationId: getOrder\n      security: [{}, {key: []}]\n", change},
		{"public no more", "security: [{key: []}]\n", "security: [{key: []}, {oauth: [read]}]\n", change},
		{"scheme renamed", "key: {type: apiKey", "token: {type: apiKey", br}, // and what names it does not
		{"key as a cookie", "in: header, name: X-Key", "in: cookie, name: X-Key", br},
		{"key header in other case", "name: X-Key", "name: x-key", safe},
		{"scheme described", "{type: apiKey, in: header, name: X-Key}", "{type: apiKey, description: k, in: header, name: X-Key}", safe},
		// schemas
		{"property called like a keyword", "map: {type: object, additionalProperties: {type: integer}}", "required: {type: string}\n        map: {type: object, additionalProperties: {type: integer}}", change},
		{"const", "kind: {type: string}\n        secret", "kind: {type: string, const: a}\n        secret", change},
		{"inlined", "near: {$ref: '#/components/schemas/Near', description: beside}", "near: {type: object, properties: {x: {type: integer}}}", change},
		{"wrapped in allOf", "near: {$ref: '#/components/schemas/Near', description: beside}", "near: {allOf: [{$ref: '#/components/schemas/Near'}]}", change},
		{"oneOf in another order", "oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]", "oneOf: [{$ref: '#/components/schemas/Dog'}, {$ref: '#/components/schemas/Cat'}]", safe},
		{"oneOf to anyOf", "oneOf: [{$ref: '#/components/schemas/Cat'}", "anyOf: [{$ref: '#/components/schemas/Cat'}", change},
		{"body no longer named", "            schema: {$ref: '#/components/schemas/Pay'}\n", "            {}\n", change},
		{"type as a list of one", "kind: {type: string}\n        secret", "kind: {type: [string]}\n        secret", safe},
		{"open object closed in an answer", "Near: {type: object, properties: {x: {type: integer}}}", "Near: {type: object, properties: {x: {type: integer}}, additionalProperties: false}", change},
		{"title of a schema", "Near: {type: object,", "Near: {title: near, type: object,", safe},
		{"example of a schema", "Near: {type: object,", "Near: {examples: [{}], type: object,", safe},
		{"readOnly added to a request field", "method: {type: string,", "method: {type: string, readOnly: true,", risk},
		{"writeOnly added to an answer's field", "kind: {type: string}\n        secret", "kind: {type: string, writeOnly: true}\n        secret", br},
		{"request field required of the base", "Base: {type: object, properties", "Base: {type: object, required: [url], properties", br},
		{"dependentRequired", "Base: {type: object, properties", "Base: {type: object, dependentRequired: {url: [amount2]}, properties", br},
		{"if then", "Base: {type: object, properties", "Base: {type: object, if: {required: [url]}, then: {required: [why]}, properties", br},
		{"request map closed", "Base: {type: object, properties", "Base: {type: object, additionalProperties: {type: string}, properties", br},
		{"minProperties", "Base: {type: object, properties", "Base: {type: object, minProperties: 3, properties", br},
		{"tree closed at depth", "kids: {type: array, items:", "kids: {type: array, maxItems: 3, items:", change},
		// the rest
		{"unused schema changed", "Unused: {type: object, properties: {a: {type: string}}}", "Unused: {type: object, properties: {a: {type: integer}}}", safe},
		{"unused schema removed", "    Unused: {type: object, properties: {a: {type: string}}}\n", "", change},
		{"unused parameter changed", "spare, in: query, schema: {type: integer}", "spare, in: query, schema: {type: string}", safe},
		{"link changed", "{operationId: pay, parameters: {id: $response.body#/id}}", "{operationId: pay, parameters: {id: $response.body#/kind}}", risk},
		{"link removed", "          links:\n            pay: {operationId: pay, parameters: {id: $response.body#/id}}\n", "", risk},
		{"operationId changed", "operationId: getOrder", "operationId: readOrder", change},
		{"tag removed", "      tags: [orders]\n", "", change},
		{"tag told otherwise", "{name: orders, description: all}", "{name: orders, description: some}", safe},
		{"server removed", "https://{env}.example.com", "https://{env}.example.org", risk},
		{"server variable narrowed", "enum: [prod, test]", "enum: [prod]", risk},
		{"summary changed", "summary: one order", "summary: an order", safe},
		{"title changed", "title: wide", "title: wider", safe},
		{"deprecated", "operationId: getOrder", "deprecated: true\n      operationId: getOrder", change},
		{"operation removed", "    post:\n      operationId: pay", "    patch:\n      operationId: pay", br},
		{"3.0", "openapi: 3.1.0", "openapi: 3.1.1", safe},
	}
}

func TestAttacks(t *testing.T) { attackAll(t, wide, attacks()) }

func attackAll(t *testing.T, version string, list []attack) {
	replayed := 0
	for _, a := range list[:conformance.Fewer(len(list))] {
		if strings.Count(version, a.old) == 0 {
			t.Fatalf("%s: %q is not there", a.name, a.old)
		}
		changed := strings.Replace(version, a.old, a.new, 1)
		d := diff(t, version, changed)
		if unheard()[a.name] == "" {
			replayed += replayAll(t, version, changed, d)
		}
		worst := ""
		if len(d.Findings) > 0 {
			worst = string(d.Findings[0].Severity) // they are sorted
		}
		switch {
		case worst != a.want:
			t.Errorf("%s: got %q, want %q%s", a.name, worst, a.want, show(d))
		case len(d.Gaps) > 0:
			t.Errorf("%s: a gap%s", a.name, show(d))
		case len(d.Findings)+len(d.Proofs) == 0:
			t.Errorf("%s: nothing was said", a.name)
		}
	}
	t.Logf("%d attacks, %d witnesses replayed", len(list), replayed)
}

// What changed and no operation uses is said by name, and so is what is used by a scheme's name.
func TestUnused(t *testing.T) {
	for old, path := range map[string]string{
		"Unused: {type: object, properties: {a: {type: string}}}": "components.schemas.Unused",
		"spare, in: query, schema: {type: string}":                "components.parameters.Spare",
	} {
		d := diff(t, strings.Replace(wide, "spare, in: query, schema: {type: integer}", "spare, in: query, schema: {type: string}", 1),
			strings.Replace(wide, old, strings.Replace(old, "string", "boolean", 1), 1))
		if !slices.ContainsFunc(d.Proofs, func(p contract.Proof) bool { return p.Path == path && p.By == "rule: no operation uses it" }) {
			t.Errorf("%s: nothing was said%s", path, show(d))
		}
	}
}
