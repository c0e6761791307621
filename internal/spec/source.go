package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFileBytes = 4 << 20 // a file beyond that is no description of a system
	maxNodes     = 200_000 // once aliases are expanded
	maxDepth     = 200
)

// A source is one YAML file: its text, for positions, and its tree with aliases
// and merge keys resolved.
type source struct {
	name    string // for errors
	rel     string // below the project's folder, for Pos
	content []byte
	lines   [][]rune
	root    *yaml.Node // nil if the file is no YAML
	dollars bool       // a compose file, where $$ stands for $
	errs    *Errors
	seen    func(n *yaml.Node, fields []field) // told of each mapping with keys of ours, before it is read; nil for nobody

	nodes     int // seen by resolve
	overflown bool
}

// read reads a file's bytes, bounded.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err == nil && len(content) > maxFileBytes {
		err = fmt.Errorf("%s has more than %d MiB", path, maxFileBytes>>20)
	}
	return content, err
}

// parse reads content as one YAML document. Its mistakes are added to errs.
func parse(name, rel string, content []byte, dollars bool, errs *Errors) *source {
	s := &source{name: name, rel: rel, content: content, dollars: dollars, errs: errs}
	for _, line := range strings.Split(strings.TrimPrefix(string(content), "\ufeff"), "\n") {
		s.lines = append(s.lines, []rune(line))
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		s.syntax(err)
		return s
	}
	if len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null" {
		s.syntax(io.EOF)
		return s
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		s.wrong(&second, "split it into files", "a second YAML document starts here")
		return s
	} else if !errors.Is(err, io.EOF) {
		s.syntax(err)
		return s
	}
	s.root = s.resolve(document.Content[0], nil)
	return s
}

// syntax reports what the YAML library says, at the line it says.
func (s *source) syntax(err error) {
	e := &Error{File: s.name, Line: 1, Col: 1}
	*s.errs = append(*s.errs, e)
	if errors.Is(err, io.EOF) {
		e.Msg = "the file is empty"
		return
	}
	e.Msg = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(e.Msg); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Msg = strings.TrimPrefix(e.Msg, m[0])
		e.Col = s.indent(e.Line)
	}
	if m := regexp.MustCompile(`^unknown anchor '(.*)' referenced`).FindStringSubmatch(e.Msg); m != nil {
		e.Line, e.Col = s.find("*" + m[1])
	}
	if line, col, ok := s.misindented(); ok && strings.HasPrefix(e.Msg, "did not find expected") {
		e.Line, e.Col = line, col // the library names the mapping's begin
		e.Msg += ": this line is indented like none before it"
	}
	e.Msg = "this is no YAML: " + e.Msg
}

// misindented returns the first line that goes back to an indentation at which nothing began.
func (s *source) misindented() (line, col int, ok bool) {
	open := []int{0}
	for i, runes := range s.lines {
		text := strings.TrimRight(string(runes), " \r")
		bare := strings.TrimLeft(text, " ")
		if bare == "" || bare[0] == '#' {
			continue
		}
		indent := len(text) - len(bare)
		back := false
		for len(open) > 1 && open[len(open)-1] > indent {
			open, back = open[:len(open)-1], true
		}
		if open[len(open)-1] < indent {
			if back {
				return i + 1, indent + 1, true
			}
			open = append(open, indent)
		}
		for strings.HasPrefix(bare, "- ") { // what follows a dash begins there
			rest := strings.TrimLeft(bare[1:], " ")
			indent += len(bare) - len(rest)
			bare, open = rest, append(open, indent)
		}
	}
	return 0, 0, false
}

// indent returns the column of the first character of a line.
func (s *source) indent(line int) int {
	if line < 1 || line > len(s.lines) {
		return 1
	}
	text := string(s.lines[line-1])
	return len(text) - len(strings.TrimLeft(text, " ")) + 1
}

