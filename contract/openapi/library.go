package openapi

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
)

// rootName is what the library calls the root file. No file of a version is called so: names are relative and clean.
const rootName = "./root"

// libraryChanges asks oasdiff what changed in the operations that are not the same.
func (p *pair) libraryChanges(ctx context.Context, changed map[string]bool) (checker.Changes, error) {
	old, err := p.old.load(ctx, p.reduced(p.old, p.new, changed))
	if err != nil {
		return nil, err
	}
	new, err := p.new.load(ctx, p.reduced(p.new, p.old, changed))
	if err != nil {
		return nil, err
	}
	report, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(), old, new)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", p.old.src.Name, p.new.src.Name, err)
	}
	return checker.CheckBackwardCompatibilityUntilLevel(checker.NewConfig(checker.GetAllChecks()), report, sources, checker.INFO), nil
}

// reduced returns a document without what is the same in both versions: the library need not read that.
func (p *pair) reduced(d, other *document, changed map[string]bool) *node {
	for ref := range d.refs {
		if strings.HasPrefix(ref, "#") && componentOf(ref) == "" {
			return d.root // something refers into what would be left out
		}
	}
	needed := map[string]bool{}
	var need func(n *node)
	need = func(n *node) {
		n.eachRef(func(ref string) {
			target := d.refs[ref]
			if owner := componentOf(ref); owner != "" {
				ref = owner
				target, _ = descend(d.root, strings.TrimPrefix(owner, "#"))
			}
			if !needed[ref] {
				needed[ref] = true
				need(target)
			}
		})
	}
	root := d.root.pick(func(key string, kid *node) *node {
		switch key {
		case "components", "webhooks":
			return nil
		case "paths":
			kid = d.reducedPaths(kid, changed)
		}
		need(kid)
		return kid
	})
	if hooks := d.turned(changed); len(hooks.kids) > 0 {
		need(hooks)
		root.keys, root.kids = append(root.keys, "webhooks"), append(root.kids, hooks)
	}
	components := d.root.get("components")
	if components == nil {
		return root
	}
	kept := components.pick(func(group string, kid *node) *node {
		if group == "securitySchemes" || kid.kind != object {
			return kid
		}
		return kid.pick(func(name string, one *node) *node {
			if p.same(one, other.root.get("components").get(group).get(name)) {
				return nil
			}
			need(one)
			return one
		})
	})
	root.keys, root.kids = append(root.keys, "components"), append(root.kids, withNeeded(kept, components, needed))
	return root
}

// withNeeded adds the components that what is left refers to.
func withNeeded(kept, all *node, needed map[string]bool) *node {
	return all.pick(func(group string, kid *node) *node {
		if group == "securitySchemes" || kid.kind != object {
			return kid
		}
		return kid.pick(func(name string, one *node) *node {
			if kept.get(group).get(name) != nil || needed["#/components/"+group+"/"+escape(name)] {
				return one
			}
			return nil
		})
	})
}

// componentOf returns the component of the root that a reference goes to or into, or "".
func componentOf(ref string) string {
	tokens := strings.SplitN(ref, "/", 5)
	if len(tokens) < 4 || tokens[0] != "#" || tokens[1] != "components" {
		return ""
	}
	return strings.Join(tokens[:4], "/")
}

func escape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
}

// reducedPaths keeps the operations that changed.
func (d *document) reducedPaths(paths *node, changed map[string]bool) *node {
	return paths.pick(func(path string, item *node) *node {
		if !strings.HasPrefix(path, "/") || d.deref(item) == nil {
			return item
		}
		left := 0
		made := item.pick(func(key string, kid *node) *node {
			method := strings.ToUpper(key)
			if !isMethod(key) {
				return kid
			}
			if !changed[method+" "+parameterName.ReplaceAllString(path, "{}")] {
				return nil
			}
			left++
			return kid
		})
		if item.ref != "" {
			return d.wholeItem(path, item, changed)
		}
		if left == 0 {
			return nil
		}
		return made
	})
}

// turned returns the webhooks and callbacks that changed, as webhooks.
func (d *document) turned(changed map[string]bool) *node {
	made := &node{kind: object, at: d.root.at}
	for _, o := range d.operations() {
		if !o.turned || !changed[o.key] {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(o.key, o.method+" "), "webhook:")
		if made.get(name) == nil {
			made.keys, made.kids = append(made.keys, name), append(made.kids, o.item)
		}
	}
	return made
}

// wholeItem keeps a path item that stands elsewhere where any of its operations changed.
func (d *document) wholeItem(path string, item *node, changed map[string]bool) *node {
	for _, key := range d.deref(item).keys {
		if isMethod(key) && changed[strings.ToUpper(key)+" "+parameterName.ReplaceAllString(path, "{}")] {
			return item
		}
	}
	return nil
}

func isMethod(key string) bool {
	for _, m := range methods {
		if m == key {
			return true
		}
	}
	return false
}

// load gives the library what was read. It reads nothing by itself.
func (d *document) load(ctx context.Context, root *node) (*load.SpecInfo, error) {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		name := location.String()
		if location.Host == "" {
			name = location.Path
		}
		if name == rootName {
			return d.json("", root), nil
		}
		n := d.files[name]
		if n == nil {
			return nil, fmt.Errorf("%s was not among the references of %s", name, d.src.Name)
		}
		return d.json(name, n), nil
	}
	loader.JoinFunc = func(_, relative *url.URL) *url.URL { return relative }
	spec, err := guarded(func() (*openapi3.T, error) { return loader.LoadFromURI(&url.URL{Path: rootName}) })
	if err != nil {
		return nil, fmt.Errorf("%s: %s is no valid OpenAPI document: %w", d.src.Name, d.shown(""), err)
	}
	return &load.SpecInfo{Url: d.src.Name, Spec: spec}, nil
}

// guarded turns a panic of the library into an error: what it cannot read is the document's fault or its own, and no reason to end.
func guarded[T any](f func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(errLibrary, fmt.Errorf("%v", r))
		}
	}()
	return f()
}

var errLibrary = errors.New("the library that reads it gave up")

// json writes a file as the library reads it: each reference from the root's folder.
func (d *document) json(file string, n *node) []byte {
	return n.appendJSON(nil, func(ref string) string {
		to, pointer, _ := strings.Cut(ref, "#")
		switch {
		case to == file:
			return "#" + pointer
		case to == "":
			to = rootName
		}
		if pointer == "" {
			return to
		}
		return to + "#" + pointer
	})
}
