package openapi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oasdiff/oasdiff/checker"

	"github.com/assay-dev/assay/contract"
)

// locate finds what of the operation a change of oasdiff is about: it names places in words, and its arguments say which.
func (c *comparison) locate(made *claim, op *pairing, change checker.Change) {
	args := make([]string, 0, len(change.GetArgs()))
	for _, arg := range change.GetArgs() {
		args = append(args, fmt.Sprint(arg))
	}
	made.Old, made.New = op.oldNode.place(), op.newNode.place()
	id := change.GetId()
	switch made.Flow {
	case contract.FromUs:
		c.locateResponse(made, op, id, args)
	case contract.ToUs:
		if path, ok := op.parameter(args); ok && !strings.Contains(id, "-body-") && !isProperty(id) {
			made.Path, made.parts = path, []string{path}
			c.places(made, op, path, "")
			return
		}
		if path, ok := op.pathParameter(id, args); ok {
			made.Path, made.parts = path, []string{path}
			c.places(made, op, path, "")
			return
		}
		made.Path, made.parts = "request.body", []string{"request.body"}
		c.places(made, op, "request.body", "")
		if ofWholeBody(id) {
			return
		}
		c.locateProperty(made, op, "request.body", id, args)
	default:
		made.Path = operationPath(id)
		made.parts = []string{made.Path}
		key := made.Path
		if x, y := op.oldNode.get(key), op.newNode.get(key); x != nil || y != nil {
			made.Old, made.New = nearest(x, made.Old), nearest(y, made.New)
		}
	}
}

// ofWholeBody says whether a rule is about the body whatever its media type.
func ofWholeBody(id string) bool {
	switch id {
	case "request-body-became-required", "request-body-became-optional", "request-body-added-required", "request-body-added-optional", "request-body-removed":
		return true
	}
	return false
}

// operationPath is what a change without a flow is about.
func operationPath(id string) string {
	switch {
	case strings.HasPrefix(id, "api-security"), strings.HasPrefix(id, "api-global-security"):
		return "security"
	case strings.HasPrefix(id, "endpoint-deprecated"), strings.HasPrefix(id, "api-deprecated"), strings.HasPrefix(id, "sunset"), id == "endpoint-reactivated":
		return "deprecated"
	case strings.Contains(id, "tag"):
		return "tags"
	case strings.Contains(id, "operation-id"):
		return "operationId"
	}
	return ""
}

func isProperty(id string) bool {
	return strings.Contains(id, "property") && !strings.Contains(id, "parameter") && !strings.Contains(id, "header")
}

func nearest(n *node, other contract.Place) contract.Place {
	if n == nil {
		return other
	}
	return n.at
}

// parameter returns the part of the parameter that the arguments name: its location and then its name, anywhere among them.
func (op *pairing) parameter(args []string) (string, bool) {
	for i, name := range args {
		for _, in := range []string{"query", "path", "header", "cookie"} {
			named := i > 0 && args[i-1] == in || i+1 < len(args) && args[i+1] == in
			path := parameterPath(in, name)
			_, inOld := op.oldParts[path]
			_, inNew := op.newParts[path]
			if named && (inOld || inNew) {
				return path, true
			}
		}
	}
	return "", false
}

// pathParameter returns the part of a path parameter, of which the arguments have the name alone.
func (op *pairing) pathParameter(id string, args []string) (string, bool) {
	for _, name := range args {
		path := parameterPath("path", name)
		if _, ok := op.either(path); ok && strings.Contains(id, "path-parameter") {
			return path, true
		}
	}
	return "", false
}

