package openapi

import (
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// An operation is a method of a path, a webhook or a callback, with what it takes from the path item and the root.
type operation struct {
	method, path string
	node, item   *node
	key          string // method and path, without the names of path parameters
	turned       bool   // a webhook or a callback: we send its requests, and read its responses
	depth        int    // of callbacks within callbacks
}

func (o *operation) subject() string { return o.method + " " + o.path }

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var parameterName = regexp.MustCompile(`\{[^}]*\}`)

// maxCallbacks is how deep callbacks within callbacks are compared: those below are a gap where they change.
const maxCallbacks = 3

// operations returns all operations of a document, as they stand: those of paths, then webhooks, then callbacks of both.
func (d *document) operations() []*operation {
	var all []*operation
	d.eachItem(d.root.get("paths"), func(path string, item *node) {
		if strings.HasPrefix(path, "/") {
			all = append(all, methodsOf(item, operation{path: path}, parameterName.ReplaceAllString(path, "{}"))...)
		}
	})
	d.eachItem(d.root.get("webhooks"), func(name string, item *node) {
		all = append(all, methodsOf(item, operation{path: "webhook:" + name, turned: true}, "webhook:"+name)...)
	})
	for i := 0; i < len(all); i++ {
		if all[i].depth < maxCallbacks {
			all = append(all, d.callbacks(all[i])...)
		}
	}
	return all
}

func (d *document) callbacks(o *operation) []*operation {
	var all []*operation
	d.eachItem(o.node.get("callbacks"), func(name string, callback *node) {
		d.eachItem(callback, func(expression string, item *node) {
			if extension(expression) {
				return
			}
			path := "callback:" + name + " " + expression + " of "
			all = append(all, methodsOf(item, operation{path: path + o.subject(), turned: true, depth: o.depth + 1}, path+o.key)...)
		})
	})
	return all
}

// eachItem calls f for each member.
func (d *document) eachItem(n *node, f func(name string, item *node)) {
	if n == nil || n.kind != object {
		return
	}
	for i, name := range n.keys {
		if item := d.deref(n.kids[i]); item != nil {
			f(name, item)
		}
	}
}

func extension(key string) bool { return strings.HasPrefix(key, "x-") }

func methodsOf(item *node, like operation, key string) []*operation {
	var all []*operation
	for i, method := range item.keys {
		if slices.Contains(methods, method) {
			o := like
			o.method = strings.ToUpper(method)
			o.node, o.item, o.key = item.kids[i], item, o.method+" "+key
			all = append(all, &o)
		}
	}
	return all
}

// A part is something of an operation that is compared by itself.
type part struct {
	path   string // "request.query.limit", "request.body", "response.200.body", "response.200.header.X-Trace"
	flow   contract.Flow
	what   string // "request" or "response"
	at     string // of a witness: "query limit", "header X-Trace"; "" is the body
	media  string
	status string
	node   *node // the resolved parameter, body, media type, response or header
	schema *node // nil: it has none
	text   bool  // of a parameter or header: the wire holds text, whatever the schema says
}

// parts returns all parts of an operation, by path.
func (d *document) parts(o *operation) map[string]part {
	all := map[string]part{}
	put := func(p part) {
		if _, taken := all[p.path]; taken {
			p.path += " " + p.media // media types that mean the same
		}
		all[p.path] = p
	}
	asks, answers := contract.ToUs, contract.FromUs
	if o.turned {
		asks, answers = answers, asks
	}
	for _, p := range d.parameters(o) {
		in, name := p.get("in").str(), p.get("name").str()
		put(described(part{path: parameterPath(in, name), flow: asks, what: "request", at: in + " " + name, node: p}))
	}
	if body := d.deref(o.node.get("requestBody")); body != nil {
		put(part{path: "request.body", flow: asks, what: "request", node: body})
		d.content("request.body", body, part{flow: asks, what: "request"}, put)
	}
	d.eachItem(d.deref(o.node.get("responses")), func(status string, response *node) {
		if extension(status) {
			return
		}
		d.response(part{path: "response." + status, flow: answers, what: "response", status: status, node: response}, put)
	})
	return all
}

// described adds the schema of a parameter or header: of its text, or of a document within it.
func described(p part) part {
	p.schema, p.text = p.node.get("schema"), true
	if c := p.node.get("content"); c != nil && len(c.kids) == 1 {
		p.schema, p.text, p.media = c.kids[0].get("schema"), false, c.keys[0]
	}
	if p.schema == nil {
		p.schema = anything(p.node)
	}
	return p
}

// anything is the schema of what has none.
func anything(n *node) *node { return &node{kind: object, at: n.at} }

func parameterPath(in, name string) string {
	if in == "header" {
		name = strings.ToLower(name)
	}
	return "request." + in + "." + name
}

func (d *document) response(p part, put func(part)) {
	put(p)
	d.content(p.path+".body", p.node, part{flow: p.flow, what: p.what, status: p.status}, put)
	d.eachItem(p.node.get("headers"), func(name string, header *node) {
		if !strings.EqualFold(name, "Content-Type") {
			put(described(part{path: p.path + ".header." + strings.ToLower(name), flow: p.flow, what: p.what, status: p.status, at: "header " + name, node: header}))
		}
	})
}

// content puts a part for each media type.
func (d *document) content(path string, owner *node, like part, put func(part)) {
	content := owner.get("content")
	if content == nil {
		return
	}
	for i, media := range content.keys {
		p := like
		p.path, p.media, p.node, p.schema = mediaPath(path, plainMedia(media)), media, content.kids[i], content.kids[i].get("schema")
		if p.schema == nil {
			p.schema = unsaid(media, p.node)
		}
		put(p)
	}
}

// mediaPath leaves out the media type that nearly all bodies have, so that paths are short.
func mediaPath(path, media string) string {
	if media == "application/json" {
		return path + ".json"
	}
	return path + "." + strings.ReplaceAll(media, ".", "_")
}

// parameters returns those of an operation: its own, and those of its path that it does not replace.
func (d *document) parameters(o *operation) []*node {
	var all []*node
	seen := map[string]bool{}
	for _, list := range []*node{o.node.get("parameters"), o.item.get("parameters")} {
		if list == nil {
			continue
		}
		for _, p := range list.kids {
			if p = d.deref(p); p == nil {
				continue
			}
			key := parameterPath(p.get("in").str(), p.get("name").str())
			if !seen[key] {
				seen[key] = true
				all = append(all, p)
			}
		}
	}
	return all
}

// servers returns those of the operation, or else of its path, or else of the document.
func (d *document) servers(o *operation) *node {
	for _, n := range []*node{o.node, o.item, d.root} {
		if v := n.get("servers"); v != nil {
			return v
		}
	}
	return nil
}
