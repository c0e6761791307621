package model_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestDocs runs the whole test that docs/workloads.md shows, as a reader copies it.
func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles a package")
	}
	t.Parallel()
	page, err := os.ReadFile("../../docs/workloads.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := bytes.Cut(page, []byte("```go\npackage mydb_test\n"))
	text, _, ends := bytes.Cut(text, []byte("```\n"))
	if !found || !ends {
		t.Fatal("the page shows no test of package mydb_test")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The module is assay's own with one more package, so nothing needs to be fetched.
	file, overlay := filepath.Join(t.TempDir(), "mydb_test.go"), filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, append([]byte("package mydb_test\n"), text...), 0o600); err != nil {
		t.Fatal(err)
	}
	places := `{"Replace": {"` + filepath.Join(root, "workload", "model", "mydb", "mydb_test.go") + `": "` + file + `"}}`
	if err := os.WriteFile(overlay, []byte(places), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	program := filepath.Join(filepath.Dir(file), "mydb.test")
	build := exec.CommandContext(ctx, "go", "test", "-vet=off", "-overlay", overlay, "-c", "-o", program, "./workload/model/mydb")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the test of docs/workloads.md: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, program, "-test.v").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: TestRegisters")) {
		t.Errorf("the test of docs/workloads.md: %v\n%s", err, out)
	}
}
