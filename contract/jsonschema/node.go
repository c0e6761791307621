package jsonschema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assay-dev/assay/contract"
)

// A node is a value of a document, with its place and the address that references in it start from.
type node struct {
	scalar any // of the types of encoding/json with numbers as json.Number, where neither fields nor items are set
	fields map[string]*node
	items  []*node
	isMap  bool
	isList bool
	at     contract.Place
	base   string // address of the resource that it is in, without a fragment
	doc    *node  // of which it is a part
}

// text returns the string that a field has.
func (n *node) text(field string) (string, bool) {
	f := n.fields[field]
	if f == nil {
		return "", false
	}
	s, ok := f.scalar.(string)
	return s, ok
}

// value returns the node as encoding/json would have it.
func (n *node) value() any {
	switch {
	case n.isMap:
		m := make(map[string]any, len(n.fields))
		for k, f := range n.fields {
			m[k] = f.value()
		}
		return m
	case n.isList:
		list := make([]any, len(n.items))
		for i, f := range n.items {
			list[i] = f.value()
		}
		return list
	}
	return n.scalar
}

// child returns the field or item that a token of a JSON pointer names.
func (n *node) child(token string) *node {
	if n.isMap {
		return n.fields[token]
	}
	if i, err := strconv.Atoi(token); err == nil && i >= 0 && i < len(n.items) && token == strconv.Itoa(i) {
		return n.items[i]
	}
	return nil
}

// pointer follows a JSON pointer.
func (n *node) pointer(p string) (*node, error) {
	if p == "" {
		return n, nil
	}
	if !strings.HasPrefix(p, "/") {
		return nil, fmt.Errorf("%q is no JSON pointer: it starts with /", p)
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for token := range strings.SplitSeq(p[1:], "/") {
		if n = n.child(unescape.Replace(token)); n == nil {
			return nil, fmt.Errorf("nothing is at %q (%q is missing)", p, unescape.Replace(token))
		}
	}
	return n, nil
}

// A budget keeps hostile input from costing memory: what it allows is counted over all that one schema reads.
type budget struct{ nodes int }

func (b *budget) take(depth int) error {
	if b.nodes++; b.nodes > contract.MaxNodes {
		return fmt.Errorf("it has more than %d values, which is the most that is read", contract.MaxNodes)
	}
	if depth > contract.MaxDepth {
		return fmt.Errorf("it nests deeper than %d, which is the deepest that is read", contract.MaxDepth)
	}
	return nil
}

// fromAny makes nodes of a value that a caller has read.
func fromAny(v any, b *budget, depth int) (*node, error) {
	if err := b.take(depth); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case map[string]any:
		n := &node{isMap: true, fields: make(map[string]*node, len(v))}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			f, err := fromAny(v[k], b, depth+1)
			if err != nil {
				return nil, err
			}
			n.fields[k] = f
		}
		return n, nil
	case []any:
		n := &node{isList: true}
		for _, item := range v {
			f, err := fromAny(item, b, depth+1)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, f)
		}
		return n, nil
	}
	scalar, err := fromScalar(v)
	return &node{scalar: scalar}, err
}

func fromScalar(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool:
		return v, nil
	case string:
		if !utf8.ValidString(v) {
			return nil, fmt.Errorf("%q is not valid UTF-8", v)
		}
		return v, nil
	case json.Number:
		return number(v.String())
	case float32, float64, int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return number(fmt.Sprint(v))
	}
	return nil, fmt.Errorf("a value of type %T is nothing that JSON has", v)
}

// maxExponent keeps a number such as 1e999999999 from being written out.
const maxExponent = 400

// number checks that a number is one of JSON's, and of a size that can be reckoned with.
func number(s string) (json.Number, error) {
	if !json.Valid([]byte(s)) || s == "" || strings.ContainsAny(s[:1], `"{[tfn`) {
		return "", fmt.Errorf("%s is no number of JSON", s)
	}
	if _, e, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		if n, err := strconv.Atoi(e); err != nil || n > maxExponent || n < -maxExponent {
			return "", fmt.Errorf("the exponent of %s is beyond %d, which is the largest that is read", s, maxExponent)
		}
	}
	if len(s) > 2*maxExponent {
		return "", fmt.Errorf("a number of %d digits is longer than the longest that is read", len(s))
	}
	return json.Number(s), nil
}

// settle tells a document's nodes their base address and document, and notes which of them can be referred to by name.
func (n *node) settle(doc *node, base string, d Dialect, names *names) {
	n.doc, n.base = doc, base
	if n.isMap {
		n.base = names.add(n, base, d)
	}
	for _, k := range slices.Sorted(maps.Keys(n.fields)) {
		n.fields[k].settle(doc, n.base, d, names)
	}
	for _, item := range n.items {
		item.settle(doc, n.base, d, names)
	}
}
