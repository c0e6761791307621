package openapi_test

import (
	"strings"
	"testing"
)

// narrow is a version in 3.0, where schemas are read otherwise.
const narrow = `openapi: 3.0.3
info: {title: narrow, version: "1"}
paths:
  /a:
    post:
      parameters:
        - {name: q, in: query, schema: {$ref: '#/components/schemas/Name'}}
        - {name: e, in: query, allowEmptyValue: true, schema: {type: string}}
        - {name: pipes, in: query, style: pipeDelimited, explode: false, schema: {type: array, items: {type: string}}}
        - {name: X-Map, in: header, schema: {type: object, additionalProperties: {type: string}}}
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/In'}
            example: {a: 1}
          application/octet-stream: {}
          application/x-www-form-urlencoded:
            schema: {type: object, properties: {tags: {type: array, items: {type: string}}}}
            encoding: {tags: {style: form, explode: true}}
      responses:
        "200":
          description: ok
          headers:
            X-Doc: {content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Out'}}}
        "204": {description: none}
  /a/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: ok, content: {application/json: {}, text/plain: {schema: {type: string}}}}}
components:
  schemas:
    Name: {type: string, maxLength: 10}
    In:
      type: object
      properties:
        n: {type: string, nullable: true}
        e: {type: string, nullable: true, enum: [x, y, null]}
        r: {$ref: '#/components/schemas/Name'}
        lim: {type: integer, minimum: 0, exclusiveMinimum: true}
        default: {type: string}
        one: {anyOf: [{type: string}, {type: integer}]}
        pet: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}], discriminator: {propertyName: kind}}
        any: {}
        list: {type: array, items: {type: object, properties: {x: {type: integer}}}}
    Out:
      type: object
      properties:
        n: {type: string}
        r: {$ref: '#/components/schemas/Name'}
        nul: {type: string, nullable: true}
        any: {}
        s: {type: string, enum: [a, b]}
        bin: {type: string, format: byte}
    Cat: {type: object, required: [kind], properties: {kind: {type: string}}}
    Kitten: {type: object, required: [kind], properties: {kind: {type: string}}}
    Dog: {type: object, required: [kind, age], properties: {kind: {type: string}, age: {type: integer}}}
`

