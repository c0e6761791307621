package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/system"
)

// recipeTable shows what the recipes make of services, nil where there are none. Whole files are in --json.
func recipeTable(sys system.System) *table.Table {
	var t *table.Table
	for _, s := range sys.Services {
		if s.Recipe == "" {
			continue
		}
		if t == nil {
			t = &table.Table{Head: []string{"SERVICE", "RECIPE", "WHAT", "IS"}, Prose: []int{3}, Whole: true}
		}
		for _, line := range recipeLines(s) {
			t.Row(s.Name, s.Recipe, line[0], line[1])
		}
	}
	return t
}

// recipeLines says how a service runs, a name and a text each.
func recipeLines(s system.Service) [][2]string {
	lines := [][2]string{{"program", s.Process.Binary}, {"command", run.Redact(strings.Join(s.Process.Command, " "))}, {"ports", strings.Trim(fmt.Sprint(s.Ports), "[]")}}
	for _, name := range slices.Sorted(maps.Keys(s.Process.Env)) {
		lines = append(lines, [2]string{"env " + name, run.RedactNamed(name, s.Process.Env[name])})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Process.Files)) {
		lines = append(lines, [2]string{"file " + name, fmt.Sprintf("%d lines (--json has them)", strings.Count(s.Process.Files[name], "\n"))})
	}
	if s.Process.Image != nil {
		lines = append(lines, [2]string{"image", s.Process.Image.Name})
		for _, note := range s.Process.Image.Notes {
			lines = append(lines, [2]string{"note", note})
		}
	}
	lines = append(lines, [2]string{"ready", readyText(s.Ready)})
	for _, name := range slices.Sorted(maps.Keys(s.Probes)) {
		lines = append(lines, [2]string{"probe " + name, probeText(s.Probes[name])})
	}
	if s.Lead != nil {
		lines = append(lines, [2]string{"lead", leadText(s)})
	}
	return lines
}

func readyText(r system.Ready) string {
	switch {
	case r.HTTP != "":
		return "http " + r.HTTP
	case r.TCP != 0:
		return fmt.Sprint("tcp ", r.TCP)
	case r.Log != "":
		return "log " + r.Log
	}
	return run.Redact(strings.Join(append([]string{"exec"}, r.Exec...), " "))
}

func probeText(p system.Probe) string {
	switch {
	case p.HTTP != "":
		return fmt.Sprintf("http %s: %s", p.HTTP, p.Value)
	case p.SQL != nil:
		return fmt.Sprintf("sql %s, %s: %s", run.Redact(p.SQL.URL), p.SQL.Query, p.Value)
	}
	return fmt.Sprintf("exec %s: %s", run.Redact(strings.Join(p.Exec, " ")), p.Value)
}

func leadText(s system.Service) string {
	first := s.Instances()[0].Name
	if s.Lead.After == 0 {
		return first + " leads; nobody takes over"
	}
	return fmt.Sprintf("%s leads at first; gone for %v, the one that has most takes over", first, s.Lead.After)
}
