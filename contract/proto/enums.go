package proto

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// enums compares enums of the same full name.
func (c *comparison) enums() {
	for _, o := range sorted(c.old.enums) {
		if n, ok := c.new.enums[o.FullName()]; ok && n != o {
			c.enum(o, n)
		}
	}
}

func (c *comparison) enum(o, n protoreflect.EnumDescriptor) {
	flow := c.flows.of(o)
	if o.IsClosed() != n.IsClosed() {
		old, new := c.places(o, n, optionNode("features.enum_type", "features"))
		c.report(change{rule: "ENUM_SAME_TYPE", subject: subjectOf(o), path: "type", old: old, new: new, flow: flow,
			text: fmt.Sprintf("enum %s was %s and is %s", o.FullName(), openness(o), openness(n))})
	}
	c.jsonFormat("ENUM_SAME_JSON_FORMAT", o, n, flow)
	c.reserved(o, n, "RESERVED_ENUM_NO_DELETE", enumRanges(o), enumRanges(n), o.ReservedNames(), n.ReservedNames())
	was, is := byNumber(o), byNumber(n)
	for _, number := range sortedKeys(was) {
		if len(is[number]) == 0 {
			c.valueGone(o, n, was[number])
		} else {
			c.valueNames(o, n, was[number], is[number])
		}
	}
}

func openness(e protoreflect.EnumDescriptor) string {
	if e.IsClosed() {
		return "closed"
	}
	return "open"
}

// byNumber returns the values by number: aliases share one.
func byNumber(e protoreflect.EnumDescriptor) map[protoreflect.EnumNumber][]protoreflect.EnumValueDescriptor {
	m := map[protoreflect.EnumNumber][]protoreflect.EnumValueDescriptor{}
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		m[v.Number()] = append(m[v.Number()], v)
	}
	return m
}

func namesOf(values []protoreflect.EnumValueDescriptor) []string {
	var names []string
	for _, v := range values {
		names = append(names, string(v.Name()))
	}
	slices.Sort(names)
	return names
}

func (c *comparison) valueGone(o, n protoreflect.EnumDescriptor, values []protoreflect.EnumValueDescriptor) {
	number, names := values[0].Number(), namesOf(values)
	ch := change{subject: subjectOf(values[0]), old: c.old.at(values[0], nil), new: c.new.at(n, nil), flow: c.flows.of(o),
		try:     fmt.Sprintf("keep %s, deprecated, or reserve number and name when nobody sends it any more", names[0]),
		witness: func(enc []string) *contract.Witness { return c.enumWitness(o, number, enc) }}
	ch.rule, ch.text = "ENUM_VALUE_NO_DELETE", fmt.Sprintf("%s = %d is gone from enum %s", strings.Join(names, ", "), number, o.FullName())
	gone := ch.text
	ch.quiet = quiet{contract.Change, "nobody writes the value"}
	c.report(ch)
	ch.quiet = quiet{contract.Risk, ""} // the number may be used again
	if !n.ReservedRanges().Has(number) {
		ch.rule, ch.path, ch.text = "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED", "number", fmt.Sprintf("%s, and %d is not reserved", gone, number)
		c.report(ch)
	}
	free := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return n.ReservedNames().Has(protoreflect.Name(name)) })
	if len(free) > 0 {
		ch.quiet = quiet{contract.Change, "nobody writes its name"}
		ch.rule, ch.path, ch.text = "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED", "name", fmt.Sprintf("%s, and %s is not reserved", gone, strings.Join(free, ", "))
		c.report(ch)
	}
}

// valueNames holds the names of one number together: another name beside the old ones harms nobody.
func (c *comparison) valueNames(o, n protoreflect.EnumDescriptor, old, new []protoreflect.EnumValueDescriptor) {
	was, is := namesOf(old), namesOf(new)
	if !slices.ContainsFunc(was, func(name string) bool { return !slices.Contains(is, name) }) {
		return
	}
	for i, v := range new {
		path := "name"
		if i > 0 {
			path += " " + string(v.Name())
		}
		c.report(change{rule: "ENUM_VALUE_SAME_NAME", subject: subjectOf(v), path: path, old: c.old.at(old[0], numberNode), new: c.new.at(v, numberNode),
			flow: c.flows.of(o), text: fmt.Sprintf("value %d of enum %s was %s and is %s", v.Number(), o.FullName(), strings.Join(was, ", "), strings.Join(is, ", ")),
			try:   "keep the old name, or make it an alias (allow_alias)",
			quiet: c.quietName(),
			witness: func(enc []string) *contract.Witness {
				if w := c.enumWitness(o, v.Number(), enc); w != nil {
					return w
				}
				return c.nameWitness(o, n)
			}})
	}
}
