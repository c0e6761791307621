package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// compareXML compares the names that fields have in XML: JSON Schema says nothing of them.
func (c *comparison) compareXML(op *pairing, before, after part) {
	media, _, _ := strings.Cut(plainMedia(after.media), ";")
	if before.at != "" || !strings.HasSuffix(media, "/xml") && !strings.HasSuffix(media, "+xml") {
		return
	}
	x, y := map[string]string{}, map[string]string{}
	c.old.xmlForms(x, "", before.schema, nil)
	c.new.xmlForms(y, "", after.schema, nil)
	for _, path := range sortedKeys(x) {
		if is, ok := y[path]; ok && is != x[path] {
			c.add(op, join(after.path, path), contract.Finding{Rule: after.what + "-body-xml-changed", Severity: contract.Break, Flow: after.flow,
				Text: "the value has another name or form in XML: the other side does not find it",
				Old:  c.old.dotted(before.schema, path).place(), New: c.new.dotted(after.schema, path).place()})
		}
	}
}

// xmlForms notes how each value of a schema is written in XML, by its path. What holds itself is noted once.
func (d *document) xmlForms(all map[string]string, path string, schema *node, above []*node) {
	n := d.deref(schema)
	if n == nil || slices.Contains(above, n) {
		return
	}
	above = append(slices.Clone(above), n)
	form := ""
	if x := d.keywordOf(schema, "xml"); x != nil {
		for _, key := range []string{"name", "namespace", "prefix", "attribute", "wrapped"} {
			if v := x.get(key); v != nil && v.text != "false" {
				form += key + " " + v.text + " "
			}
		}
	}
	if _, seen := all[path]; seen {
		return
	}
	all[path] = form
	for name, kid := range d.declared(schema, true) {
		d.xmlForms(all, join(path, name), kid, above)
	}
	if items := d.keywordOf(schema, "items"); items != nil {
		d.xmlForms(all, join(path, "[]"), items, above)
	}
}
