package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/assay-dev/assay/contract"
)

// A node is one value of a file, with its place.
type node struct {
	kind    nodeKind
	at      contract.Place
	text    string // of a scalar; numbers as they were written
	items   []*node
	members []member
}

type member struct {
	name  string
	at    contract.Place
	value *node
}

type nodeKind string

const (
	isNull    nodeKind = "null"
	isBoolean nodeKind = "boolean"
	isNumber  nodeKind = "number"
	isText    nodeKind = "text"
	isList    nodeKind = "list"
	isObject  nodeKind = "object"
)

// get returns a member's value, or nil. A nil node has no members.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for _, m := range n.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// plain returns the value as encoding/json would have read it with UseNumber.
func (n *node) plain() any {
	switch {
	case n == nil || n.kind == isNull:
		return nil
	case n.kind == isBoolean:
		return n.text == "true"
	case n.kind == isNumber:
		return json.Number(n.text)
	case n.kind == isText:
		return n.text
	case n.kind == isList:
		list := make([]any, len(n.items))
		for i, item := range n.items {
			list[i] = item.plain()
		}
		return list
	}
	object := make(map[string]any, len(n.members))
	for _, m := range n.members {
		object[m.name] = m.value.plain()
	}
	return object
}

// json returns the value as canonical JSON, with the keys of objects sorted.
func (n *node) json() string {
	data, err := json.Marshal(n.plain())
	if err != nil { // a number of YAML that JSON does not have, such as .inf
		return fmt.Sprint(n.plain())
	}
	return string(data)
}

// limits counts what is read, so that a hostile file costs an error.
type limits struct{ nodes, depth int }

func (l *limits) enter(at contract.Place) error {
	l.nodes++
	l.depth++
	switch {
	case l.nodes > contract.MaxNodes:
		return fmt.Errorf("%s: more than %d values, counting aliases as often as they are used: the file is refused", at, contract.MaxNodes)
	case l.depth > contract.MaxDepth:
		return fmt.Errorf("%s: nested deeper than %d: the file is refused", at, contract.MaxDepth)
	}
	return nil
}

func (l *limits) leave() { l.depth-- }

// parseTree reads a file: JSON where its name ends in .json, .avsc or .jsonschema, or its text begins as JSON does, else YAML.
func parseTree(file string, data []byte) (*node, error) {
	lines := newLines(file, data)
	if bad := invalidUTF8(data); bad >= 0 {
		return nil, fmt.Errorf("%s: a byte that is not UTF-8: save the file as UTF-8", lines.place(bad))
	}
	switch path.Ext(file) {
	case ".yaml", ".yml":
		return parseYAML(file, data)
	case ".json", ".avsc", ".jsonschema":
		return parseJSON(lines, data)
	}
	if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && strings.ContainsRune(`{["`, rune(trimmed[0])) {
		return parseJSON(lines, data)
	}
	return parseYAML(file, data)
}

func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// lines turns offsets into places. Offsets must not go back far: each call starts from the last.
type lines struct {
	file      string
	data      []byte
	off       int
	line, col int
}

func newLines(file string, data []byte) *lines {
	return &lines{file: file, data: data, line: 1, col: 1}
}

func (l *lines) place(offset int) contract.Place {
	if offset < l.off {
		l.off, l.line, l.col = 0, 1, 1
	}
	for ; l.off < offset && l.off < len(l.data); l.off++ {
		switch b := l.data[l.off]; {
		case b == '\n':
			l.line, l.col = l.line+1, 1
		case utf8.RuneStart(b):
			l.col++
		}
	}
	return contract.Place{File: l.file, Line: l.line, Column: l.col}
}

type jsonReader struct {
	dec    *json.Decoder
	lines  *lines
	data   []byte
	limits limits
}

func parseJSON(l *lines, data []byte) (*node, error) {
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(data)), lines: l, data: data}
	r.dec.UseNumber()
	n, err := r.value()
	if err != nil {
		return nil, err
	}
	at := r.next()
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: text after the end of the JSON document", at)
	}
	return n, nil
}

// next returns where the next token begins.
func (r *jsonReader) next() contract.Place {
	off := int(r.dec.InputOffset())
	for off < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[off]) >= 0 {
		off++
	}
	return r.lines.place(off)
}

func (r *jsonReader) token() (json.Token, contract.Place, error) {
	at := r.next()
	tok, err := r.dec.Token()
	if err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = r.lines.place(max(int(syntax.Offset)-1, 0))
		}
		if errors.Is(err, io.EOF) {
			err = errors.New("the document ends before it is complete")
		}
		return nil, at, fmt.Errorf("%s: not JSON: %w", at, err)
	}
	return tok, at, nil
}

func (r *jsonReader) value() (*node, error) {
	tok, at, err := r.token()
	if err != nil {
		return nil, err
	}
	if err := r.limits.enter(at); err != nil {
		return nil, err
	}
	defer r.limits.leave()
	n := &node{at: at}
	switch v := tok.(type) {
	case nil:
		n.kind = isNull
	case bool:
		n.kind, n.text = isBoolean, fmt.Sprint(v)
	case json.Number:
		n.kind, n.text = isNumber, v.String()
	case string:
		n.kind, n.text = isText, v
	case json.Delim:
		if v == '[' {
			n.kind = isList
			err = r.list(n)
		} else {
			n.kind = isObject
			err = r.object(n)
		}
	}
	return n, err
}

func (r *jsonReader) list(n *node) error {
	for r.dec.More() {
		item, err := r.value()
		if err != nil {
			return err
		}
		n.items = append(n.items, item)
	}
	_, _, err := r.token()
	return err
}

func (r *jsonReader) object(n *node) error {
	seen := map[string]bool{}
	for r.dec.More() {
		tok, at, err := r.token()
		if err != nil {
			return err
		}
		name, ok := tok.(string)
		if !ok {
			return fmt.Errorf("%s: not JSON: a key must be a string", at)
		}
		if seen[name] {
			return fmt.Errorf("%s: the key %q is written twice, and readers differ in which they take: remove one", at, name)
		}
		seen[name] = true
		value, err := r.value()
		if err != nil {
			return err
		}
		n.members = append(n.members, member{name, at, value})
	}
	_, _, err := r.token()
	return err
}
