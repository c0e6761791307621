package openapi

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A kind is what a node is.
type kind byte

const (
	scalar kind = iota // text is its JSON
	object
	array
)

// A node is one value of a file, and where it stands. Nodes are never changed once they are read: aliases share them.
type node struct {
	kind kind
	at   contract.Place // of its key, where it has one
	text string         // of a scalar: JSON
	keys []string       // of an object, as they stand
	kids []*node
	ref  string         // what $ref names: file and pointer, from the root's folder; "" is none
	find map[string]int // of an object with many keys
}

// get returns a member of an object, or nil. A nil node has none.
func (n *node) get(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	if n.find != nil {
		if i, ok := n.find[key]; ok {
			return n.kids[i]
		}
		return nil
	}
	if i := slices.Index(n.keys, key); i >= 0 {
		return n.kids[i]
	}
	return nil
}

// str returns the text of a string, or "".
func (n *node) str() string {
	var s string
	if n != nil && n.kind == scalar && strings.HasPrefix(n.text, `"`) {
		_ = json.Unmarshal([]byte(n.text), &s) // it was made by Marshal
	}
	return s
}

func (n *node) isTrue() bool { return n != nil && n.kind == scalar && n.text == "true" }

// place returns where the node stands, and nowhere for none.
func (n *node) place() contract.Place {
	if n == nil {
		return contract.Place{}
	}
	return n.at
}

// index makes many keys quick to find.
func (n *node) index() {
	if len(n.keys) < 16 {
		return
	}
	n.find = make(map[string]int, len(n.keys))
	for i, k := range n.keys {
		n.find[k] = i
	}
}

// equal says whether two nodes are the same JSON, in whatever order their members stand. References are compared by name.
func equal(a, b *node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.kind != b.kind || a.text != b.text || a.ref != b.ref || len(a.kids) != len(b.kids) {
		return false
	}
	for i, kid := range a.kids {
		other := b.kids[i]
		if a.kind == object && a.keys[i] != b.keys[i] {
			other = b.get(a.keys[i])
		}
		if other == nil || !equal(kid, other) {
			return false
		}
	}
	return true
}

// appendJSON writes the node as JSON, with references as name has them.
func (n *node) appendJSON(to []byte, name func(ref string) string) []byte {
	switch n.kind {
	case scalar:
		return append(to, n.text...)
	case array:
		to = append(to, '[')
		for i, kid := range n.kids {
			if i > 0 {
				to = append(to, ',')
			}
			to = kid.appendJSON(to, name)
		}
		return append(to, ']')
	}
	to = append(to, '{')
	for i, kid := range n.kids {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(append(to, quote(n.keys[i])...), ':')
		if n.ref != "" && n.keys[i] == "$ref" {
			to = append(to, quote(name(n.ref))...)
			continue
		}
		to = kid.appendJSON(to, name)
	}
	return append(to, '}')
}

// quote returns text as a JSON string.
func quote(text string) string {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f || c == '<' || c == '>' || c == '&' {
			data, _ := json.Marshal(text) // a string always marshals
			return string(data)
		}
	}
	return `"` + text + `"`
}

// pick returns an object with some of the node's members.
func (n *node) pick(keep func(key string, kid *node) *node) *node {
	made := &node{kind: object, at: n.at, ref: n.ref}
	for i, key := range n.keys {
		if kid := keep(key, n.kids[i]); kid != nil {
			made.keys, made.kids = append(made.keys, key), append(made.kids, kid)
		}
	}
	made.index()
	return made
}

// step goes down by one token of a JSON pointer.
func (n *node) step(token string) *node {
	if n == nil {
		return nil
	}
	if n.kind != array {
		return n.get(token)
	}
	i := 0
	for _, c := range token {
		if c < '0' || c > '9' || i > len(n.kids) {
			return nil
		}
		i = i*10 + int(c-'0')
	}
	if token == "" || i >= len(n.kids) {
		return nil
	}
	return n.kids[i]
}
