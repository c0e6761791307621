package openapi

import (
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// An operation is a method of a path, with what it takes from the path item and the root.
type operation struct {
	method, path string
	node, item   *node
	key          string // method and path, without the names of path parameters
}

func (o *operation) subject() string { return o.method + " " + o.path }

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

var parameterName = regexp.MustCompile(`\{[^}]*\}`)

// operations returns all operations of a document, as they stand.
func (d *document) operations() []*operation {
	paths := d.root.get("paths")
	if paths == nil {
		return nil
	}
	var all []*operation
	for i, path := range paths.keys {
		item := d.deref(paths.kids[i])
		if item == nil || !strings.HasPrefix(path, "/") {
			continue
		}
		for j, method := range item.keys {
			if slices.Contains(methods, method) {
				method = strings.ToUpper(method)
				key := method + " " + parameterName.ReplaceAllString(path, "{}")
				all = append(all, &operation{method: method, path: path, node: item.kids[j], item: item, key: key})
			}
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
	put := func(p part) { all[p.path] = p }
	for _, p := range d.parameters(o) {
		in, name := p.get("in").str(), p.get("name").str()
		made := part{path: parameterPath(in, name), flow: contract.ToUs, what: "request", at: in + " " + name, node: p, schema: p.get("schema"), text: true}
		if c := p.get("content"); c != nil && len(c.kids) == 1 {
			made.schema, made.text, made.media = c.kids[0].get("schema"), false, c.keys[0]
		}
		put(made)
	}
	if body := d.deref(o.node.get("requestBody")); body != nil {
		put(part{path: "request.body", flow: contract.ToUs, what: "request", node: body})
		d.content("request.body", body, part{flow: contract.ToUs, what: "request"}, put)
	}
	responses := d.deref(o.node.get("responses"))
	if responses == nil {
		return all
	}
	for i, status := range responses.keys {
		if response := d.deref(responses.kids[i]); response != nil && !strings.HasPrefix(status, "x-") {
			d.response("response."+status, status, response, put)
		}
	}
	return all
}

func parameterPath(in, name string) string {
	if in == "header" {
		name = strings.ToLower(name)
	}
	return "request." + in + "." + name
}

func (d *document) response(path, status string, response *node, put func(part)) {
	put(part{path: path, flow: contract.FromUs, what: "response", status: status, node: response})
	d.content(path+".body", response, part{flow: contract.FromUs, what: "response", status: status}, put)
	headers := response.get("headers")
	if headers == nil {
		return
	}
	for i, name := range headers.keys {
		if header := d.deref(headers.kids[i]); header != nil && !strings.EqualFold(name, "Content-Type") {
			put(part{path: path + ".header." + strings.ToLower(name), flow: contract.FromUs, what: "response", status: status,
				at: "header " + name, node: header, schema: header.get("schema"), text: true})
		}
	}
}

// content puts a part for each media type. Where there is one, the path does not name it.
func (d *document) content(path string, owner *node, like part, put func(part)) {
	content := owner.get("content")
	if content == nil {
		return
	}
	for i, media := range content.keys {
		p := like
		p.path, p.media, p.node, p.schema = mediaPath(path, media), media, content.kids[i], content.kids[i].get("schema")
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

// effective returns what the operation has, or else its path, or else the document: security and servers.
func (d *document) effective(o *operation, key string) *node {
	for _, n := range []*node{o.node, o.item, d.root} {
		if v := n.get(key); v != nil {
			return v
		}
	}
	return nil
}
