package event

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const shop = `asyncapi: 3.0.0
info: {title: Shop, version: 1.0.0}
defaultContentType: application/json
servers:
  main: {host: "broker:9092", protocol: kafka, protocolVersion: "3.5"}
  backup: {host: "backup:9092", protocol: kafka}
channels:
  orders:
    address: orders.{region}
    parameters:
      region: {enum: [eu, us]}
    messages:
      Placed: {$ref: '#/components/messages/Placed'}
      Cancelled: {payload: {type: object, required: [id], properties: {id: {type: string}}}}
    bindings: {kafka: {topic: orders, partitions: 12, replicas: 3}}
  bills:
    address: bills
    messages:
      Billed: {payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {$ref: billed.avsc}}}
      Raw: {payload: {schemaFormat: 'application/raml+yaml;version=1.0', schema: {type: object}}}
  spare: {address: spare}
operations:
  placed: {action: receive, channel: {$ref: '#/channels/orders'}}
  billed: {action: send, channel: {$ref: '#/channels/bills'}, bindings: {kafka: {groupId: {type: string}}}}
  ask:
    action: receive
    channel: {$ref: '#/channels/bills'}
    messages: [{$ref: '#/channels/bills/messages/Raw'}]
    reply: {channel: {$ref: '#/channels/orders'}, messages: [{$ref: '#/channels/orders/messages/Cancelled'}]}
components:
  messages:
    Placed:
      traits: [{headers: {type: object, properties: {trace: {type: string}}}}]
      correlationId: {location: '$message.header#/id'}
      bindings: {kafka: {key: {type: string}, schemaIdLocation: header}}
      payload:
        type: object
        required: [id]
        properties:
          id: {type: string}
          qty: {type: integer, minimum: 1}
`

const billed = `{"type": "record", "name": "Billed", "fields": [{"name": "id", "type": "string"}, {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "PAID"]}}]}`

func asyncSource(name, doc, avsc string) contract.Source {
	return contract.Source{Name: name, Path: "api/async.yaml", FS: fstest.MapFS{"api/async.yaml": {Data: []byte(doc)}, "api/billed.avsc": {Data: []byte(avsc)}}}
}

// An asyncEdit is one change of the shop's document and what must be found.
type asyncEdit struct{ name, from, to, want string }

