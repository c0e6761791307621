package terms

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// The schema for editors takes what the parser takes, and refuses each mistake of structure that the parser refuses.
func TestSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../internal/schema/terms.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("terms.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("terms.json")
	if err != nil {
		t.Fatal(err)
	}
	refuses := func(text string) error { return schema.Validate(asJSON(t, text)) }
	for _, good := range append(strings.Split(shop, "---\n"), base, strings.Replace(base, "jitter: 0.5", "jitter: 0", 1)) {
		if err := refuses(good); err != nil {
			t.Errorf("refused: %v\n%s", err, good)
		}
	}
	for _, e := range edits() {
		if changed := strings.Replace(base, e.from, e.to, 1); refuses(changed) != nil {
			t.Errorf("refused after %q to %q: %v", e.from, e.to, refuses(changed))
		}
	}
	everyKey(t, document.(map[string]any), refuses)
}

// everyKey says of each key of the schema whether the parser knows it, by misspelling it: both must refuse what both took before.
func everyKey(t *testing.T, document map[string]any, refuses func(string) error) {
	const all = `service: s
operations:
  send a: {deadline: 1s, work: 1s, safe: true, idempotent: true, retry-after: 1s, limit: 1/s, key: {header: a, retention: 1s, required: true},
    retry: {on: [503], attempts: 1, backoff: {initial: 1s, factor: 1, max: 1s, jitter: 0}},
    delivery: {guarantee: at-least-once, order-by: a, dedup: 1s, redeliveries: 1, redeliver-after: 1s},
    calls: [{call: s send a, timeout: 1s, key: fresh, degrades: true, retry: {on: [503], attempts: 1, retry-after: true, backoff: {initial: 1s}}}, {parallel: []}]}
`
	field := strings.Replace(all, "header: a", "field: a", 1)
	for name, def := range document["$defs"].(map[string]any) {
		properties, _ := def.(map[string]any)["properties"].(map[string]any)
		for key := range properties {
			text := all
			if key == "field" {
				text = field
			}
			if !strings.Contains(text, key+": ") {
				t.Errorf("%s has a key %s that this test does not", name, key)
			}
			wrong := strings.Replace(text, key+": ", key+"x: ", 1)
			if _, err := Read(t.Context(), memory("v", wrong)); err == nil || refuses(wrong) == nil {
				t.Errorf("%sx of %s is taken: by the parser %v, by the schema %v", key, name, err == nil, refuses(wrong) == nil)
			}
		}
	}
	for _, text := range []string{all, field} {
		if _, err := Read(t.Context(), memory("v", text)); err != nil || refuses(text) != nil {
			t.Errorf("%v, %v", err, refuses(text))
		}
	}
}

func asJSON(t *testing.T, text string) any {
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return document
}
