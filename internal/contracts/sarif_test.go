package contracts

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// jsonSchema compiles a schema.
func jsonSchema(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("sarif.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// oasisSchema returns the schema of SARIF 2.1.0 by OASIS. A Go module carries it, which go fetches into its cache and whose sum is known; nothing of that module runs.
func oasisSchema(t *testing.T) []byte {
	t.Helper()
	const module, file = "github.com/owenrumney/go-sarif/v3@v3.3.1", "pkg/report/v210/sarif/schema.go"
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir = t.TempDir() // of no module
	cmd.WaitDelay = time.Minute
	out, err := cmd.Output()
	var known struct{ Dir, Error string }
	if json.Unmarshal(out, &known) != nil || known.Dir == "" {
		t.Skipf("OASIS' schema cannot be had: go mod download %s: %v %s", module, err, known.Error)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(known.Dir, file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var schema string
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == "schema" {
			schema, err = strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		}
		return true
	})
	if err != nil || !strings.Contains(schema, "https://docs.oasis-open.org/sarif/sarif/v2.1.0/") {
		t.Fatalf("%s has no schema of SARIF 2.1.0: %v", module, err)
	}
	return []byte(schema)
}

// What is written is valid by OASIS' own schema.
func TestSARIFByOASIS(t *testing.T) {
	t.Parallel()
	schema := jsonSchema(t, oasisSchema(t))
	for name, r := range map[string]Report{"one of everything": sample(), "nothing": {}, "hostile names": hostile()} {
		var out bytes.Buffer
		if err := r.WriteSARIF(&out, "v1", "services"); err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{`{"version": "2.1.0"}`, `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "assay"}}, "results": [{"message": {"text": "x"}, "level": "fatal"}]}]}`} {
		if document, _ := jsonschema.UnmarshalJSON(strings.NewReader(text)); schema.Validate(document) == nil {
			t.Errorf("the schema takes %s", text)
		}
	}
}

// The SARIF that is written has a shape that our own schema of what is used of it knows.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sample().WriteSARIF(&out, "v1", "services"); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"testdata/sarif-used.schema.json"} {
		schema, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		compiled := jsonSchema(t, schema)
		if err := compiled.Validate(document); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		// The check can say no.
		document.(map[string]any)["runs"].([]any)[0].(map[string]any)["results"].([]any)[0].(map[string]any)["level"] = "fatal"
		if compiled.Validate(document) == nil {
			t.Errorf("%s: takes a level that there is not", file)
		}
	}
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if len(run.Results) != 6 {
		t.Fatalf("got %d results, want 6", len(run.Results))
	}
	ids := map[string]bool{}
	for _, r := range run.Results {
		if run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || len(r.Locations) == 0 || r.Message.Text == "" {
			t.Errorf("%+v", r)
		}
		if r.RuleID != undecided && (ids[r.Fingerprints["assayFinding/v1"]] || len(r.Fingerprints) == 0) {
			t.Errorf("%s has no fingerprint of its own", r.RuleID)
		}
		ids[r.Fingerprints["assayFinding/v1"]] = true
	}
	first, second := run.Results[0], run.Results[2]
	if first.Level != "error" || first.Locations[0].Physical.Artifact.URI != "services/api/a.yaml" || first.Related[0].Physical.Artifact.URI != "api/a.yaml" {
		t.Errorf("%+v", first)
	}
	if len(second.Suppressions) != 1 || len(first.Suppressions) != 0 {
		t.Error("the waived finding alone is suppressed")
	}
}
