package event

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/contract"
)

// lamps is after the lamps that the specifications take for their example: the application hears of light and turns lamps on.
const lamps2 = `asyncapi: 2.6.0
servers: {main: {url: "mqtt://lamps:1883", protocol: mqtt, security: [{key: []}, {pass: []}]}}
channels:
  lamp/{id}/lit:
    publish:
      operationId: receiveLight
      traits: [{bindings: {mqtt: {qos: 1}}}]
      message: {$ref: '#/components/messages/light'}
  lamp/{id}/on:
    subscribe:
      operationId: turnOn
      security: [{key: []}]
      message: {name: turn, payload: {type: object, properties: {level: {type: integer, maximum: 100}}}}
components:
  messages:
    light:
      name: light
      contentType: text/plain
      traits: [{contentType: application/json, headers: {type: object, properties: {run: {type: integer, maximum: 100}}}}]
      payload: {type: object, properties: {lumens: {type: integer, minimum: 0}}}
  securitySchemes:
    key: {type: apiKey, in: user, description: a key}
    pass: {type: userPassword}
`

const lamps3 = `asyncapi: 3.0.0
servers: {main: {host: "lamps:1883", protocol: mqtt, security: [{$ref: '#/components/securitySchemes/key'}, {$ref: '#/components/securitySchemes/pass'}]}}
channels:
  lit: {address: 'lamp/{id}/lit', parameters: {id: {}}, messages: {light: {$ref: '#/components/messages/light'}}}
  on: {address: 'lamp/{id}/on', parameters: {id: {}}, messages: {turn: {payload: {type: object, properties: {level: {type: integer, maximum: 100}}}}}}
operations:
  receiveLight:
    action: receive
    channel: {$ref: '#/channels/lit'}
    traits: [{bindings: {mqtt: {qos: 1}}}, {bindings: {mqtt: {retain: true}}}]
  turnOn:
    action: send
    channel: {$ref: '#/channels/on'}
    security: [{$ref: '#/components/securitySchemes/key'}]
    reply: {address: {location: '$message.header#/to', description: words}, channel: {$ref: '#/channels/lit'}}
components:
  messages:
    light:
      headers: {type: object, properties: {own: {type: string}}}
      traits: [{contentType: text/plain}, {contentType: application/json, headers: {type: object, properties: {run: {type: integer, maximum: 100}}}}]
      payload: {type: object, properties: {lumens: {type: integer, minimum: 0}}}
  securitySchemes:
    key: {type: apiKey, in: user, description: a key}
    pass: {type: userPassword}
`

