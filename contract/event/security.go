package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// serversOf names the servers that a channel is on: all, where it says nothing.
func (d *document) serversOf(ch *channel) []string {
	var names []string
	list := ch.key("servers")
	if list.n == nil || len(list.n.items) == 0 {
		for _, s := range d.servers {
			names = append(names, s.name)
		}
		slices.Sort(names)
		return names
	}
	for _, item := range list.n.items {
		name := item.text // of version 2
		if ref := item.get("$ref"); ref != nil {
			name = path.Base(ref.text)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// ways lists the ways in that a list of security names, each as text without what is for people. Version 2 names schemes, which stand among
// the document's components.
func (d *document) ways(x loc) ([]string, error) {
	var all []string
	list, err := d.each(x)
	if err != nil {
		return nil, err
	}
	for _, item := range list {
		v, err := d.expand(item.loc)
		if err != nil {
			return nil, err
		}
		if named, ok := v.(map[string]any); ok && strings.HasPrefix(d.version, "2") {
			for _, name := range slices.Sorted(maps.Keys(named)) {
				scheme, err := d.expand(d.root.key("components").key("securitySchemes").key(name))
				if err != nil {
					return nil, err
				}
				named[name] = map[string]any{"scopes": named[name], "scheme": scheme}
			}
		}
		data, err := json.Marshal(bare(v))
		if err != nil {
			return nil, err
		}
		all = append(all, string(data))
	}
	return all, nil
}

// bare returns a value without what people alone read.
func bare(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range x {
			if key != "description" && key != "summary" && key != "title" && key != "tags" && key != "externalDocs" && !strings.HasPrefix(key, "x-") {
				out[key] = bare(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = bare(x[i])
		}
		return out
	}
	return v
}

// security compares ways in, of which a neighbour takes any: one that is gone harms those who take it, and where there was none, all.
func (c *comparison) security(sub subject, old, new loc, oldAt, newAt contract.Place) error {
	was, err := c.old.ways(old)
	if err != nil {
		return err
	}
	is, err := c.new.ways(new)
	if err != nil {
		return err
	}
	const rule = "asyncapi-security-changed"
	gone := slices.DeleteFunc(slices.Clone(was), func(way string) bool { return slices.Contains(is, way) })
	added := slices.DeleteFunc(slices.Clone(is), func(way string) bool { return slices.Contains(was, way) })
	switch {
	case len(is) > 0 && len(was) == 0:
		c.found(sub, rule, contract.Break, "security", fmt.Sprintf("there was no security, and now a neighbour needs %s", strings.Join(is, " or ")), "let both ways in for a while", oldAt, newAt)
	case len(is) > 0 && len(gone) > 0:
		c.found(sub, rule, contract.Break, "security", fmt.Sprintf("%s does not let a neighbour in any more: %s does", strings.Join(gone, " or "), strings.Join(is, " or ")),
			"let both ways in for a while", oldAt, newAt)
	case len(gone)+len(added) > 0:
		c.found(sub, rule, contract.Change, "security", "there are more ways in, or none is needed any more", "", oldAt, newAt)
	}
	return nil
}

// traits compares what nobody else judges of them, one by one.
func (c *comparison) traits(sub subject, old, new []loc, judged ...string) error {
	for i := range max(len(old), len(new)) {
		var was, is loc
		if i < len(old) {
			was = old[i]
		}
		if i < len(new) {
			is = new[i]
		}
		if err := c.others(sub, was, is, judged...); err != nil {
			return err
		}
	}
	return nil
}
