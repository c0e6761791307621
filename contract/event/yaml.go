package event

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

type yamlReader struct {
	file   string
	limits limits
	open   []*yaml.Node // whose values are being read: an alias to one of them has no end
}

func parseYAML(file string, data []byte) (*node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: not YAML: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s: the file is empty", file)
	}
	r := yamlReader{file: file}
	return r.value(doc.Content[0])
}

func (r *yamlReader) place(y *yaml.Node) contract.Place {
	return contract.Place{File: r.file, Line: y.Line, Column: y.Column}
}

func (r *yamlReader) value(y *yaml.Node) (*node, error) {
	at := r.place(y)
	if err := r.limits.enter(at); err != nil {
		return nil, err
	}
	defer r.limits.leave()
	if y.Kind == yaml.AliasNode {
		if slices.Contains(r.open, y.Alias) {
			return nil, fmt.Errorf("%s: the alias *%s stands within what it names, and has no end", at, y.Value)
		}
		return r.value(y.Alias)
	}
	r.open = append(r.open, y)
	defer func() { r.open = r.open[:len(r.open)-1] }()
	n := &node{at: at}
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = isList
		for _, c := range y.Content {
			item, err := r.value(c)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, item)
		}
		return n, nil
	case yaml.MappingNode:
		n.kind = isObject
		return n, r.object(n, y)
	}
	n.kind, n.text = scalar(y)
	return n, nil
}

func scalar(y *yaml.Node) (nodeKind, string) {
	switch y.Tag {
	case "!!null":
		return isNull, ""
	case "!!bool":
		return isBoolean, strings.ToLower(y.Value)
	case "!!int", "!!float":
		return isNumber, y.Value
	}
	return isText, y.Value
}

func (r *yamlReader) object(n *node, y *yaml.Node) error {
	var merged []*node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, at := y.Content[i], r.place(y.Content[i])
		value, err := r.value(y.Content[i+1])
		switch {
		case err != nil:
			return err
		case key.Tag == "!!merge":
			merged = append(merged, value)
		case key.Kind != yaml.ScalarNode:
			return fmt.Errorf("%s: a key must be a word, and this is a list or an object", at)
		case n.get(key.Value) != nil:
			return fmt.Errorf("%s: the key %q is written twice: remove one", at, key.Value)
		default:
			n.members = append(n.members, member{key.Value, at, value})
		}
	}
	for _, from := range merged {
		sources := []*node{from}
		if from.kind == isList {
			sources = from.items
		}
		for _, s := range sources {
			n.inherit(s)
		}
	}
	return nil
}

// inherit takes over the members that n has none of.
func (n *node) inherit(from *node) {
	for _, m := range from.members {
		if n.get(m.name) == nil {
			n.members = append(n.members, m)
		}
	}
}