func TestTraitsAndSecurity(t *testing.T) {
	for _, c := range []struct{ name, doc, from, to, want string }{
		// What it hears was written for the old version, what it says is read by those who know the old.
		{"2: publish is heard", lamps2, "minimum: 0", "minimum: 1", "break json-minimum-raised receive lamp/{id}/lit light.payload.lumens"},
		{"2: publish is heard, wider", lamps2, "minimum: 0", "minimum: -1", "change json-widened receive lamp/{id}/lit light.payload.lumens"},
		{"2: subscribe is said", lamps2, "level: {type: integer, maximum: 100}", "level: {type: integer, maximum: 200}", "break json-maximum-lowered send lamp/{id}/on turn.payload.level"},
		{"2: subscribe is said, narrower", lamps2, "level: {type: integer, maximum: 100}", "level: {type: integer, maximum: 50}", "change json-narrowed send lamp/{id}/on turn.payload.level"},
		{"3: receive", lamps3, "minimum: 0", "minimum: 1", "break json-minimum-raised receive lamp/{id}/lit light.payload.lumens; break json-minimum-raised send lamp/{id}/on, reply light.payload.lumens"},
		{"3: send", lamps3, "level: {type: integer, maximum: 100}", "level: {type: integer, maximum: 200}", "break json-maximum-lowered send lamp/{id}/on turn.payload.level"},
		// Traits: in version 2 they win, in version 3 the object's own does, and of several the last.
		{"2: overwritten", lamps2, "contentType: text/plain", "contentType: text/csv", ""},
		{"2: overwriting", lamps2, "contentType: application/json", "contentType: text/csv", "break asyncapi-content-type receive lamp/{id}/lit light.contentType"},
		{"3: the last trait", lamps3, "contentType: application/json", "contentType: text/csv", "break asyncapi-content-type receive lamp/{id}/lit light.contentType; break asyncapi-content-type send lamp/{id}/on, reply light.contentType"},
		{"3: the first trait", lamps3, "contentType: text/plain", "contentType: text/csv", ""},
		{"2: headers of a trait", lamps2, "run: {type: integer, maximum: 100}", "run: {type: integer, maximum: 50}", "break json-maximum-lowered receive lamp/{id}/lit light.headers.run"},
		{"3: headers of both", lamps3, "run: {type: integer, maximum: 100}", "run: {type: integer, maximum: 50}", "gap receive lamp/{id}/lit light.headers; gap send lamp/{id}/on, reply light.headers"},
		{"2: binding of a trait", lamps2, "qos: 1", "qos: 0", "risk asyncapi-binding-changed receive lamp/{id}/lit bindings.mqtt.qos"},
		{"3: binding of the first trait", lamps3, "qos: 1", "qos: 0", "risk asyncapi-binding-changed receive lamp/{id}/lit bindings.mqtt.qos"},
		{"3: binding of the last trait", lamps3, "retain: true", "retain: false", "risk asyncapi-binding-changed receive lamp/{id}/lit bindings.mqtt.retain"},
		{"3: something in a trait", lamps3, "{retain: true}}", "{retain: true}}, colour: red", "gap receive lamp/{id}/lit colour"},
		// Security is a list of ways in.
		{"2: scheme", lamps2, "in: user", "in: password", "break asyncapi-security-changed send lamp/{id}/on security; break asyncapi-security-changed server main security"},
		{"3: scheme", lamps3, "in: user", "in: password", "break asyncapi-security-changed send lamp/{id}/on security; break asyncapi-security-changed server main security"},
		{"2: words", lamps2, "description: a key", "description: the key", ""},
		{"3: words", lamps3, "description: a key", "description: the key", ""},
		{"3: words of a reply", lamps3, "description: words", "description: others", ""},
		{"3: where replies go", lamps3, "header#/to", "header#/back", "break asyncapi-reply-address send lamp/{id}/on, reply location"},
		{"2: a way less", lamps2, "[{key: []}, {pass: []}]", "[{pass: []}]", "break asyncapi-security-changed server main security"},
		{"2: a way more", lamps2, "security: [{key: []}]\n", "security: [{key: []}, {pass: []}]\n", "change asyncapi-security-changed send lamp/{id}/on security"},
		{"2: no way needed", lamps2, "      security: [{key: []}]\n", "", "change asyncapi-security-changed send lamp/{id}/on security"},
		{"2: scopes", lamps2, "security: [{key: []}]\n", "security: [{key: [write]}]\n", "break asyncapi-security-changed send lamp/{id}/on security"},
	} {
		edited := strings.Replace(c.doc, c.from, c.to, 1)
		if edited == c.doc {
			t.Errorf("%s: the edit changes nothing", c.name)
		}
		diff, err := Diff(t.Context(), memory("old", "a.yaml", c.doc), memory("new", "a.yaml", edited), contract.Options{Documents: 20})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := summary(diff); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestVersionsMeet: a document that moved from version 2 to 3 and says the same breaks nobody.
func TestVersionsMeet(t *testing.T) {
	const two = `asyncapi: 2.6.0
channels:
  lit: {publish: {operationId: a, message: {name: light, payload: {type: integer, minimum: 0}}}}
  on: {subscribe: {operationId: b, message: {name: turn, payload: {type: integer, maximum: 9}}}}
`
	const three = `asyncapi: 3.0.0
channels:
  lit: {address: lit, messages: {light: {payload: {type: integer, minimum: 0}}}}
  on: {address: 'on', messages: {turn: {payload: {type: integer, maximum: 9}}}}
operations:
  a: {action: receive, channel: {$ref: '#/channels/lit'}}
  b: {action: send, channel: {$ref: '#/channels/on'}}
`
	for name, c := range map[string][2]string{
		"the same":    {three, ""},
		"turned":      {strings.NewReplacer("receive", "send", "send", "receive").Replace(three), "break asyncapi-operation-removed"},
		"heard less":  {strings.Replace(three, "minimum: 0", "minimum: 1", 1), "break json-minimum-raised receive lit light.payload"},
		"said more":   {strings.Replace(three, "maximum: 9", "maximum: 99", 1), "break json-maximum-lowered send on turn.payload"},
		"heard more":  {strings.Replace(three, "minimum: 0", "minimum: -1", 1), "change json-widened"},
		"other place": {strings.Replace(three, "address: lit", "address: dark", 1), "break asyncapi-channel-address"},
	} {
		diff, err := Diff(t.Context(), memory("old", "a.yaml", two), memory("new", "a.yaml", c[0]), contract.Options{Documents: 20})
		if got := summary(diff); err != nil || !strings.HasPrefix(got, c[1]) || c[1] == "" && got != "" {
			t.Errorf("%s: got %q, want %q: %v", name, got, c[1], err)
		}
	}
}
