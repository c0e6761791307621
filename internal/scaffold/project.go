package scaffold

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/assay-dev/assay/internal/schema"
	"github.com/assay-dev/assay/internal/spec"
)

// projectFiles returns assay.yaml, gate.yaml and the experiments. Without a service that answers HTTP there are none.
func (t *topology) projectFiles(compose string) []File {
	entry := t.entry()
	if entry == nil {
		return nil
	}
	files := []File{
		{Path: spec.FileName, Content: []byte(t.assay(entry, compose))},
		{Path: "gate.yaml", Content: []byte(t.gate(entry))},
	}
	for _, x := range t.experiments(entry) {
		files = append(files, File{Path: filepath.ToSlash(filepath.Join("experiments", x.name+".yaml")), Content: []byte(x.text)})
	}
	return files
}

// answers is the name of the journey that shows that a service is there.
func (s *service) answers() string { return s.Name + "-answers" }

// through is the name of the journey that may go through what is behind the service: of its own, or else the only one.
func (s *service) through() string {
	if s.deep == "" {
		return s.answers()
	}
	name := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(s.deep), "-"), "-")
	if name == "" {
		name = "home"
	}
	return s.Name + "-" + name
}

// journeys writes them down.
func (s *service) journeys() string {
	line := "  %s:\n    steps:\n      - {call: %q, timeout: 2s, expect: status == 200}\n"
	text := fmt.Sprintf("  # %s answers.\n"+line, s.Name, s.answers(), s.call(s.path))
	if s.deep != "" {
		return text + fmt.Sprintf("\n  # A path that users take: its source has that route. Is it one that goes through what is behind it?\n"+line, s.through(), s.call(s.deep))
	}
	return text + "  # Add one that goes through everything behind it: an experiment can only show what its journey meets.\n"
}

// systemName is the compose project's, or its folder's.
func (t *topology) systemName() string {
	if name := value(t.root, "name"); name != nil && name.Value != "" && !strings.Contains(name.Value, "$") {
		return name.Value
	}
	name := regexp.MustCompile(`[^a-z0-9-]+`).ReplaceAllString(strings.ToLower(filepath.Base(t.dir)), "-")
	if name = strings.Trim(name, "-"); name == "" {
		return "system"
	}
	return name
}

func (t *topology) assay(entry *service, compose string) string {
	return fmt.Sprintf(`# yaml-language-server: $schema=%s
system: %s
topology: %s

journeys:
%[5]s
  # A path that writes, and records what it was told is kept, so that no_lost("orders") can be asked:
  #
  # checkout:
  #   owner: team-orders
  #   data: {key: "{{uuid()}}"}
  #   steps:
  #     - call: POST http://%[4]s:%[6]d/orders
  #       headers: {Idempotency-Key: "{{key}}"}
  #       json: {sku: A1, qty: 1}
  #       timeout: 2s
  #       expect: status == 201
  #       degraded: status == 202                # good enough while something is broken
  #       save: {id: body.id}
  #       record: {append: orders, value: id}
  #
  # final:                                       # beside journeys: after each experiment, what is there?
  #   - {call: "GET http://%[4]s:%[6]d/orders", eventually: 10s, expect: status == 200, record: {read: orders, value: body.ids}}

experiments: [experiments/*.yaml]
gate: gate.yaml
`, schema.URL("assay"), t.systemName(), compose, entry.Name, entry.journeys(), entry.port)
}

func (t *topology) gate(entry *service) string {
	return fmt.Sprintf(`# yaml-language-server: $schema=%s
# What a release needs: these cells of the matrix, proved by runs that are no older than this, of the very binaries.
# Add failover, replication, retry and timeout as your experiments come to prove them.
require:
  - {journeys: [%s], modes: [restart], same: digests, max-age: 7d}
`, schema.URL("gate"), entry.answers())
}
