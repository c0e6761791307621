package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/schema"
)

// published are the files under docs that are made from the schemas.
func published(t *testing.T) map[string]string {
	t.Helper()
	reference, err := schema.Reference()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"reference/files.md": reference}
	for _, name := range schema.Names() {
		text, ok := schema.Text(name)
		if !ok {
			t.Fatalf("there is no schema %s", name)
		}
		files["schemas/"+name+".json"] = string(text)
	}
	return files
}

// What is under docs is what this version says. ASSAY_UPDATE=1 writes it.
func TestPublished(t *testing.T) {
	t.Parallel()
	for name, want := range published(t) {
		path := filepath.Join("../../docs", name)
		if os.Getenv("ASSAY_UPDATE") != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("docs/%s is not what the schemas say (%v): ASSAY_UPDATE=1 go test ./internal/schema writes it", name, err)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for _, name := range schema.Names() {
		text, _ := schema.Text(name)
		var head struct {
			Schema string `json:"$schema"`
			ID     string `json:"$id"`
		}
		if err := json.Unmarshal(text, &head); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if head.ID != schema.URL(name) || head.Schema != "https://json-schema.org/draft/2020-12/schema" {
			t.Errorf("%s calls itself %q in %q, want %q", name, head.ID, head.Schema, schema.URL(name))
		}
	}
	if _, ok := schema.Text("none"); ok {
		t.Error("there is a schema called none")
	}
}
