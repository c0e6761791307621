package scaffold

import (
	"cmp"
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

// known says whether a journey is known to go beyond the service, as far as its source tells.
func (s *service) known() bool { return s.deep != "" || s.asks }

// journeys writes them down. Some experiments may be waiting for one that is to be filled in.
func (s *service) journeys(waiting []string) string {
	line := "  %s:\n    steps:\n      - {call: %q, timeout: 2s, expect: status == 200}\n"
	text := fmt.Sprintf("  # %s answers.\n"+line, s.Name, s.answers(), s.call(s.path))
	switch {
	case s.deepAsks:
		return text + fmt.Sprintf("\n  # It goes through what is behind %s: its source has that route, which asks there.\n"+line, s.Name, s.through(), s.call(s.deep))
	case s.deep != "":
		return text + fmt.Sprintf("\n  # A path that users take: its source has that route. Is it one that goes through what is behind it?\n"+line, s.through(), s.call(s.deep))
	case s.asks || len(s.needs) == 0:
		return text + "  # Add one that users take: an experiment can only show what its journey meets.\n"
	}
	needs := make([]string, len(s.needs))
	for i, other := range s.needs {
		needs[i] = other.Name
	}
	return text + fmt.Sprintf(`
  # One that goes through %[1]s: an experiment can only show what its journey meets.
  # No path was found in the source of %[2]s that does. Take the "# " off the three lines of %[3]s, and put a path of
  # yours that needs %[1]s in the place of /PATH. Then write %[3]s for %[4]s in
  #   %[5]s
  #
  # %[3]s:
  #   steps:
  #     - {call: %[6]q, timeout: 2s, expect: status == 200}
`, list(needs), s.Name, s.beyond(), s.answers(), strings.Join(waiting, "\n  #   "), s.call("/PATH"))
}

// beyond is the name of the journey that is to be filled in.
func (s *service) beyond() string { return s.Name + "-through" }

// waiting names the files of experiments that wait for a journey which goes beyond the entry.
func (t *topology) waiting(entry *service) []string {
	var files []string
	for _, x := range t.experiments(entry) {
		if from, _, link := strings.Cut(x.fault(), " -> "); link && from == entry.Name {
			files = append(files, "experiments/"+x.name+".yaml")
		}
	}
	return files
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
  #     - call: POST http://%[4]s:%[6]d%[7]s
  #       headers: {Idempotency-Key: "{{key}}"}
  #       json: {sku: A1, qty: 1}
  #       timeout: 2s
  #       expect: status == 201
  #       degraded: status == 202                # good enough while something is broken
  #       save: {id: body.id}
  #       record: {append: orders, value: id}
  #
  # final:                                       # beside journeys: after each experiment, what is there?
  #   - {call: "GET http://%[4]s:%[6]d%[7]s", eventually: 10s, expect: status == 200, record: {read: orders, value: body.ids}}

experiments: [experiments/*.yaml]
gate: gate.yaml
`, schema.URL("assay"), plainOrQuoted(t.systemName()), compose, entry.Name, entry.journeys(t.waiting(entry)), entry.port, cmp.Or(entry.post, "/orders"))
}

func (t *topology) gate(entry *service) string {
	return fmt.Sprintf(`# yaml-language-server: $schema=%s
# What a release needs: these cells of the matrix, proved by runs that are no older than this, of the very binaries.
# Add failover, replication, retry and timeout as your experiments come to prove them.
require:
  - {journeys: [%s], modes: [restart], same: digests, max-age: 7d}
`, schema.URL("gate"), entry.answers())
}
