package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assay-dev/assay/contract"
)

// A document is one version: the root file, and all that its references name.
type document struct {
	src     contract.Source
	opts    contract.Options
	root    *node
	files   map[string]*node // by name from the root's folder; "" is the root
	refs    map[string]*node // what references name
	version string           // "3.0" or "3.1"
	places  int              // nodes read, aliases counted as often as they are used
}

// read reads a version and all that it refers to.
func read(src contract.Source, opts contract.Options) (*document, error) {
	d := &document{src: src, opts: opts, files: map[string]*node{}, refs: map[string]*node{}}
	if err := d.findRoot(); err != nil {
		return nil, err
	}
	root, err := d.file("")
	if err != nil {
		return nil, err
	}
	d.root = root
	if err := d.checkVersion(); err != nil {
		return nil, err
	}
	if err := d.link("", root, role{}); err != nil {
		return nil, err
	}
	return d, nil
}

// findRoot takes the only document of a folder, where a folder is given.
func (d *document) findRoot() error {
	info, err := fs.Stat(d.src.FS, d.src.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", d.src.Name, err)
	}
	if !info.IsDir() {
		return nil
	}
	var found []string
	for _, name := range []string{"openapi.yaml", "openapi.yml", "openapi.json"} {
		if _, err := fs.Stat(d.src.FS, path.Join(d.src.Path, name)); err == nil {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("%s: want one of openapi.yaml, openapi.yml and openapi.json in the folder, got %d; name the file", d.src.Name, len(found))
	}
	d.src.Path = path.Join(d.src.Path, found[0])
	return nil
}

// shown returns the name of a file for people.
func (d *document) shown(file string) string {
	if remote(file) {
		return file
	}
	return d.within(file)
}

func (d *document) within(file string) string {
	if file == "" {
		return d.src.Path
	}
	return path.Join(path.Dir(d.src.Path), file)
}

func remote(file string) bool { return strings.Contains(file, "://") }

// file reads a file once.
func (d *document) file(name string) (*node, error) {
	if n, ok := d.files[name]; ok {
		return n, nil
	}
	data, err := d.bytes(name)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	shown := d.shown(name)
	if at, ok := badUTF8(shown, data); ok {
		return nil, fmt.Errorf("%s: not UTF-8; save the file as UTF-8", at)
	}
	p := parser{file: shown, used: d.places}
	n, err := p.parse(data)
	if err != nil {
		return nil, err
	}
	d.places = p.used
	d.files[name] = n
	return n, nil
}

func (d *document) bytes(name string) ([]byte, error) {
	if !remote(name) {
		return d.src.Read(d.within(name))
	}
	if d.opts.Remote == nil {
		return nil, fmt.Errorf("%s is on another host, and references to other hosts are off; allow them, or keep a copy beside the contract", name)
	}
	data, err := d.opts.Remote(name)
	if err == nil && len(data) > contract.MaxFile {
		err = fmt.Errorf("%s has %d bytes, and %d are the most that is read", name, len(data), contract.MaxFile)
	}
	return data, err
}

func badUTF8(file string, data []byte) (contract.Place, bool) {
	if utf8.Valid(data) {
		return contract.Place{}, false
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line := bytes.Count(data[:at], []byte("\n")) + 1
	return contract.Place{File: file, Line: line, Column: at - bytes.LastIndexByte(data[:at], '\n')}, true
}

var versions = regexp.MustCompile(`^3\.([01])\.\d+`)

func (d *document) checkVersion() error {
	if n := d.root.get("swagger"); n != nil {
		return fmt.Errorf("%s: swagger %s cannot be compared: OpenAPI 3.0 and 3.1 can; convert it first", n.at, n.str())
	}
	n := d.root.get("openapi")
	if n == nil {
		return fmt.Errorf("%s: no OpenAPI document: it has no key openapi", d.root.at)
	}
	m := versions.FindStringSubmatch(n.str())
	if m == nil {
		return fmt.Errorf("%s: OpenAPI %s cannot be compared: 3.0.x and 3.1.x can", n.at, n.text)
	}
	d.version = "3." + m[1]
	if p := d.root.get("paths"); p != nil && p.kind != object {
		return fmt.Errorf("%s: paths: want an object", p.at)
	}
	return nil
}

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
