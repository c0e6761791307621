package openapi

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// A role says what the members of a node are, so that a property called $ref or an example that shows one is no reference.
type role struct{ data, names bool }

func (r role) of(key string) role {
	switch {
	case r.data || !r.names && isData(key):
		return role{data: true}
	case r.names:
		return role{}
	}
	switch key {
	case "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "mapping", "responses", "schemas":
		return role{names: true}
	}
	return role{}
}

func isData(key string) bool {
	switch key {
	case "example", "default", "enum", "const", "value":
		return true
	}
	return strings.HasPrefix(key, "x-")
}

// link resolves all references below a node, and reads the files that they name.
func (d *document) link(file string, n *node, r role) error {
	if !r.data && !r.names && n.kind == object {
		if ref := n.get("$ref"); ref.str() != "" {
			if err := d.resolve(file, n, ref); err != nil {
				return err
			}
		}
	}
	for i, kid := range n.kids {
		below := r
		if n.kind == object {
			below = r.of(n.keys[i])
		}
		if err := d.link(file, kid, below); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) resolve(file string, n, ref *node) error {
	if n.ref != "" {
		return nil // an alias: seen
	}
	name, pointer, err := split(file, ref.str())
	if err != nil {
		return fmt.Errorf("%s: $ref %s: %w", ref.at, ref.text, err)
	}
	if name == path.Base(d.src.Path) {
		name = "" // the root, by the name of its file
	}
	n.ref = name + "#" + pointer
	if _, ok := d.refs[n.ref]; ok {
		return nil
	}
	_, known := d.files[name]
	whole, err := d.file(name)
	if err != nil {
		return fmt.Errorf("%s: $ref %s: %w", ref.at, ref.text, err)
	}
	target, err := descend(whole, pointer)
	if err != nil {
		return fmt.Errorf("%s: $ref %s: %w", ref.at, ref.text, err)
	}
	d.refs[n.ref] = target
	if known {
		return nil
	}
	return d.link(name, whole, role{})
}

// split returns the file that a reference names, from the root's folder, and the pointer within it.
func split(file, ref string) (name, pointer string, err error) {
	before, pointer, _ := strings.Cut(ref, "#")
	if pointer != "" && pointer[0] != '/' {
		return "", "", errors.New("anchors cannot be followed: use a JSON pointer (#/…)")
	}
	if pointer, err = url.PathUnescape(pointer); err != nil {
		return "", "", err
	}
	switch {
	case before == "":
		return file, pointer, nil
	case remote(before):
		return before, pointer, nil
	case strings.HasPrefix(before, "//"), strings.HasPrefix(before, "/"), strings.HasPrefix(before, "file:"):
		return "", "", errors.New("want a path relative to the file")
	case remote(file):
		base, err := url.Parse(file)
		if err != nil {
			return "", "", err
		}
		made, err := base.Parse(before)
		if err != nil {
			return "", "", err
		}
		return made.String(), pointer, nil
	}
	if before, err = url.PathUnescape(before); err != nil {
		return "", "", err
	}
	return path.Join(path.Dir(file), before), pointer, nil
}

// descend follows a JSON pointer.
func descend(n *node, pointer string) (*node, error) {
	if pointer == "" {
		return n, nil
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if n = n.step(token); n == nil {
			return nil, fmt.Errorf("nothing is called %s there", strconv.Quote(token))
		}
	}
	return n, nil
}

// deref follows references of parameters, bodies and the like, up to the first that is none.
func (d *document) deref(n *node) *node {
	for range contract.MaxDepth {
		if n == nil || n.ref == "" {
			return n
		}
		n = d.refs[n.ref]
	}
	return nil // a circle of references and nothing else
}

// meant follows references to a schema up to the first that says more beside its $ref, which counts since 3.1.
func (d *document) meant(n *node) *node {
	for range contract.MaxDepth {
		if n == nil || n.ref == "" || d.version != "3.0" && len(n.keys) > 1 {
			return n
		}
		n = d.refs[n.ref]
	}
	return nil
}

// says reports whether a schema, or what it refers to, has a keyword that is true.
func (d *document) says(n *node, key string) bool {
	for range contract.MaxDepth {
		if n = d.meant(n); n == nil || n.ref == "" || n.get(key).isTrue() {
			break
		}
		n = d.refs[n.ref]
	}
	return n.get(key).isTrue()
}