func asyncEdits() []asyncEdit {
	return []asyncEdit{
		{"operation gone", "operations:\n  placed: {action: receive, channel: {$ref: '#/channels/orders'}}", "operations:",
			"break asyncapi-operation-removed receive orders.{region} "},
		{"channel gone for good", "  spare: {address: spare}\n", "", "break asyncapi-channel-removed channel spare "},
		{"channel on other servers", "{address: spare}", "{address: spare, servers: [{$ref: '#/servers/main'}]}", "risk asyncapi-channel-servers channel spare servers"},
		{"parameter without values", "{enum: [eu, us]}", "{description: any}", "risk asyncapi-parameter-values channel orders.{region} parameters.region.enum"},
		{"parameter's default", "{enum: [eu, us]}", "{enum: [eu, us], default: eu}", "risk asyncapi-parameter-default channel orders.{region} parameters.region.default"},
		{"server variables", `protocolVersion: "3.5"`, `protocolVersion: "3.5", variables: {port: {default: "1"}}`, "risk asyncapi-server-variables server main variables"},
		{"reply added", "placed: {action: receive, channel: {$ref: '#/channels/orders'}}",
			"placed: {action: receive, channel: {$ref: '#/channels/orders'}, reply: {channel: {$ref: '#/channels/spare'}}}",
			"change asyncapi-reply-added receive orders.{region}, reply "},
		{"security by a trait", "billed: {action: send,", "billed: {action: send, traits: [{security: [{type: plain}]}],", "break asyncapi-security-changed send bills security"},
		{"version bump", "version: 1.0.0", "version: 2.0.0", "change asyncapi-version-changed document info.version"},
		{"server gone", `  main: {host: "broker:9092", protocol: kafka, protocolVersion: "3.5"}`, `  other: {host: "b:1", protocol: kafka}`,
			"break asyncapi-server-removed server main ; change asyncapi-server-added server other "},
		{"server moved", "broker:9092", "broker:9093", "break asyncapi-server-address server main host"},
		{"protocol", "protocol: kafka,", "protocol: amqp,", "break asyncapi-server-protocol server main protocol"},
		{"protocol version", `"3.5"`, `"4.0"`, "risk asyncapi-server-protocol-version server main protocolVersion"},
		{"server security", `protocolVersion: "3.5"`, `protocolVersion: "3.5", security: [{type: plain}]`, "break asyncapi-security-changed server main security"},
		{"address", "address: orders.{region}", "address: placed.{region}", "break asyncapi-channel-address channel orders.{region} address; break asyncapi-reply-address receive bills, reply channel"},
		{"parameter renamed", "orders.{region}\n    parameters:\n      region:", "orders.{zone}\n    parameters:\n      zone:",
			"change asyncapi-channel-renamed channel orders.{region} ; change asyncapi-parameter-added channel orders.{region} parameters.zone; change asyncapi-parameter-renamed channel orders.{region} parameters.region"},
		{"parameter value gone", "[eu, us]", "[eu]", "break asyncapi-parameter-value-removed channel orders.{region} parameters.region.enum"},
		{"parameter value added", "[eu, us]", "[eu, us, uk]", "change asyncapi-parameter-value-added channel orders.{region} parameters.region.enum"},
		{"parameter location", "{enum: [eu, us]}", "{enum: [eu, us], location: '$message.payload#/r'}", "break asyncapi-parameter-location channel orders.{region} parameters.region.location"},
		{"topic", "topic: orders,", "topic: orders2,", "break asyncapi-binding-changed channel orders.{region} bindings.kafka.topic"},
		{"partitions", "partitions: 12", "partitions: 24", "risk asyncapi-binding-changed channel orders.{region} bindings.kafka.partitions"},
		{"replicas", "replicas: 3", "replicas: 5", "change asyncapi-binding-changed channel orders.{region} bindings.kafka.replicas"},
		{"binding of nobody", "replicas: 3", "replicas: 3, colour: red", "gap channel orders.{region} bindings.kafka.colour"},
		{"binding added", "address: bills\n", "address: bills\n    bindings: {amqp: {queue: {name: q}}}\n", "risk asyncapi-binding-added channel bills bindings.amqp.queue.name"},
		{"group", "groupId: {type: string}", "groupId: {type: string, enum: [a]}", "change asyncapi-binding-added send bills bindings.kafka.groupId.enum"},
		{"schema id", "schemaIdLocation: header", "schemaIdLocation: payload", "break asyncapi-binding-changed receive orders.{region} Placed.bindings.kafka.schemaIdLocation"},
		{"operation renamed", "  placed: {action", "  taken: {action", "change asyncapi-operation-renamed receive orders.{region} placed"},
		{"operation turned", "placed: {action: receive", "placed: {action: send",
			"break asyncapi-operation-removed receive orders.{region} ; change asyncapi-operation-added send orders.{region} "},
		{"message gone", "      Cancelled: {payload: {type: object, required: [id], properties: {id: {type: string}}}}\n", "", "error"},
		{"message gone for good", "      Billed: {payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {$ref: billed.avsc}}}\n", "",
			"break asyncapi-message-removed send bills Billed"},
		{"message renamed", "Billed: {payload", "Invoiced: {payload", "change asyncapi-message-renamed send bills Billed"},
		{"channel added", "channels:\n", "channels:\n  more: {address: more}\n", "change asyncapi-channel-added channel more "},
		{"schema added", "{payload: {type: object, required: [id]", "{headers: {type: object}, payload: {type: object, required: [id]",
			"risk asyncapi-schema-added receive bills, reply Cancelled.headers; risk asyncapi-schema-added receive orders.{region} Cancelled.headers"},
		{"operation added", "operations:\n", "operations:\n  more: {action: send, channel: {$ref: '#/channels/orders'}}\n", "change asyncapi-operation-added send orders.{region} "},
		{"message added for us", "      Placed: {$ref", "      More: {payload: {type: string}}\n      Placed: {$ref", "change asyncapi-message-added receive orders.{region} More"},
		{"message added by us", "      Raw: {payload", "      More: {payload: {type: string}}\n      Raw: {payload", "risk asyncapi-message-added send bills More"},
		{"content type", "      correlationId", "      contentType: text/plain\n      correlationId", "break asyncapi-content-type receive orders.{region} Placed.contentType"},
		{"default content type", "defaultContentType: application/json", "defaultContentType: application/cbor",
			"break asyncapi-content-type receive bills Raw.contentType; break asyncapi-content-type receive bills, reply Cancelled.contentType; " +
				"break asyncapi-content-type receive orders.{region} Cancelled.contentType; break asyncapi-content-type receive orders.{region} Placed.contentType; " +
				"break asyncapi-content-type send bills Billed.contentType; break asyncapi-content-type send bills Raw.contentType"},
		{"correlation id", "header#/id", "header#/other", "break asyncapi-correlation-id receive orders.{region} Placed.correlationId"},
		{"reply gone", "    reply: {channel: {$ref: '#/channels/orders'}, messages: [{$ref: '#/channels/orders/messages/Cancelled'}]}\n", "", "break asyncapi-reply-removed receive bills, reply "},
		{"reply elsewhere", "reply: {channel: {$ref: '#/channels/orders'}, messages: [{$ref: '#/channels/orders/messages/Cancelled'}]}", "reply: {channel: {$ref: '#/channels/bills'}, messages: [{$ref: '#/channels/orders/messages/Cancelled'}]}",
			"break asyncapi-reply-address receive bills, reply channel"},
		{"unknown format", "schema: {type: object}", "schema: {type: string}", "gap receive bills Raw.payload; gap send bills Raw.payload"},
		{"schema format", "schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {$ref: billed.avsc}", "type: object",
			"break asyncapi-schema-format send bills Billed.payload"},
		{"schema gone", "traits: [{headers: {type: object, properties: {trace: {type: string}}}}]", "traits: []", "risk asyncapi-schema-removed receive orders.{region} Placed.headers"},
		{"something unknown", "    address: bills\n", "    address: bills\n    colour: red\n", "gap channel bills colour"},
		{"words", "    address: bills\n", "    address: bills\n    description: words\n", ""},
		{"payload narrowed", "minimum: 1", "minimum: 2", "break json-minimum-raised receive orders.{region} Placed.payload.qty"},
		{"payload widened", "minimum: 1", "minimum: 0", "change json-widened receive orders.{region} Placed.payload.qty"},
		{"payload: required", "        required: [id]\n", "        required: [id, qty]\n", "break json-property-required receive orders.{region} Placed.payload.qty"},
		{"header", "trace: {type: string}", "trace: {type: integer}", "break json-type-narrowed receive orders.{region} Placed.headers.trace"},
		{"key", "key: {type: string}", "key: {type: integer}", "break json-type-narrowed receive orders.{region} Placed.bindings.kafka.key"},
		{"payload: optional field added", "          qty:", "          note: {type: string}\n          qty:", "risk json-type-narrowed receive orders.{region} Placed.payload.note"},
	}
}

