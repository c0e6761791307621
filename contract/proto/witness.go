package proto

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/assay-dev/assay/contract"
)

// A direction is who writes and who reads.
type direction struct {
	from, to string // "old", "new"
}

// directions lists who writes what the other reads, by the flow.
func directions(flow contract.Flow) []direction {
	oldToNew, newToOld := direction{"old", "new"}, direction{"new", "old"}
	switch flow {
	case contract.ToUs:
		return []direction{oldToNew}
	case contract.FromUs:
		return []direction{newToOld}
	}
	return []direction{oldToNew, newToOld}
}

// A trial is a message that one version writes and the other reads, and what of it is held against what was written.
type trial struct {
	direction
	flow           contract.Flow
	writer, reader protoreflect.MessageDescriptor
	build          func(protoreflect.Message, *builder) bool // says whether there is such a message
	watch          []protoreflect.FieldNumber
	bare           bool // that the reader refuses what lacks the fields is what is looked for
}

// try returns a witness if the reader refuses or misreads the message.
func (c *comparison) try(t trial, encodings []string) *contract.Witness {
	b := &builder{left: maxSet}
	message := dynamicpb.NewMessage(t.writer)
	b.fillRequired(message, 0)
	control := proto.Clone(message)
	if !t.build(message, b) {
		return nil
	}
	for _, encoding := range encodings {
		document, err := encode(message, encoding)
		if err != nil || len(document) == 0 && encoding == "hex" { // no bytes are hard to show; JSON has {}
			continue
		}
		c.documents++
		if !t.bare && t.misread(control, nil, encoding) != "" {
			continue // it is refused whatever the field says: the reason is another finding's
		}
		reason := t.misread(message, t.watch, encoding)
		if reason == "" {
			continue
		}
		return t.shown(message, document, encoding, reason)
	}
	return nil
}

func whatOf(flow contract.Flow) string {
	switch flow {
	case contract.ToUs:
		return "request"
	case contract.FromUs:
		return "response"
	}
	return "event"
}

// encode writes a message. JSON is compacted: the library spaces it at random.
func encode(m proto.Message, encoding string) ([]byte, error) {
	if encoding == "hex" {
		return proto.MarshalOptions{Deterministic: true}.Marshal(m)
	}
	data, err := protojson.Marshal(m)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = json.Compact(&out, data)
	return out.Bytes(), err
}

// misread returns how the reader's message differs from what was written, "" if it does not.
func (t trial) misread(written proto.Message, watch []protoreflect.FieldNumber, encoding string) string {
	document, err := encode(written, encoding)
	if err != nil {
		return ""
	}
	read := dynamicpb.NewMessage(t.reader)
	if encoding == "hex" {
		err = proto.Unmarshal(document, read)
	} else {
		err = protojson.Unmarshal(document, read)
	}
	if err != nil {
		return strings.ReplaceAll(err.Error(), "\u00a0", " ") // which space the library takes differs from build to build
	}
	for _, number := range watch {
		if reason := lost(written.ProtoReflect(), read, number); reason != "" {
			return reason
		}
	}
	return ""
}

// lost returns what became of one field, "" if it says what was written.
func lost(written, read protoreflect.Message, number protoreflect.FieldNumber) string {
	from, to := written.Descriptor().Fields().ByNumber(number), read.Descriptor().Fields().ByNumber(number)
	switch {
	case from == nil:
		return ""
	case to == nil && written.Has(from):
		return fmt.Sprintf("field %d is unknown to it: %s is lost", number, show(from, written.Get(from)))
	case to == nil:
		return ""
	}
	was, is := show(from, written.Get(from)), show(to, read.Get(to))
	if was != is {
		return fmt.Sprintf("field %d was written as %s and is read as %s", number, was, is)
	}
	if to.Enum() != nil && !to.IsList() && to.Enum().Values().ByNumber(read.Get(to).Enum()) == nil {
		return fmt.Sprintf("field %d is read as %s, for which enum %s has no name", number, is, to.Enum().FullName())
	}
	return ""
}

