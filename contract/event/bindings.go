package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/contract/jsonschema"
)

// bindings compares the bindings of a server, channel, operation or message, with those of its traits. address is the channel's, or "".
func (c *comparison) bindings(sub subject, scope, address string, old, new loc, oldTraits, newTraits []loc) error {
	before, oldAt, err := c.old.merged(old, oldTraits, "bindings")
	if err != nil {
		return err
	}
	after, newAt, err := c.new.merged(new, newTraits, "bindings")
	if err != nil {
		return err
	}
	was, is := leaves(before), leaves(after)
	schema := func(name, _ string) bool {
		return slices.ContainsFunc(bindingSchemas(scope), func(key string) bool { return name == key || strings.HasPrefix(name, key+".") })
	}
	maps.DeleteFunc(was, schema)
	maps.DeleteFunc(is, schema)
	for _, key := range slices.Sorted(maps.Keys(merged(was, is))) {
		if was[key] != is[key] {
			c.binding(sub, scope+"."+key, address, was[key], is[key], oldAt.place(), newAt.place())
		}
	}
	for _, key := range bindingSchemas(scope) {
		if err := c.bindingSchema(sub, key, oldAt, newAt); err != nil {
			return err
		}
	}
	return nil
}

// bindingSchema compares a schema that stands in a binding.
func (c *comparison) bindingSchema(sub subject, key string, old, new loc) error {
	var at [2]described
	protocol, name, _ := strings.Cut(key, ".")
	for i, x := range []struct {
		d *document
		loc
	}{{c.old, old}, {c.new, new}} {
		of, err := x.d.member(x.loc, protocol)
		if err != nil {
			return err
		}
		schema, err := x.d.member(of, name)
		if err != nil {
			return err
		}
		at[i] = described{loc: schema, family: noSchema, dialect: jsonschema.Draft7}
		if schema.n != nil {
			at[i].family = jsonFamily
			if schema.n.get("schemaFormat") != nil || schema.n.kind != isObject {
				at[i].family = unknown
			}
		}
	}
	sub.path = sub.at("bindings." + key)
	return c.described(sub, at[0], at[1])
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func (c *comparison) binding(sub subject, place, address, was, is string, old, new contract.Place) {
	_, key, _ := strings.Cut(place, ".")
	text := fmt.Sprintf("the binding %s was %s and is %s", key, or2(was, "not there"), or2(is, "not there"))
	if strings.HasSuffix(key, ".bindingVersion") || strings.Contains(key, ".x-") {
		c.found(sub, "asyncapi-binding-changed", contract.Change, "bindings."+key, text, "", old, new)
		return
	}
	row, ok := bindingFor(place)
	if !ok {
		c.gap(sub, "bindings."+key, new, "%s, and no rule says what that does", text)
		return
	}
	rule, fallback := "asyncapi-binding-changed", bindingDefault(place, address)
	switch {
	case fallback != "" && or2(was, fallback) == or2(is, fallback):
		row.severity, row.why = contract.Change, "it says what was meant before"
	case was == "" && fallback == "": // the old version left it open: who relied on a value relied on what was not promised
		rule = "asyncapi-binding-added"
		if row.severity = map[contract.Severity]contract.Severity{contract.Break: contract.Risk}[row.severity]; row.severity == "" {
			row.severity = contract.Change
		}
	}
	c.found(sub, rule, row.severity, "bindings."+key, text+": "+row.why, "keep the value, or add a channel with the other", old, new)
}

func quoted(text string) string {
	data, err := json.Marshal(text)
	if err != nil {
		return ""
	}
	return string(data)
}

// leaves lists all values below v that hold no others, by their path. A list is one value.
func leaves(v any) map[string]string {
	out := map[string]string{}
	var walk func(v any, at string)
	walk = func(v any, at string) {
		object, ok := v.(map[string]any)
		if !ok || len(object) == 0 {
			if at != "" && v != nil {
				data, err := json.Marshal(v)
				if err != nil {
					data = []byte(fmt.Sprint(v))
				}
				out[at] = string(data)
			}
			return
		}
		for key, inner := range object {
			walk(inner, strings.TrimPrefix(at+"."+key, "."))
		}
	}
	walk(v, "")
	return out
}