// find returns the first position of a text, or 1:1.
func (s *source) find(text string) (line, col int) {
	for i, runes := range s.lines {
		if at := strings.Index(string(runes), text); at >= 0 {
			return i + 1, len([]rune(string(runes)[:at])) + 1
		}
	}
	return 1, 1
}

// wrong adds a mistake at a node's first character.
func (s *source) wrong(n *yaml.Node, hint, format string, args ...any) {
	s.add(max(n.Line, 1), max(n.Column, 1), hint, format, args...)
}

// wrongAt adds a mistake at the character of a scalar's value that offset counts to, from 0.
func (s *source) wrongAt(n *yaml.Node, offset int, hint, format string, args ...any) {
	line, col := s.position(n, offset)
	s.add(line, col, hint, format, args...)
}

func (s *source) add(line, col int, hint, format string, args ...any) {
	*s.errs = append(*s.errs, &Error{File: s.name, Line: line, Col: col, Msg: fmt.Sprintf(format, args...), Hint: hint})
}

// pos returns "file:line:column" of a node, with the file below the project's folder.
func (s *source) pos(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", s.rel, n.Line, n.Column) }

// resolve returns a copy of the tree without aliases and merge keys. Every node
// keeps the position where it was written. Inside holds the aliases on the way
// down, as an alias may stand inside its own anchor.
func (s *source) resolve(n *yaml.Node, inside []*yaml.Node) *yaml.Node {
	if s.nodes++; s.nodes > maxNodes || len(inside) > maxDepth {
		s.overflow(n)
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
	}
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for _, outer := range inside {
		if outer == n {
			s.wrong(n, "", "the anchor &%s contains itself", n.Anchor)
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
		}
	}
	clone := *n
	clone.Content = nil
	inside = append(inside[:len(inside):len(inside)], n)
	if n.Kind == yaml.MappingNode {
		clone.Content = s.resolveMapping(n, inside)
		return &clone
	}
	for _, item := range n.Content {
		clone.Content = append(clone.Content, s.resolve(item, inside))
	}
	return &clone
}

// overflow reports a tree that is too large, once.
func (s *source) overflow(n *yaml.Node) {
	if !s.overflown {
		s.overflown = true
		s.wrong(n, "", "the file is too large or too deep once its aliases are expanded (more than %d values or %d levels)", maxNodes, maxDepth)
	}
}

// resolveMapping returns keys and values, merged ones last, and reports keys given twice.
func (s *source) resolveMapping(n *yaml.Node, inside []*yaml.Node) []*yaml.Node {
	var own, merged []*yaml.Node
	at := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], s.resolve(n.Content[i+1], inside)
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, s.merged(value)...)
			continue
		}
		if key.Kind != yaml.ScalarNode {
			s.wrong(key, "", "a key must be text, and this is %s", describe(key))
			continue
		}
		if line, twice := at[key.Value]; twice {
			s.wrong(key, "", "%s is given twice, first in line %d", key.Value, line)
			continue
		}
		at[key.Value] = key.Line
		own = append(own, key, value)
	}
	for i := 0; i+1 < len(merged); i += 2 {
		if _, ok := at[merged[i].Value]; !ok {
			at[merged[i].Value] = merged[i].Line
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}

// merged returns the keys and values that "<<: value" brings, the first of a list first.
func (s *source) merged(value *yaml.Node) []*yaml.Node {
	switch value.Kind {
	case yaml.MappingNode:
		return value.Content
	case yaml.SequenceNode:
		var all []*yaml.Node
		for _, item := range value.Content {
			all = append(all, s.merged(item)...)
		}
		return all
	}
	s.wrong(value, "", "<< merges mappings, and this is %s", describe(value))
	return nil
}

// describe says what a node is, for "must be text, and this is a list".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "the number " + brief(n.Value)
	case "!!bool":
		return n.Value
	}
	return "the text " + strconv.Quote(brief(n.Value))
}

// brief cuts a long value.
func brief(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}

// child returns the key and value nodes of a mapping, or nils.
func child(n *yaml.Node, key string) (*yaml.Node, *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	return nil, nil
}
