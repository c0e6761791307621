package proto

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// messages compares messages of the same full name.
func (c *comparison) messages() {
	for _, o := range sorted(c.old.messages) {
		if n, ok := c.new.messages[o.FullName()]; ok && n != o {
			c.message(o, n)
		}
	}
}

func (c *comparison) message(o, n protoreflect.MessageDescriptor) {
	was, is := optionsOf[*descriptorpb.MessageOptions](o), optionsOf[*descriptorpb.MessageOptions](n)
	if !was.GetNoStandardDescriptorAccessor() && is.GetNoStandardDescriptorAccessor() {
		old, new := c.places(o, n, optionNode("no_standard_descriptor_accessor"))
		c.report(change{rule: "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR", subject: subjectOf(o), path: "option no_standard_descriptor_accessor",
			old: old, new: new, flow: c.flows.of(o), text: "option no_standard_descriptor_accessor was set"})
	}
	c.jsonFormat("MESSAGE_SAME_JSON_FORMAT", o, n, c.flows.of(o))
	c.reserved(o, n, "RESERVED_MESSAGE_NO_DELETE", fieldRanges(o.ReservedRanges()), fieldRanges(n.ReservedRanges()), o.ReservedNames(), n.ReservedNames())
	c.extensionRanges(o, n)
	c.required(o, n)
	for i := range o.Oneofs().Len() {
		oneof := o.Oneofs().Get(i)
		if kept := n.Oneofs().ByName(oneof.Name()); !oneof.IsSynthetic() && (kept == nil || kept.IsSynthetic()) {
			c.report(change{rule: "ONEOF_NO_DELETE", subject: subjectOf(oneof), old: c.old.at(oneof, nil), new: c.new.at(n, nil), flow: c.flows.of(o),
				text: fmt.Sprintf("oneof %s is gone from message %s", oneof.Name(), o.FullName())})
		}
	}
	for i := range o.Fields().Len() {
		field := o.Fields().Get(i)
		if kept := n.Fields().ByNumber(field.Number()); kept != nil {
			c.field(field, kept)
		} else {
			c.fieldGone(field, n)
		}
	}
}

func (c *comparison) fieldGone(f protoreflect.FieldDescriptor, n protoreflect.MessageDescriptor) {
	if other := n.Fields().ByName(f.Name()); other != nil && c.flows.only != "" {
		c.renumbered(f, other)
		return
	}
	gone := fmt.Sprintf("field %s = %d is gone from message %s", f.Name(), f.Number(), n.FullName())
	ch := change{rule: "FIELD_NO_DELETE", subject: subjectOf(f), old: c.old.at(f, nil), new: c.new.at(n, nil), flow: c.flows.of(n), text: gone,
		try:     fmt.Sprintf("keep it, deprecated, or reserve %d and %q when nobody sends it any more", f.Number(), f.Name()),
		witness: func(enc []string) *contract.Witness { return c.goneWitness(f, n, enc) }}
	c.report(ch)
	ch.quiet = quiet{contract.Risk, ""} // readers of the old version see the default, and the number may be used again
	if !n.ReservedRanges().Has(f.Number()) {
		ch.rule, ch.path, ch.text = "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "number", fmt.Sprintf("%s, and %d is not reserved", gone, f.Number())
		c.report(ch)
	}
	if !n.ReservedNames().Has(f.Name()) {
		ch.quiet = quiet{contract.Change, "its name is in no message that is written"}
		ch.rule, ch.path, ch.text = "FIELD_NO_DELETE_UNLESS_NAME_RESERVED", "name", fmt.Sprintf("%s, and %q is not reserved", gone, f.Name())
		c.report(ch)
	}
}

