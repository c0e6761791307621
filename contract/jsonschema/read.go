package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// read makes nodes of a file's text: JSON where it starts as JSON does and reads as such, else YAML.
func read(data []byte, file string, b *budget) (*node, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: is not valid UTF-8", file)
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); strings.HasSuffix(file, ".json") || len(trimmed) > 0 && trimmed[0] == '{' {
		n, err := readJSON(data, file, b)
		if err == nil || strings.HasSuffix(file, ".json") {
			return n, err
		}
	}
	return readYAML(data, file, b)
}

// A jsonReader reads JSON with places.
type jsonReader struct {
	dec    *json.Decoder
	data   []byte
	file   string
	budget *budget
	seen   int64 // offset up to which line breaks are counted
	line   int
	start  int64 // offset of the line
}

func readJSON(data []byte, file string, b *budget) (*node, error) {
	r := &jsonReader{dec: json.NewDecoder(bytes.NewReader(data)), data: data, file: file, budget: b, line: 1}
	r.dec.UseNumber()
	n, err := r.value(1)
	if err == nil {
		if _, err = r.dec.Token(); errors.Is(err, io.EOF) {
			return n, nil
		}
		err = cmpErr(err, errors.New("there is more after the end of the value"))
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("the text ends too early")
	}
	return nil, fmt.Errorf("%s: %w", r.place(), err)
}

func cmpErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// place returns where the next token starts.
func (r *jsonReader) place() contract.Place {
	off := r.dec.InputOffset()
	for off < int64(len(r.data)) && strings.IndexByte(" \t\r\n,:", r.data[off]) >= 0 {
		off++
	}
	for ; r.seen < off; r.seen++ {
		if r.data[r.seen] == '\n' {
			r.line, r.start = r.line+1, r.seen+1
		}
	}
	return contract.Place{File: r.file, Line: r.line, Column: int(off-r.start) + 1}
}

func (r *jsonReader) value(depth int) (*node, error) {
	if err := r.budget.take(depth); err != nil {
		return nil, err
	}
	at := r.place()
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return r.object(at, depth)
	case json.Delim('['):
		return r.list(at, depth)
	}
	scalar, err := fromScalar(token)
	return &node{scalar: scalar, at: at}, err
}

func (r *jsonReader) object(at contract.Place, depth int) (*node, error) {
	n := &node{isMap: true, fields: map[string]*node{}, at: at}
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no name of a field", token)
		}
		if n.fields[key] != nil {
			return nil, fmt.Errorf("%q stands twice in one object", key)
		}
		if n.fields[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	return n, err
}

func (r *jsonReader) list(at contract.Place, depth int) (*node, error) {
	n := &node{isList: true, at: at}
	for r.dec.More() {
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.items = append(n.items, item)
	}
	_, err := r.dec.Token()
	return n, err
}

func readYAML(data []byte, file string, b *budget) (*node, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.Content) != 1 {
		return nil, fmt.Errorf("%s: is empty", file)
	}
	n, at, err := fromYAML(doc.Content[0], file, b, 1)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return n, nil
}

// fromYAML counts an alias as often as it is used, so that a few lines cannot stand for billions of values.
func fromYAML(y *yaml.Node, file string, b *budget, depth int) (*node, contract.Place, error) {
	at := contract.Place{File: file, Line: y.Line, Column: y.Column}
	if err := b.take(depth); err != nil {
		return nil, at, err
	}
	switch y.Kind {
	case yaml.AliasNode:
		return fromYAML(y.Alias, file, b, depth+1)
	case yaml.MappingNode:
		return mapOfYAML(y, at, b, depth)
	case yaml.SequenceNode:
		n := &node{isList: true, at: at}
		for _, item := range y.Content {
			child, where, err := fromYAML(item, file, b, depth+1)
			if err != nil {
				return nil, where, err
			}
			n.items = append(n.items, child)
		}
		return n, at, nil
	}
	scalar, err := scalarOfYAML(y)
	return &node{scalar: scalar, at: at}, at, err
}

func mapOfYAML(y *yaml.Node, at contract.Place, b *budget, depth int) (*node, contract.Place, error) {
	n := &node{isMap: true, fields: map[string]*node{}, at: at}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key := y.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		where := contract.Place{File: at.File, Line: y.Content[i].Line, Column: y.Content[i].Column}
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return nil, where, errors.New("a key must be plain text (merge keys << are not read: write the fields out)")
		}
		if n.fields[key.Value] != nil {
			return nil, where, fmt.Errorf("%q stands twice in one object", key.Value)
		}
		child, at, err := fromYAML(y.Content[i+1], at.File, b, depth+1)
		if err != nil {
			return nil, at, err
		}
		n.fields[key.Value] = child
	}
	return n, at, nil
}

func scalarOfYAML(y *yaml.Node) (any, error) {
	switch y.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool":
		var v bool
		err := y.Decode(&v)
		return v, err
	case "!!int", "!!float":
		if n, err := number(y.Value); err == nil {
			return n, nil
		}
		var v any
		if err := y.Decode(&v); err != nil {
			return nil, err
		}
		return fromScalar(v)
	}
	return y.Value, nil // a date stays the text that it is in JSON
}