// native returns the message as the library builds it from its files: it keeps to features that the compiler's own
// descriptors do not carry, such as whether strings are checked.
func (t *tree) native(m protoreflect.MessageDescriptor) protoreflect.MessageDescriptor {
	if m == nil {
		return nil
	}
	if d, err := t.natives.find(m); err == nil {
		return d
	}
	return m
}

// pairs calls try for each direction, with the messages of writer and reader.
func (c *comparison) each(o, n protoreflect.MessageDescriptor, flow contract.Flow, make func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness) *contract.Witness {
	o, n = c.old.native(o), c.new.native(n)
	for _, d := range directions(flow) {
		writer, reader := o, n
		if d.from == "new" {
			writer, reader = n, o
		}
		if writer == nil || reader == nil {
			continue
		}
		if w := make(d, writer, reader); w != nil {
			return w
		}
	}
	return nil
}

// fieldWitness looks for a message that tells two fields of one number apart.
func (c *comparison) fieldWitness(o, n protoreflect.FieldDescriptor, what string, encodings []string) *contract.Witness {
	if o.IsExtension() {
		return nil
	}
	flow, number := c.flows.of(o), o.Number()
	return c.each(c.old.messages[o.ContainingMessage().FullName()], c.new.messages[n.ContainingMessage().FullName()], flow,
		func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness {
			t := trial{direction: d, flow: flow, writer: writer, reader: reader, watch: []protoreflect.FieldNumber{number}}
			field := writer.Fields().ByNumber(number)
			if what == "default" || what == "cardinality" && c.flows.only == "" { // what it means to leave the field out, or whether one may
				left := t
				left.build, left.bare = func(m protoreflect.Message, _ *builder) bool { m.Clear(field); return true }, true
				if what == "cardinality" {
					left.watch = nil
				}
				if w := c.try(left, encodings); w != nil {
					return w
				}
			}
			if what == "default" {
				return nil
			}
			if what == "oneof" {
				return c.oneofWitness(t, field, encodings)
			}
			return c.tryValues(t, field, encodings)
		})
}

// tryValues tries each value of a field that tells.
func (c *comparison) tryValues(t trial, field protoreflect.FieldDescriptor, encodings []string) *contract.Witness {
	for _, encoding := range encodings {
		for i := range valuesOf(field) {
			t.build = func(m protoreflect.Message, b *builder) bool { return b.set(m, field, i) }
			if w := c.try(t, []string{encoding}); w != nil {
				return w
			}
		}
	}
	return nil
}

// oneofWitness sets the field together with one that the reader has in the same oneof: only the last survives.
func (c *comparison) oneofWitness(t trial, field protoreflect.FieldDescriptor, encodings []string) *contract.Witness {
	oneof := t.reader.Fields().ByNumber(field.Number()).ContainingOneof()
	if oneof == nil {
		return nil
	}
	for i := range oneof.Fields().Len() {
		other := t.writer.Fields().ByNumber(oneof.Fields().Get(i).Number())
		if other == nil || other.Number() == field.Number() || other.ContainingOneof() != nil && other.ContainingOneof() == field.ContainingOneof() {
			continue
		}
		t.watch = []protoreflect.FieldNumber{field.Number(), other.Number()}
		t.build = func(m protoreflect.Message, b *builder) bool { return b.set(m, field, 0) && b.set(m, other, 0) }
		if w := c.try(t, encodings); w != nil {
			return w
		}
	}
	return nil
}

// goneWitness writes a field that the new version does not know. What the new version writes harms nobody by lacking it.
func (c *comparison) goneWitness(f protoreflect.FieldDescriptor, n protoreflect.MessageDescriptor, encodings []string) *contract.Witness {
	flow := c.flows.of(n)
	if flow == contract.FromUs {
		return nil
	}
	writer, reader := c.old.native(c.old.messages[n.FullName()]), c.new.native(n)
	t := trial{direction: direction{"old", "new"}, flow: flow, writer: writer, reader: reader, watch: []protoreflect.FieldNumber{f.Number()},
		bare: f.Cardinality() == protoreflect.Required} // no message is without it
	return c.tryValues(t, writer.Fields().ByNumber(f.Number()), encodings)
}

