package terms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// A file is one YAML or JSON file: its tree with aliases resolved, and what is wrong with it.
type file struct {
	name  string
	root  *yaml.Node
	errs  []error
	nodes int
}

// parse reads the bytes of a file.
func parse(name string, data []byte) *file {
	f := &file{name: name}
	if !utf8.Valid(data) {
		f.errs = append(f.errs, fmt.Errorf("%s:%d:1: this is no UTF-8", name, invalidLine(data)))
		return f
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		f.syntax(err)
		return f
	}
	if err := decoder.Decode(&second); err == nil {
		f.wrong(&second, "a second YAML document starts here (split it into files)")
		return f
	} else if !errors.Is(err, io.EOF) {
		f.syntax(err)
		return f
	}
	f.root = f.resolve(document.Content[0], nil)
	return f
}

func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// syntax adds what the YAML library says, at the line that it says.
func (f *file) syntax(err error) {
	if errors.Is(err, io.EOF) {
		f.errs = append(f.errs, fmt.Errorf("%s:1:1: the file is empty", f.name))
		return
	}
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.TrimPrefix(text, m[0])
	}
	f.errs = append(f.errs, fmt.Errorf("%s:%d:1: this is no YAML: %s", f.name, line, text))
}

// wrong adds a mistake at a node.
func (f *file) wrong(n *yaml.Node, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s: %s", f.place(n), fmt.Sprintf(format, args...)))
}

func (f *file) place(n *yaml.Node) contract.Place {
	return contract.Place{File: f.name, Line: max(n.Line, 1), Column: max(n.Column, 1)}
}

// resolve returns a copy of the tree without aliases and merge keys. Each use of an alias counts, so that few bytes cannot stand for many values.
func (f *file) resolve(n *yaml.Node, inside []*yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	clone := *n
	clone.Content = nil
	if f.nodes++; f.nodes > contract.MaxNodes || len(inside) > contract.MaxDepth {
		if f.nodes <= contract.MaxNodes+1 {
			f.wrong(n, "the file is too large or too deep (more than %d values, aliases counted as often as they are used, or %d levels)", contract.MaxNodes, contract.MaxDepth)
			f.nodes = contract.MaxNodes + 1
		}
		return &clone
	}
	if slices.Contains(inside, n) {
		f.wrong(n, "the anchor &%s contains itself", n.Anchor)
		return &clone
	}
	inside = append(inside[:len(inside):len(inside)], n)
	if n.Kind == yaml.MappingNode {
		clone.Content = f.mapping(n, inside)
		return &clone
	}
	for _, item := range n.Content {
		clone.Content = append(clone.Content, f.resolve(item, inside))
	}
	return &clone
}

// mapping returns keys and values, merged ones last, and adds keys that are given twice.
func (f *file) mapping(n *yaml.Node, inside []*yaml.Node) []*yaml.Node {
	var own, merged []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], f.resolve(n.Content[i+1], inside)
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			f.wrong(key, "a key must be text, and this is %s", describe(key))
		case key.ShortTag() == "!!merge" && value.Kind == yaml.MappingNode:
			merged = append(merged, value.Content...)
		case key.ShortTag() == "!!merge":
			f.wrong(key, "<< merges a mapping, and this is %s", describe(value))
		case seen[key.Value]:
			f.wrong(key, "%s is given twice", brief(key.Value))
		default:
			seen[key.Value] = true
			own = append(own, key, value)
		}
	}
	for i := 0; i+1 < len(merged); i += 2 {
		if !seen[merged[i].Value] {
			seen[merged[i].Value] = true
			own = append(own, merged[i], merged[i+1])
		}
	}
	return own
}

// child returns the value of a mapping's key, or nil.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// pairs calls do for each key and value of a mapping; anything else has none.
func pairs(n *yaml.Node, do func(key, value *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}

// describe says what a node is, for "must be text, and this is a list".
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "empty"
	}
	return strconv.Quote(brief(n.Value))
}

// brief cuts a long text.
func brief(text string) string {
	if runes := []rune(text); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return text
}
