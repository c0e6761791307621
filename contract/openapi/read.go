package openapi

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
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