// required compares which fields are required: numbers, whatever became of the field.
func (c *comparison) required(o, n protoreflect.MessageDescriptor) {
	for _, number := range union(o.RequiredNumbers(), n.RequiredNumbers()) {
		was, is := o.RequiredNumbers().Has(number), n.RequiredNumbers().Has(number)
		if was == is {
			continue
		}
		field, what, new := n.Fields().ByNumber(number), "is required now", c.new.at(n, nil)
		if is {
			new = c.new.at(field, nil)
		} else {
			field, what = o.Fields().ByNumber(number), "is required no more"
		}
		c.report(change{rule: "MESSAGE_SAME_REQUIRED_FIELDS", subject: subjectOf(field), path: "required", flow: c.flows.of(o),
			old: c.old.at(o, nil), new: new,
			text: fmt.Sprintf("field %s = %d of message %s %s", field.Name(), number, o.FullName(), what), try: "make it optional, and check for it in code",
			quiet:   quiet{contract.Change, "whoever writes requires the field, so that it is always there"},
			witness: func(enc []string) *contract.Witness { return c.requiredWitness(o, n, number, enc) }})
	}
}

func union(a, b protoreflect.FieldNumbers) []protoreflect.FieldNumber {
	var all []protoreflect.FieldNumber
	for _, set := range []protoreflect.FieldNumbers{a, b} {
		for i := range set.Len() {
			all = append(all, set.Get(i))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A span is a range of numbers, both ends included.
type span struct{ from, to int64 }

func (s span) String() string {
	if s.from == s.to {
		return fmt.Sprint(s.from)
	}
	return fmt.Sprintf("%d to %d", s.from, s.to)
}

func fieldRanges(r protoreflect.FieldRanges) []span {
	var spans []span
	for i := range r.Len() {
		spans = append(spans, span{int64(r.Get(i)[0]), int64(r.Get(i)[1]) - 1})
	}
	return spans
}

func enumRanges(e protoreflect.EnumDescriptor) []span {
	var spans []span
	for i := range e.ReservedRanges().Len() {
		spans = append(spans, span{int64(e.ReservedRanges().Get(i)[0]), int64(e.ReservedRanges().Get(i)[1])})
	}
	return spans
}

func ordered(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return spans
}

// missing returns what of s no other span covers. The others are ordered.
func missing(s span, others []span) []span {
	var left []span
	for _, other := range others {
		if other.to < s.from || other.from > s.to {
			continue
		}
		if other.from > s.from {
			left = append(left, span{s.from, other.from - 1})
		}
		if s.from = other.to + 1; s.from > s.to {
			return left
		}
	}
	return append(left, s)
}

// reserved compares what is reserved, of a message or an enum.
func (c *comparison) reserved(o, n protoreflect.Descriptor, rule string, was, is []span, oldNames, newNames protoreflect.Names) {
	old, new := c.places(o, n, nil)
	is = ordered(is)
	for _, s := range was {
		if left := missing(s, is); len(left) > 0 {
			c.report(change{rule: rule, subject: subjectOf(o), path: "reserved " + s.String(), old: old, new: new, flow: c.flows.of(o), quiet: quiet{contract.Risk, ""},
				text: fmt.Sprintf("of the reserved numbers %s, %s may be used again", s, list(left)), try: "reserve them again: someone may still send what they stood for"})
		}
	}
	for i := range oldNames.Len() {
		if name := oldNames.Get(i); !newNames.Has(name) {
			c.report(change{rule: rule, subject: subjectOf(o), path: fmt.Sprintf("reserved %q", name), old: old, new: new, flow: c.flows.of(o), quiet: quiet{contract.Risk, ""},
				text: fmt.Sprintf("the reserved name %q may be used again", name), try: "reserve it again: someone may still send what it stood for"})
		}
	}
}

func list(spans []span) string {
	text := ""
	for i, s := range spans {
		if i > 0 {
			text += ", "
		}
		if s.to == math.MaxInt32 || s.to == 1<<29-1 {
			text += fmt.Sprintf("%d to max", s.from)
			continue
		}
		text += s.String()
	}
	return text
}

func (c *comparison) extensionRanges(o, n protoreflect.MessageDescriptor) {
	is := ordered(fieldRanges(n.ExtensionRanges()))
	for _, s := range fieldRanges(o.ExtensionRanges()) {
		if left := missing(s, is); len(left) > 0 {
			old, new := c.places(o, n, nil)
			c.report(change{rule: "EXTENSION_MESSAGE_NO_DELETE", subject: subjectOf(o), path: "extensions " + s.String(), old: old, new: new, flow: c.flows.of(o),
				text: fmt.Sprintf("of the numbers for extensions %s, %s are gone from message %s", list([]span{s}), list(left), o.FullName())})
		}
	}
}
