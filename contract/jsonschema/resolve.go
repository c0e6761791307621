package jsonschema

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// home is the address that files of a source have: relative references resolve against it, and none can lead out of it.
const home = "source:///"

// names are what references can name besides places in files.
type names struct {
	ids      map[string]*node // address without fragment: the resource that has it
	anchors  map[string]*node // address#name
	dynamic  map[string]int   // name of a $dynamicAnchor: how many there are
	recurses int              // how many have $recursiveAnchor
}

// add notes the names of a node, and returns the base address of what is in it.
func (ns *names) add(n *node, base string, d Dialect) string {
	if d == OpenAPI30 {
		return base
	}
	keyword := "$id"
	if d == Draft4 {
		keyword = "id"
	}
	if id, ok := n.text(keyword); ok {
		address, fragment, hasFragment := strings.Cut(id, "#")
		if hasFragment && fragment != "" && d <= Draft7 {
			ns.anchors[join(base, address)+"#"+fragment] = n
		}
		if address != "" {
			base = join(base, address)
			ns.ids[base] = n
		}
	}
	if name, ok := n.text("$anchor"); ok && d >= Draft2019 {
		ns.anchors[base+"#"+name] = n
	}
	if name, ok := n.text("$dynamicAnchor"); ok && d >= Draft2019 {
		ns.anchors[base+"#"+name] = n
		ns.dynamic[name]++
	}
	if f := n.fields["$recursiveAnchor"]; f != nil && f.scalar == true {
		ns.recurses++
	}
	return base
}

// join resolves an address against a base. What is no address stays as it is, and is not found later.
func join(base, ref string) string {
	b, err := url.Parse(base)
	if err != nil {
		return ref
	}
	r, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	joined := b.ResolveReference(r)
	joined.Fragment, joined.RawFragment = "", ""
	return joined.String()
}

// A resolver finds what references name.
type resolver struct {
	dialect Dialect
	names   names
	docs    map[string]*node // by address
	budget  *budget
	source  contract.Source
	remote  func(url string) ([]byte, error)
	given   func(ref string) (any, error) // the caller's own, which then decides alone
}

func newResolver(d Dialect) *resolver {
	return &resolver{
		dialect: d, docs: map[string]*node{}, budget: &budget{},
		names: names{ids: map[string]*node{}, anchors: map[string]*node{}, dynamic: map[string]int{}},
	}
}

// find returns what a reference in a node names.
func (r *resolver) find(from *node, ref string) (*node, error) {
	if r.given != nil {
		return r.ask(ref)
	}
	address, fragment, _ := strings.Cut(ref, "#")
	target := join(from.base, address)
	doc, err := r.resource(from, target)
	if err != nil {
		return nil, err
	}
	fragment, err = url.PathUnescape(fragment)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the fragment of %q: %w", ref, err)
	case fragment == "" || strings.HasPrefix(fragment, "/"):
		return doc.pointer(fragment)
	}
	if n := r.names.anchors[target+"#"+fragment]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("nothing has the anchor %q in %s", fragment, shown(target))
}

// resource returns the document or embedded resource at an address.
func (r *resolver) resource(from *node, target string) (*node, error) {
	if n := r.names.ids[target]; n != nil {
		return n, nil
	}
	if target == from.doc.base || from.base == target {
		return from.doc, nil
	}
	return r.load(target)
}

// load reads the document at an address: once.
func (r *resolver) load(target string) (*node, error) {
	if n := r.docs[target]; n != nil {
		return n, nil
	}
	data, name, err := r.fetch(target)
	if err != nil {
		return nil, err
	}
	n, err := read(data, name, r.budget)
	if err != nil {
		return nil, err
	}
	r.docs[target] = n
	n.settle(n, target, r.dialect, &r.names)
	return n, nil
}

func (r *resolver) fetch(target string) ([]byte, string, error) {
	if file, ok := strings.CutPrefix(target, home); ok && r.source.FS != nil {
		file, err := url.PathUnescape(file)
		if err != nil {
			return nil, "", err
		}
		data, err := r.source.Read(file)
		return data, file, err
	}
	if !strings.HasPrefix(target, "http://") && !strings.HasPrefix(target, "https://") {
		return nil, "", fmt.Errorf("%s is not within what was read", shown(target))
	}
	if r.remote == nil {
		return nil, "", fmt.Errorf("%s is on another host, and references to other hosts are off: put a copy beside the contract, or allow them", target)
	}
	data, err := r.remote(target)
	if err == nil && len(data) > contract.MaxFile {
		err = fmt.Errorf("%s has %d bytes, and %d are the most that is read", target, len(data), contract.MaxFile)
	}
	return data, target, err
}

// ask takes what the caller's own resolver says.
func (r *resolver) ask(ref string) (*node, error) {
	if n := r.docs[ref]; n != nil {
		return n, nil
	}
	v, err := r.given(ref)
	if err != nil {
		return nil, err
	}
	n, err := fromAny(v, r.budget, 1)
	if err != nil {
		return nil, err
	}
	r.docs[ref] = n
	n.settle(n, home+"value", r.dialect, &r.names)
	return n, nil
}

// shown is an address as its user knows it.
func shown(address string) string { return strings.TrimPrefix(address, home) }
