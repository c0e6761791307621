package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// A parser makes nodes of a file, and refuses what is too large or ambiguous.
type parser struct {
	file string
	used int
	done map[*yaml.Node]*node // anchors: read once, used often
	size map[*node]int        // nodes below an anchor
	open map[*yaml.Node]bool  // anchors that are being read
}

func (p *parser) parse(data []byte) (*node, error) {
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(data) {
		return p.parseJSON(data)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, p.yamlError(err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one YAML document in the file", p.place(more.Line, more.Column))
	}
	p.done, p.size, p.open = map[*yaml.Node]*node{}, map[*node]int{}, map[*yaml.Node]bool{}
	n, err := p.node(&doc, 0)
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (p *parser) place(line, column int) contract.Place {
	return contract.Place{File: p.file, Line: line, Column: column}
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (p *parser) yamlError(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the file is empty", p.place(1, 1))
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = strings.Replace(text, m[0], "", 1)
	}
	return fmt.Errorf("%s: not YAML: %s", p.place(line, 0), text)
}

// count refuses the file once it has too many nodes or is nested too deeply.
func (p *parser) count(n, depth int, at contract.Place) error {
	p.used += n
	if p.used > contract.MaxNodes {
		return fmt.Errorf("%s: more than %d values, with aliases counted as often as they are used", at, contract.MaxNodes)
	}
	if depth > contract.MaxDepth {
		return fmt.Errorf("%s: nested more than %d levels deep", at, contract.MaxDepth)
	}
	return nil
}

func (p *parser) node(y *yaml.Node, depth int) (*node, error) {
	at := p.place(y.Line, y.Column)
	if y.Kind == yaml.DocumentNode {
		return p.node(y.Content[0], depth)
	}
	if y.Kind == yaml.AliasNode {
		return p.alias(y.Alias, depth, at)
	}
	if err := p.count(1, depth, at); err != nil {
		return nil, err
	}
	before := p.used
	if y.Anchor != "" {
		p.open[y] = true
	}
	n, err := p.value(y, depth, at)
	if err != nil {
		return nil, err
	}
	if y.Anchor != "" {
		delete(p.open, y)
		p.done[y], p.size[n] = n, p.used-before+1
	}
	return n, nil
}

func (p *parser) alias(y *yaml.Node, depth int, at contract.Place) (*node, error) {
	if p.open[y] {
		return nil, fmt.Errorf("%s: the alias stands within what it names", at)
	}
	n := p.done[y]
	if n == nil {
		return nil, fmt.Errorf("%s: the alias names nothing that was read", at)
	}
	// An alias may repeat what is deep: its own depth was counted where it stands, so this one is bounded by the sum.
	return n, p.count(p.size[n], depth, at)
}

func (p *parser) value(y *yaml.Node, depth int, at contract.Place) (*node, error) {
	switch y.Kind {
	case yaml.MappingNode:
		return p.mapping(y, depth, at)
	case yaml.SequenceNode:
		n := &node{kind: array, at: at, kids: make([]*node, 0, len(y.Content))}
		for _, item := range y.Content {
			kid, err := p.node(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		return n, nil
	case yaml.ScalarNode:
		text, err := scalarJSON(y)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		return &node{at: at, text: text}, nil
	}
	return nil, fmt.Errorf("%s: unexpected YAML", at)
}

func (p *parser) mapping(y *yaml.Node, depth int, at contract.Place) (*node, error) {
	n := &node{kind: object, at: at, keys: make([]string, 0, len(y.Content)/2), kids: make([]*node, 0, len(y.Content)/2)}
	seen := make(map[string]contract.Place, len(y.Content)/2)
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		at := p.place(key.Line, key.Column)
		kid, err := p.node(value, depth+1)
		if err != nil {
			return nil, err
		}
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, fmt.Errorf("%s: a key is a text", at)
		}
		if key.Tag == "!!merge" {
			merged = append(merged, kid)
			continue
		}
		if before, twice := seen[key.Value]; twice {
			return nil, fmt.Errorf("%s: the key %q stands twice, first at line %d", at, key.Value, before.Line)
		}
		seen[key.Value] = at
		n.add(key.Value, kid, at, value.Kind == yaml.AliasNode || value.Anchor != "")
	}
	for _, m := range merged {
		if err := n.merge(m, seen); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	n.index()
	return n, nil
}

// add gives a member the place of its key. What an alias shares is copied.
func (n *node) add(key string, kid *node, at contract.Place, shared bool) {
	if shared {
		own := *kid
		kid = &own
	}
	kid.at = at
	n.keys, n.kids = append(n.keys, key), append(n.kids, kid)
}

// merge adds what << names and the mapping does not have.
func (n *node) merge(m *node, seen map[string]contract.Place) error {
	if m.kind == array {
		for _, one := range m.kids {
			if err := n.merge(one, seen); err != nil {
				return err
			}
		}
		return nil
	}
	if m.kind != object {
		return errors.New("<< names no mapping")
	}
	for i, key := range m.keys {
		if _, has := seen[key]; !has {
			seen[key] = m.kids[i].at
			n.add(key, m.kids[i], m.kids[i].at, true)
		}
	}
	return nil
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)

// scalarJSON returns a YAML scalar as JSON. What JSON cannot say is refused.
func scalarJSON(y *yaml.Node) (string, error) {
	switch y.Tag {
	case "!!null":
		return "null", nil
	case "!!bool":
		var b bool
		err := y.Decode(&b)
		return strconv.FormatBool(b), err
	case "!!int", "!!float":
		if jsonNumber.MatchString(y.Value) {
			return y.Value, nil
		}
		var f float64
		if err := y.Decode(&f); err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return "", fmt.Errorf("%s is no number of JSON", y.Value)
		}
		return strconv.FormatFloat(f, 'g', -1, 64), nil
	case "!!binary":
		return "", errors.New("binary has no meaning here")
	}
	return quote(y.Value), nil
}