// summary lists findings and gaps, sorted.
func summary(d contract.Diff) string {
	var all []string
	for _, f := range d.Findings {
		all = append(all, fmt.Sprintf("%s %s %s %s", f.Severity, f.Rule, f.Subject, f.Path))
	}
	for _, g := range d.Gaps {
		all = append(all, fmt.Sprintf("gap %s %s", g.Subject, g.Path))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

func TestAsyncRules(t *testing.T) {
	for _, c := range asyncEdits() {
		edited := strings.Replace(shop, c.from, c.to, 1)
		if edited == shop {
			t.Errorf("%s: the edit changes nothing", c.name)
		}
		diff, err := Diff(t.Context(), asyncSource("old", shop, billed), asyncSource("new", edited, billed), contract.Options{Documents: 40})
		if err != nil {
			if c.want != "error" {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if got := summary(diff); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
		for _, f := range diff.Findings {
			if f.Severity == contract.Break && (f.Old.Line == 0 || f.New.Line == 0) {
				t.Errorf("%s: no place: %+v", c.name, f)
			}
		}
	}
}

func TestAsyncAvro(t *testing.T) {
	edited := strings.Replace(billed, `"OPEN", `, `"OPEN", "LATE", `, 1)
	diff, err := Diff(t.Context(), asyncSource("old", shop, billed), asyncSource("new", shop, edited), contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := summary(diff), "break avro-enum-symbol send bills Billed.payload.state<LATE>"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f := diff.Findings[0]
	if f.Witness == nil || f.Witness.Allowed != "new" || f.New.File != "api/billed.avsc" || f.Flow != contract.FromUs {
		t.Errorf("got %+v %+v", f, f.Witness)
	}
}

func TestAsyncSame(t *testing.T) {
	diff, err := Diff(t.Context(), asyncSource("old", shop, billed), asyncSource("new", shop, billed), contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff.Verdict() != verdict.Pass || len(diff.Findings) > 0 {
		t.Errorf("got %s: %v %v", diff.Verdict(), diff.Findings, diff.Gaps)
	}
}

const shop2 = `asyncapi: 2.6.0
info: {title: Shop, version: 1.0.0}
channels:
  orders/{id}:
    parameters: {id: {schema: {type: string}}}
    publish:
      operationId: placed
      message: {name: Placed, payload: {type: object, properties: {qty: {type: integer, minimum: 1}}}}
    subscribe:
      message: {oneOf: [{name: Billed, payload: {type: object, properties: {state: {enum: [open, paid]}}}}]}
  gone: {publish: {message: {payload: {type: string}}}}
`

func TestAsync2(t *testing.T) {
	for _, c := range []asyncEdit{
		{"received: narrowed", "minimum: 1", "minimum: 2", "break json-minimum-raised receive orders/{id} Placed.payload.qty"},
		{"received: widened", "minimum: 1", "minimum: 0", "change json-widened receive orders/{id} Placed.payload.qty"},
		{"sent: widened", "[open, paid]", "[open, paid, late]", "break json-enum-value-removed send orders/{id} Billed.payload.state"},
		{"sent: narrowed", "[open, paid]", "[open]", "change json-narrowed send orders/{id} Billed.payload.state"},
		{"channel gone", "  gone: {publish: {message: {payload: {type: string}}}}\n", "", "break asyncapi-channel-removed channel gone "},
		{"format", "name: Placed,", "name: Placed, schemaFormat: 'application/schema+json;version=draft-03',", "gap receive orders/{id} Placed.payload"},
	} {
		diff, err := Diff(t.Context(), asyncSource("old", shop2, ""), asyncSource("new", strings.Replace(shop2, c.from, c.to, 1), ""), contract.Options{Documents: 40})
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got := summary(diff); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
