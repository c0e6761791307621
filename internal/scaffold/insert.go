package scaffold

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/internal/spec"
)

// An edit replaces lines of the compose file, [from, to) counted from 0, by others.
type edit struct {
	from, to int
	lines    []string
	service  *service
}

// insert returns the compose file with the proposed x-assay in it, and whose. It is the text that is changed, so
// comments, order and anchors stay as they are. What assay cannot read of the result is a mistake in the user's lines.
func (t *topology) insert(opts Options) (content []byte, changed []string, err error) {
	for {
		content, edits, err := t.inserted(opts)
		if err != nil || len(edits) == 0 {
			return t.content, nil, err
		}
		errs := spec.CheckTopology(t.host, t.path, content)
		if t.otherVersion(errs) {
			continue
		}
		if errs = t.programs(errs); len(errs) > 0 {
			return nil, nil, t.placed(errs, edits)
		}
		for _, e := range edits {
			changed = append(changed, e.service.Name)
		}
		return content, changed, nil
	}
}

func (t *topology) inserted(opts Options) ([]byte, []edit, error) {
	newline := "\n"
	if bytes.Contains(t.content, []byte("\r\n")) {
		newline = "\r\n"
	}
	lines := strings.Split(strings.ReplaceAll(strings.TrimSuffix(string(t.content), newline), "\r\n", "\n"), "\n")
	var edits []edit
	for i, s := range t.services {
		if len(s.x) == 0 || s.has && !opts.Force {
			continue
		}
		e, err := t.edit(lines, i)
		if err != nil {
			return nil, nil, err
		}
		edits = append(edits, e)
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	return []byte(strings.Join(apply(lines, edits), newline) + newline), edits, nil
}

// otherVersion lets a recipe run what version there is, where the image asks for one that this machine does not have.
func (t *topology) otherVersion(errs spec.Errors) (changed bool) {
	for _, e := range errs {
		s := t.named(e)
		if s == nil || len(s.x) == 0 || !strings.Contains(e.Hint, "x-assay.version: any") || slices.Contains(s.x, "version: any") {
			continue
		}
		s.add("version: any")
		_, has, _ := strings.Cut(e.Msg, "this machine has ")
		s.guessed("another version will do: this machine has %s", has)
		changed = true
	}
	return changed
}

// programs takes out what only this machine lacks, and notes it.
func (t *topology) programs(errs spec.Errors) spec.Errors {
	return slices.DeleteFunc(errs, func(e *spec.Error) bool {
		s := t.named(e)
		if s == nil || !lacksProgram(e) {
			return false
		}
		_, msg, _ := strings.Cut(e.Msg, ": ")
		s.Missing = append(s.Missing, fmt.Sprintf("%s (%s)", msg, e.Hint))
		return true
	})
}

// named is the service whose name a mistake begins with.
func (t *topology) named(e *spec.Error) *service {
	for _, s := range t.services {
		if strings.HasPrefix(e.Msg, "service "+s.Name+": ") {
			return s
		}
	}
	return nil
}

func apply(lines []string, edits []edit) []string {
	var out []string
	at := 0
	for _, e := range edits {
		out = append(append(out, lines[at:e.from]...), e.lines...)
		at = e.to
	}
	return append(out, lines[at:]...)
}

// placed puts mistakes where they stand in the user's file.
func (t *topology) placed(errs spec.Errors, edits []edit) error {
	for _, wrong := range errs {
		line, shift := wrong.Line-1, 0
		for _, e := range edits {
			switch {
			case line >= e.from+shift+len(e.lines):
				shift += len(e.lines) - (e.to - e.from)
			case line >= e.from+shift: // what we propose: the service cannot have it
				wrong.Line, wrong.Col = e.service.key.Line, e.service.key.Column
				line, shift = e.service.key.Line-1, 0
			}
		}
		if wrong.Line-1 == line {
			wrong.Line = line - shift + 1
		}
	}
	return errs
}

// edit decides where the x-assay of one service goes.
func (t *topology) edit(lines []string, i int) (edit, error) {
	s := t.services[i]
	wrong := func(n *yaml.Node, hint, format string, args ...any) error {
		return spec.Errors{{File: t.path, Line: n.Line, Col: n.Column, Msg: fmt.Sprintf(format, args...), Hint: hint}}
	}
	own := ownKey(s.node, "x-assay")
	switch {
	case s.node.Kind != yaml.MappingNode:
		return edit{}, wrong(s.node, "write it as a mapping: {<<: *name}", "service %s is an alias, and x-assay cannot be added to it", s.Name)
	case s.has && own == nil:
		return edit{}, wrong(s.key, "change it where it is written", "the x-assay of service %s comes from an anchor", s.Name)
	case s.node.Style&yaml.FlowStyle != 0:
		if own != nil {
			return edit{}, wrong(own, "remove it by hand, then run init again", "x-assay in a line of braces cannot be replaced")
		}
		return t.flow(lines, s, wrong)
	}
	indent := strings.Repeat(" ", s.node.Content[0].Column-1)
	block := []string{indent + "x-assay:"}
	for _, line := range s.x {
		block = append(block, indent+"  "+line)
	}
	end := t.endOf(lines, s, len(indent))
	if own == nil {
		return edit{end, end, block, s}, nil
	}
	next := end
	for j := 0; j+1 < len(s.node.Content); j += 2 {
		if line := s.node.Content[j].Line - 1; line > own.Line-1 && line < next {
			next = line
		}
	}
	return edit{own.Line - 1, trim(lines, next, len(indent)), block, s}, nil
}

// ownKey returns a mapping's key that is written in it, and not merged into it.
func ownKey(n *yaml.Node, key string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

// endOf returns the line after the last one of a service that is written in lines.
func (t *topology) endOf(lines []string, s *service, indent int) int {
	next := len(lines)
	note := func(mapping *yaml.Node) {
		for i := 0; mapping != nil && i+1 < len(mapping.Content); i += 2 {
			if line := mapping.Content[i].Line - 1; line > s.key.Line-1 && line < next {
				next = line
			}
		}
	}
	note(value(t.root, "services"))
	note(t.root)
	return trim(lines, next, indent)
}

// trim goes back over empty lines, ends of documents, and comments that are not indented like what is before them.
func trim(lines []string, end, indent int) int {
	for ; end > 0; end-- {
		line := strings.TrimRight(lines[end-1], " \t\r")
		bare := strings.TrimLeft(line, " ")
		comment := strings.HasPrefix(bare, "#") && len(line)-len(bare) < indent
		if line != "" && line != "---" && line != "..." && !comment {
			break
		}
	}
	return end
}

// flow adds x-assay before the brace that closes a service written as {…}.
func (t *topology) flow(lines []string, s *service, wrong func(*yaml.Node, string, string, ...any) error) (edit, error) {
	line, col, ok := closing(lines, s.node.Line-1, s.node.Column-1)
	if !ok {
		return edit{}, wrong(s.node, "write it in lines", "the end of service %s is not found", s.Name)
	}
	var x yaml.Node
	if err := yaml.Unmarshal([]byte(strings.Join(s.x, "\n")), &x); err != nil {
		return edit{}, err
	}
	runes := []rune(lines[line])
	before := strings.TrimRight(string(runes[:col]), " ")
	comma := ", "
	if strings.HasSuffix(before, ",") {
		comma = " "
	}
	text := before + comma + "x-assay: " + flowText(x.Content[0]) + string(runes[col:])
	return edit{line, line + 1, []string{text}, s}, nil
}

// flowText writes a node on one line.
func flowText(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+flowText(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, flowText(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 || strings.ContainsAny(n.Value, ",[]{}:#") {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(n.Value) + `"` // $$ is there already
	}
	return n.Value
}

// closing finds the brace that closes the one at a position, in lines and characters from 0.
func closing(lines []string, line, col int) (int, int, bool) {
	depth := 0
	var quoted rune
	for ; line < len(lines); line, col = line+1, 0 {
		runes := []rune(lines[line])
		for ; col < len(runes); col++ {
			switch r := runes[col]; {
			case quoted == '"' && r == '\\':
				col++
			case quoted != 0:
				if r == quoted {
					quoted = 0
				}
			case r == '#' && col > 0 && (runes[col-1] == ' ' || runes[col-1] == '\t'):
				col = len(runes)
			case (r == '"' || r == '\'') && startsValue(runes, col):
				quoted = r
			case r == '{' || r == '[':
				depth++
			case r == '}' || r == ']':
				if depth--; depth == 0 {
					return line, col, true
				}
			}
		}
	}
	return 0, 0, false
}

// startsValue says whether a quote at col opens a text: inside a plain word it is an apostrophe.
func startsValue(runes []rune, col int) bool {
	before := strings.TrimRight(string(runes[:col]), " \t")
	return before == "" || strings.ContainsAny(before[len(before)-1:], ",:[{")
}
