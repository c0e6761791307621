package simrun

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// sources are the lines of the code that frames name. Where they cannot be read, nothing is shown.
type sources struct {
	dirs  map[string]string // of import paths
	files map[string][]string
	built map[string]string // files that were compiled instead of others: line numbers are theirs
}

// newSources asks the go command where the packages are that a test is made of.
func newSources(ctx context.Context, command func(context.Context, ...string) *exec.Cmd, flags []string, pkg, overlay string) *sources {
	s := &sources{dirs: map[string]string{}, files: map[string][]string{}, built: replaced(overlay)}
	args := append([]string{"list", "-deps", "-test", "-f", "{{.ImportPath}}\t{{.Dir}}"}, flags...)
	out, err := command(ctx, append(args, pkg)...).Output()
	if err != nil {
		return s // the explanation has places all the same
	}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		path, _, _ = strings.Cut(path, " ") // a test's own variant
		s.dirs[path] = dir
	}
	return s
}

// replaced reads which files an overlay compiles instead of others. Where it cannot be read, there are none.
func replaced(overlay string) map[string]string {
	var index struct{ Replace map[string]string }
	if text, err := os.ReadFile(overlay); err == nil {
		_ = json.Unmarshal(text, &index) // then no line is shown where there is one
	}
	return index.Replace
}

// line is what the code says at a frame ("function file:line").
func (s *sources) line(frame string) string {
	name, at, _ := strings.Cut(frame, " ")
	file, number, _ := strings.Cut(filepath.Base(at), ":")
	n, err := strconv.Atoi(number)
	if s == nil || err != nil {
		return ""
	}
	dir := s.dirs[importPath(name)]
	if dir == "" {
		dir = s.dirs[strings.TrimSuffix(importPath(name), "_test")]
	}
	if dir == "" {
		return ""
	}
	lines := s.file(filepath.Join(dir, file))
	if n < 1 || n > len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[n-1])
}

func (s *sources) file(path string) []string {
	if lines, ok := s.files[path]; ok {
		return lines
	}
	from := path
	if f, ok := s.built[path]; ok {
		from = f
	}
	text, err := os.ReadFile(from)
	var lines []string
	if err == nil {
		lines = strings.Split(string(text), "\n")
	}
	s.files[path] = lines
	return lines
}

// importPath is that of a function's package: its last element ends at the first dot, and has its own dots as %2e.
func importPath(function string) string {
	slash := strings.LastIndexByte(function, '/') + 1
	last, _, _ := strings.Cut(function[slash:], ".")
	return function[:slash] + strings.ReplaceAll(last, "%2e", ".")
}

// code notes what the code says at the frame that a reader knows best.
func (s *Step) code(text *sources, where []string) {
	if len(where) == 0 {
		return
	}
	frame := known(where)
	if ownFrame(frame) {
		return // nobody wrote that for this test
	}
	if line := text.line(frame); line != "" {
		_, at, _ := strings.Cut(frame, " ")
		at += "  " + line
		for _, c := range s.Code {
			if c == at {
				return
			}
		}
		s.Code = append(s.Code, at)
	}
}
