package event

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/avro"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// schemaIn returns a JSON Schema that stands in a document.
func schemaIn(t *testing.T, src contract.Source, pointer string) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.Parse(src, src.Path, pointer, jsonschema.Draft7, contract.Options{})
	if err != nil {
		t.Fatal(pointer, err)
	}
	return s
}

const stock = `asyncapi: 3.0.0
channels:
  stock:
    address: stock.{place}
    parameters: {place: {enum: [north, south]}}
    messages:
      Counted: {payload: {type: object, required: [n], properties: {n: {type: integer, minimum: 3}}}}
      Moved: {payload: {type: object, required: [to], properties: {to: {type: string, minLength: 2}}}}
      Noted: {payload: {type: object, required: [n, text], properties: {n: {type: integer, minimum: 5}, text: {type: string}}}}
  back: {address: back, messages: {Done: {payload: {const: done}}}}
operations:
  take: {action: receive, channel: {$ref: '#/channels/stock'}, reply: {channel: {$ref: '#/channels/back'}}}
`

// TestAsyncWitnesses: what is gone shows an event that an old message allows and that no message that is left takes, at an address
// that was one.
func TestAsyncWitnesses(t *testing.T) {
	const counted, moved, noted = "/channels/stock/messages/Counted/payload", "/channels/stock/messages/Moved/payload", "/channels/stock/messages/Noted/payload"
	take := "  take: {action: receive, channel: {$ref: '#/channels/stock'}, reply: {channel: {$ref: '#/channels/back'}}}\n"
	line := func(name string) string {
		_, rest, _ := strings.Cut(stock, "      "+name+":")
		text, _, _ := strings.Cut(rest, "\n")
		return "      " + name + ":" + text + "\n"
	}
	for _, c := range []struct {
		name, from, to, rule, at, allows string
		refuse                           []string
	}{
		{"message", line("Moved"), "", "asyncapi-message-removed", "channel stock.{place}, message Moved", moved, []string{counted, noted}},
		{"message within another", line("Counted"), "", "asyncapi-message-removed", "channel stock.{place}, message Counted", counted, []string{moved, noted}},
		{"operation", take, "  give: {action: send, channel: {$ref: '#/channels/stock'}}\n", "asyncapi-operation-removed", "channel stock.north, message Counted", counted, nil},
		{"address", "address: stock.{place}", "address: shelf.{place}", "asyncapi-channel-address", "channel stock.north, message Counted", counted, nil},
		{"value", "[north, south]", "[north]", "asyncapi-parameter-value-removed", "channel stock.south, message Counted", counted, nil},
		{"reply", ", reply: {channel: {$ref: '#/channels/back'}}", "", "asyncapi-reply-removed", "channel back, message Done", "/channels/back/messages/Done/payload", nil},
		{"reply elsewhere", "address: back", "address: away", "asyncapi-reply-address", "channel back, message Done", "/channels/back/messages/Done/payload", nil},
	} {
		old, new := memory("old", "a.yaml", stock), memory("new", "a.yaml", strings.Replace(stock, c.from, c.to, 1))
		diff, err := Diff(t.Context(), old, new, contract.Options{Documents: 20})
		if err != nil {
			t.Fatal(c.name, err)
		}
		found := false
		for _, f := range diff.Findings {
			if f.Rule != c.rule {
				continue
			}
			found = true
			w := f.Witness
			if w == nil || w.Encoding != "json" || w.At != c.at || w.Allowed != "old" || f.Severity != contract.Break {
				t.Errorf("%s: got %s, %+v, want one at %q", c.name, f.Severity, w, c.at)
				continue
			}
			if err := schemaIn(t, old, c.allows).Validate([]byte(w.Document)); err != nil {
				t.Errorf("%s: the old message does not allow %s: %v", c.name, w.Document, err)
			}
			for _, pointer := range c.refuse {
				if schemaIn(t, new, pointer).Validate([]byte(w.Document)) == nil {
					t.Errorf("%s: %s takes %s", c.name, pointer, w.Document)
				}
			}
		}
		if !found {
			t.Errorf("%s: got %s", c.name, summary(diff))
		}
	}
}

// TestMessageCovered: a message that is gone harms nobody if another takes each of its payloads, but for those who go by its name.
func TestMessageCovered(t *testing.T) {
	_, rest, _ := strings.Cut(stock, "      Noted:")
	text, _, _ := strings.Cut(rest, "\n")
	new := strings.Replace(stock, "      Noted:"+text+"\n", "", 1)
	diff, err := Diff(t.Context(), memory("old", "a.yaml", stock), memory("new", "a.yaml", new), contract.Options{Documents: 20})
	if err != nil || summary(diff) != "risk asyncapi-message-removed receive stock.{place} Noted" {
		t.Errorf("got %s %v", summary(diff), err)
	}
	sends := func(s string) string { return strings.Replace(s, "action: receive", "action: send", 1) }
	diff, err = Diff(t.Context(), memory("old", "a.yaml", sends(stock)), memory("new", "a.yaml", sends(new)), contract.Options{Documents: 20})
	if err != nil || !strings.HasPrefix(summary(diff), "break asyncapi-message-removed send stock.{place} Noted") {
		t.Errorf("got %s %v", summary(diff), err) // who waits for it gets none
	}
}

// TestAsyncAvroWitness: the same of Avro.
func TestAsyncAvroWitness(t *testing.T) {
	gone := "      Billed: {payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {$ref: billed.avsc}}}\n"
	raw := "      Raw: {payload: {schemaFormat: 'application/raml+yaml;version=1.0', schema: {type: object}}}\n"
	old := strings.Replace(strings.Replace(shop, raw, raw+"      Other: {payload: {schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema: {type: record, name: Billed, fields: [{name: id, type: string}, {name: more, type: int}]}}}\n", 1), raw, "", 1)
	old = strings.Replace(old, "    messages: [{$ref: '#/channels/bills/messages/Raw'}]\n", "", 1)
	diff, err := Diff(t.Context(), asyncSource("old", old, billed), asyncSource("new", strings.Replace(old, gone, "", 1), billed), contract.Options{Documents: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range diff.Findings {
		if f.Rule != "asyncapi-message-removed" {
			continue
		}
		if f.Witness == nil || f.Witness.Encoding != "hex" {
			t.Fatalf("got %+v", f.Witness)
		}
		data, err := hex.DecodeString(f.Witness.Document)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if rest, err := avro.MustParse(billed).Decode(data, &v); err != nil || len(rest) > 0 || !json.Valid([]byte(f.Witness.Readable)) {
			t.Errorf("%+v: %v", f.Witness, err)
		}
		return
	}
	t.Errorf("got %s", summary(diff))
}