func (c *comparison) locateResponse(made *claim, op *pairing, id string, args []string) {
	path := "response"
	for i := len(args) - 1; i >= 0; i-- {
		candidate := "response." + args[i]
		_, inOld := op.oldParts[candidate]
		_, inNew := op.newParts[candidate]
		if inOld || inNew {
			path = candidate
			break
		}
	}
	made.Path, made.parts = path, []string{path}
	c.places(made, op, path, "")
	if strings.Contains(id, "header") {
		for _, arg := range args {
			if _, ok := op.either(path + ".header." + strings.ToLower(arg)); ok {
				made.Path = path + ".header." + strings.ToLower(arg)
				made.parts = []string{made.Path}
				c.places(made, op, made.Path, "")
			}
		}
		return
	}
	c.locateProperty(made, op, path, id, args)
}

// locateProperty finds the media type and the property that the arguments name.
func (c *comparison) locateProperty(made *claim, op *pairing, path, id string, args []string) {
	bodies := slices.DeleteFunc(op.under(path), func(p part) bool { return p.media == "" || p.at != "" })
	named := slices.DeleteFunc(slices.Clone(bodies), func(p part) bool {
		return !slices.Contains(args, p.media) && !strings.Contains(made.Text, "(media type: "+p.media+")")
	})
	if len(named) > 0 {
		bodies = named
		made.Path, made.parts = named[0].path, []string{named[0].path}
		c.places(made, op, named[0].path, "")
	} else if len(bodies) == 1 {
		made.Path = bodies[0].path
		c.places(made, op, bodies[0].path, "")
	}
	if !isProperty(id) {
		return
	}
	for _, p := range bodies {
		for _, arg := range args {
			if dotted, ok := c.propertyPath(op, p.path, arg); ok {
				made.Path = join(p.path, dotted)
				made.still = c.inBoth(op, p.path, arg)
				c.places(made, op, p.path, arg)
				return
			}
		}
	}
}

// inBoth says whether both versions have the property, however they compose it.
func (c *comparison) inBoth(op *pairing, path, property string) bool {
	return c.old.propertyNode(op.oldParts[path].schema, property) != nil && c.new.propertyNode(op.newParts[path].schema, property) != nil
}

// places fills in where the part stands in both versions, and within it the property.
func (c *comparison) places(made *claim, op *pairing, path, property string) {
	if p, ok := op.oldParts[path]; ok {
		made.Old = nearest(c.old.propertyNode(p.schema, property), p.node.place())
	}
	if p, ok := op.newParts[path]; ok {
		made.New = nearest(c.new.propertyNode(p.schema, property), p.node.place())
	}
}

// propertyPath says whether an argument names a property below a part, and how people write it.
func (c *comparison) propertyPath(op *pairing, path, arg string) (string, bool) {
	for _, side := range []struct {
		d     *document
		parts map[string]part
	}{{c.new, op.newParts}, {c.old, op.oldParts}} {
		if p, ok := side.parts[path]; ok && p.schema != nil {
			if dotted, n := side.d.walkProperty(p.schema, arg); n != nil {
				return dotted, true
			}
		}
	}
	return "", false
}

func (d *document) propertyNode(schema *node, property string) *node {
	if schema == nil || property == "" {
		return nil
	}
	_, n := d.walkProperty(schema, property)
	return n
}

// walkProperty goes down a path as oasdiff writes it: names and "items" between slashes, and hints of alternatives, such as /oneOf[#/…].
func (d *document) walkProperty(schema *node, written string) (string, *node) {
	written = strings.Trim(written, "/")
	if written == "" || strings.Contains(written, "[") {
		return "", nil
	}
	dotted := ""
	for _, name := range strings.Split(written, "/") {
		next := d.member(schema, name)
		if next == nil && name == "items" {
			if next = d.keywordOf(schema, "items"); next != nil {
				dotted, schema = dotted+"[]", next
				continue
			}
		}
		if next == nil {
			return "", nil
		}
		dotted, schema = join(dotted, name), next
	}
	return dotted, schema
}

func join(path, below string) string {
	switch {
	case path == "" || below == "":
		return path + below
	case below[0] == '[':
		return path + below
	}
	return path + "." + below
}