// requiredWitness leaves out what one version requires.
func (c *comparison) requiredWitness(o, n protoreflect.MessageDescriptor, number protoreflect.FieldNumber, encodings []string) *contract.Witness {
	flow := c.flows.of(o)
	return c.each(o, n, flow, func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness {
		t := trial{direction: d, flow: flow, writer: writer, reader: reader, bare: true}
		t.build = func(m protoreflect.Message, b *builder) bool {
			// Something else that both know is written, so that there are bytes to show.
			for i := range writer.Fields().Len() {
				field := writer.Fields().Get(i)
				if other := reader.Fields().ByNumber(field.Number()); field.Number() != number && other != nil && other.Kind() == field.Kind() && field.Message() == nil {
					return b.set(m, field, 0)
				}
			}
			return true
		}
		if writer.RequiredNumbers().Has(number) {
			return nil
		}
		return c.try(t, encodings)
	})
}

// enumWitness writes a number in a field of the enum.
func (c *comparison) enumWitness(e protoreflect.EnumDescriptor, number protoreflect.EnumNumber, encodings []string) *contract.Witness {
	uses := c.old.users(e.FullName())
	for _, use := range uses[:min(len(uses), 16)] { // what one does not tell, the thousandth will not
		n := c.new.messages[use.ContainingMessage().FullName()]
		if n == nil || use.IsExtension() || n.Fields().ByNumber(use.Number()) == nil {
			continue
		}
		flow := c.flows.of(use)
		w := c.each(c.old.messages[n.FullName()], n, flow, func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness {
			t := trial{direction: d, flow: flow, writer: writer, reader: reader, watch: []protoreflect.FieldNumber{use.Number()}}
			t.build = func(m protoreflect.Message, _ *builder) bool {
				field := m.Descriptor().Fields().ByNumber(use.Number())
				return field.Enum() != nil && field.Enum().FullName() == e.FullName() && field.Enum().Values().ByNumber(number) != nil && setEnum(m, field, number)
			}
			return c.try(t, encodings)
		})
		if w != nil {
			return w
		}
	}
	return nil
}

// nameWitness is JSON with a name of the enum's that one version takes and the other does not: one that writers do not choose by
// themselves, because another has the same number, or because the default is left out.
func (c *comparison) nameWitness(o, n protoreflect.EnumDescriptor) *contract.Witness {
	for _, use := range c.old.users(o.FullName()) {
		is := c.new.messages[use.ContainingMessage().FullName()]
		if is == nil || use.IsExtension() || use.IsList() || is.Fields().ByNumber(use.Number()) == nil {
			continue
		}
		w := c.each(c.old.messages[is.FullName()], is, c.flows.of(use), func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness {
			names, others := o, n
			if d.from == "new" {
				names, others = n, o
			}
			t := trial{direction: d, flow: c.flows.of(use), writer: writer, reader: reader}
			for i := range names.Values().Len() {
				name := names.Values().Get(i).Name()
				document := fmt.Appendf(nil, "{%q:%q}", writer.Fields().ByNumber(use.Number()).JSONName(), name)
				c.documents++
				if others.Values().ByName(name) != nil || protojson.Unmarshal(document, dynamicpb.NewMessage(writer)) != nil {
					continue
				}
				if err := protojson.Unmarshal(document, dynamicpb.NewMessage(reader)); err != nil {
					return t.shown(nil, document, "json", strings.ReplaceAll(err.Error(), "\u00a0", " "))
				}
			}
			return nil
		})
		if w != nil {
			return w
		}
	}
	return nil
}

// typeWitness writes all fields of one message type and reads them as the other.
func (c *comparison) typeWitness(o, n protoreflect.MessageDescriptor, flow contract.Flow, encodings []string) *contract.Witness {
	if o.ParentFile().Path() == n.ParentFile().Path() && isBuiltIn(o.ParentFile().Path()) {
		return nil
	}
	return c.each(o, n, flow, func(d direction, writer, reader protoreflect.MessageDescriptor) *contract.Witness {
		for i := range writer.Fields().Len() {
			field := writer.Fields().Get(i)
			t := trial{direction: d, flow: flow, writer: writer, reader: reader, watch: []protoreflect.FieldNumber{field.Number()}, bare: true}
			if w := c.tryValues(t, field, encodings); w != nil {
				return w
			}
		}
		return nil
	})
}