func attacks30() []attack {
	const br, risk, change, safe = "break", "risk", "change", ""
	return []attack{
		{"null no more of a request", "n: {type: string, nullable: true}\n        e", "n: {type: string}\n        e", br},
		{"null into an answer", "n: {type: string}\n        r: {$ref: '#/components/schemas/Name'}\n        nul", "n: {type: string, nullable: true}\n        r: {$ref: '#/components/schemas/Name'}\n        nul", br},
		{"null out of an answer", "nul: {type: string, nullable: true}", "nul: {type: string}", change},
		{"null beside a $ref means nothing", "r: {$ref: '#/components/schemas/Name'}\n        nul", "r: {$ref: '#/components/schemas/Name', nullable: true}\n        nul", safe},
		{"bounds beside a $ref mean nothing", "r: {$ref: '#/components/schemas/Name'}\n        lim", "r: {$ref: '#/components/schemas/Name', maxLength: 1}\n        lim", safe},
		{"nullable without type", "any: {}\n        list", "any: {nullable: true}\n        list", change},
		{"null dropped from an enum", "enum: [x, y, null]", "enum: [x, y]", br},
		{"exclusive no more", ", exclusiveMinimum: true", "", change},
		{"exclusive", "lim: {type: integer, minimum: 0, exclusiveMinimum: true}", "lim: {type: integer, minimum: 1, exclusiveMinimum: true}", br},
		{"a field called default", "default: {type: string}", "default: {type: integer}", br},
		{"anyOf narrowed", "anyOf: [{type: string}, {type: integer}]", "anyOf: [{type: string}]", br},
		{"anyOf in another order", "anyOf: [{type: string}, {type: integer}]", "anyOf: [{type: integer}, {type: string}]", safe},
		{"anyOf to oneOf", "anyOf: [{type: string}, {type: integer}]", "oneOf: [{type: string}, {type: integer}]", change},
		{"anyOf to a oneOf that overlaps", "anyOf: [{type: string}, {type: integer}]", "oneOf: [{type: string}, {type: integer}, {type: number}]", br},
		{"implicit names: a schema renamed", "#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]", "#/components/schemas/Kitten'}, {$ref: '#/components/schemas/Dog'}]", br},
		{"discriminator gone", ", discriminator: {propertyName: kind}", "", "break"}, // both match oneOf
		{"any to something", "any: {}\n        list", "any: {type: string}\n        list", br},
		{"something to any, answer", "s: {type: string, enum: [a, b]}", "s: {}", br},
		{"item field required", "properties: {x: {type: integer}}}}", "required: [x], properties: {x: {type: integer}}}}", br},
		{"shared by both sides: widened", "Name: {type: string, maxLength: 10}", "Name: {type: string, maxLength: 20}", br},
		{"shared by both sides: narrowed", "Name: {type: string, maxLength: 10}", "Name: {type: string, maxLength: 5}", br},
		{"answer's format", "bin: {type: string, format: byte}", "bin: {type: string}", br},
		{"body without schema gets one", "application/octet-stream: {}", "application/octet-stream: {schema: {type: string, format: binary}}", safe},
		{"answer without schema gets one", "application/json: {}", "application/json: {schema: {type: object}}", change},
		{"answer with a schema loses it", "text/plain: {schema: {type: string}}", "text/plain: {}", safe},
		{"example changed", "example: {a: 1}", "example: {a: 2}", safe},
		{"empty value no more", "allowEmptyValue: true, ", "", risk},
		{"pipes to spaces", "style: pipeDelimited", "style: spaceDelimited", br},
		{"header of a map explodes", "schema: {type: object, additionalProperties: {type: string}}}", "explode: true, schema: {type: object, additionalProperties: {type: string}}}", br},
		{"form field explodes otherwise", "{style: form, explode: true}", "{style: form, explode: false}", br},
		{"form field by default", "            encoding: {tags: {style: form, explode: true}}\n", "", safe},
		{"document in a header", "X-Doc: {content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}", "X-Doc: {content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}", br},
		{"document in a header of another type", "X-Doc: {content: {application/json: {", "X-Doc: {content: {application/xml: {", br},
		{"status 204 removed", "        \"204\": {description: none}\n", "", br},
		{"status 204 becomes 205", "\"204\": {desc", "\"205\": {desc", br},
		{"literal path shadows a template", "  /a/{id}:\n", "  /a/mine:\n    get: {responses: {\"200\": {description: ok}}}\n  /a/{id}:\n", risk},
		{"body removed", "      requestBody:\n        content:\n          application/json:\n            schema: {$ref: '#/components/schemas/In'}\n            example: {a: 1}\n          application/octet-stream: {}\n          application/x-www-form-urlencoded:\n            schema: {type: object, properties: {tags: {type: array, items: {type: string}}}}\n            encoding: {tags: {style: form, explode: true}}\n", "", br},
		{"parameter shared, then its own", "schema: {$ref: '#/components/schemas/Name'}}\n        - {name: e", "schema: {type: string, maxLength: 10}}\n        - {name: e", safe},
		{"parameter described", "{name: q, in: query,", "{name: q, description: q, in: query,", safe},
	}
}

// unheard are those whose witness the validator judges otherwise than the standard, or not at all.
func unheard() map[string]string {
	return map[string]string{
		"implicit names: a schema renamed": "it reads a discriminator by its mapping alone",
		"discriminator gone":               "it reads a discriminator by its mapping alone",
		"null dropped from an enum":        "it lets null through before it looks at the enum",
		"document in a header":             "it does not read documents in headers",
		"body removed":                     "a body that nobody reads is no error to it",
	}
}

func TestAttacks30(t *testing.T) { attackAll(t, narrow, attacks30()) }

// What changes its dialect and means the same is safe.
func TestUpgrade(t *testing.T) {
	numbers := strings.NewReplacer("3.0.3", "3.1.0", "minimum: 0, exclusiveMinimum: true", "exclusiveMinimum: 0").Replace(narrow)
	d := diff(t, narrow, numbers)
	if d.Verdict().String() != "fail" || !strings.Contains(d.Findings[0].Witness.Document, "null") {
		t.Errorf("nullable means nothing in 3.1: got %s%s", d.Verdict(), show(d))
	}
	if d = diff(t, narrow, strings.Replace(narrow, "3.0.3", "3.1.0", 1)); d.Verdict().String() != "unknown" {
		t.Errorf("exclusiveMinimum is no number: got %s%s", d.Verdict(), show(d))
	}
	d = diff(t, narrow, strings.Replace(numbers, "type: string, nullable: true", `type: [string, "null"]`, -1))
	if d.Verdict().String() != "pass" {
		t.Errorf("got %s%s", d.Verdict(), show(d))
	}
}
