package scaffold_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/scaffold"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/workload"
)

// Where no path is known that goes beyond the service, assay.yaml says what to fill in. Whoever does as it says, word by word, has a
// journey that loads, and experiments that it drives.
func TestTemplate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), []byte("services:\n  web: {build: ., ports: [\"80\"], environment: {LISTEN: \":80\", DB: \"postgres://a:a@db/a\", REDIS: \"cache:6379\"}}\n"+
		"  db: {image: \"postgres:15\"}\n  cache: {image: \"redis:7\"}\n"))
	write(t, filepath.Join(dir, "go.mod"), []byte("module web\n"))
	write(t, filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {\n\tmux.HandleFunc(\"GET /healthz\", ok)\n\tmux.HandleFunc(\"POST /things\", add)\n}\n"))
	plan, err := scaffold.New(dir, scaffold.Options{Host: fakeHost()})
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(); err != nil {
		t.Fatal(err)
	}
	if len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "assay.yaml has one in comments, web-through") {
		t.Errorf("notes: %q", plan.Notes)
	}
	lines := strings.Split(read(t, filepath.Join(dir, "assay.yaml")), "\n")
	at := slices.Index(lines, "  # web-through:")
	if at < 0 || !strings.Contains(strings.Join(lines, "\n"), "POST http://web:80/things") {
		t.Fatalf("assay.yaml:\n%s", strings.Join(lines, "\n"))
	}
	for i := range 3 {
		lines[at+i] = strings.Replace(strings.Replace(lines[at+i], "# ", "", 1), "/PATH", "/mine", 1)
	}
	write(t, filepath.Join(dir, "assay.yaml"), []byte(strings.Join(lines, "\n")))
	waiting := 0
	for _, line := range lines[:at] {
		if name := strings.TrimSpace(strings.TrimPrefix(line, "  #   ")); strings.HasPrefix(name, "experiments/") {
			waiting++
			path := filepath.Join(dir, name)
			write(t, path, []byte(strings.ReplaceAll(read(t, path), "web-answers", "web-through")))
		}
	}
	p, err := spec.LoadOn(fakeHost(), dir)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.Journeys, func(j workload.Journey) bool { return j.Name == "web-through" })
	if i < 0 || p.Journeys[i].Steps[0].Call != "GET http://web:80/mine" || waiting != 2 {
		t.Errorf("%d experiments wait for %+v", waiting, p.Journeys)
	}
}
