package proto

import (
	"fmt"
	"slices"

	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

// same proves what did not change, and notes what changed in a way that no rule speaks of: options of one's own,
// deprecation, what is reserved. After it each element has a finding or a proof.
func (c *comparison) same() {
	for _, n := range sorted(c.new.files) {
		o := c.old.files[n.Path()]
		if o == nil {
			continue
		}
		if o == n || proto.Equal(protoutil.ProtoFromFileDescriptor(o), protoutil.ProtoFromFileDescriptor(n)) {
			c.prove(fileSubject(n.Path()))
			continue
		}
		if !c.touched[fileSubject(n.Path())] && !proto.Equal(fileShell(o), fileShell(n)) {
			c.other("file-options-changed", o, n, "options or imports of the file changed")
		}
		c.sameIn(n)
	}
}

func (c *comparison) prove(subject string) {
	c.proofs = append(c.proofs, contract.Proof{Contract: c.contract, Subject: subject, By: "same"})
}

// other notes a change that no rule speaks of.
func (c *comparison) other(rule string, o, n protoreflect.Descriptor, text string) {
	old, new := c.places(o, n, nil)
	c.note(contract.Change, rule, change{subject: subjectOf(n), old: old, new: new, text: text + ", which no rule speaks of"})
}

// sameIn proves or notes the elements of a file that changed.
func (c *comparison) sameIn(file linker.File) {
	touched := c.touchedParents()
	walk(file, func(d protoreflect.Descriptor) {
		before := len(c.findings)
		switch n := d.(type) {
		case protoreflect.MessageDescriptor:
			o, ok := c.old.messages[n.FullName()]
			if !ok || n.IsMapEntry() {
				return
			}
			c.otherInMessage(o, n)
		case protoreflect.EnumDescriptor:
			o, ok := c.old.enums[n.FullName()]
			if !ok {
				return
			}
			c.otherInEnum(o, n)
		case protoreflect.ServiceDescriptor:
			o, ok := c.old.services[n.FullName()]
			if !ok {
				return
			}
			c.otherInService(o, n)
		default:
			c.otherInExtension(n.(protoreflect.FieldDescriptor))
			return
		}
		if before == len(c.findings) && !touched[subjectOf(d)] {
			c.prove(subjectOf(d))
		}
	})
}

// touchedParents returns the messages, enums and services that something was found in.
func (c *comparison) touchedParents() map[string]bool {
	touched := map[string]bool{}
	for _, f := range c.findings {
		for i, r := range f.Subject {
			if r == '/' {
				touched["service "+f.Subject[:i]] = true
			}
			if r == ' ' {
				touched[f.Subject[:i]] = true
			}
		}
		touched[f.Subject] = true
	}
	return touched
}

func (c *comparison) otherInMessage(o, n protoreflect.MessageDescriptor) {
	for i := range n.Fields().Len() {
		f := n.Fields().Get(i)
		if was := o.Fields().ByNumber(f.Number()); was != nil && !c.touched[subjectOf(f)] && !proto.Equal(fieldShell(was), fieldShell(f)) {
			c.other("field-options-changed", was, f, fmt.Sprintf("options of field %s = %d changed", f.Name(), f.Number()))
		}
	}
	if !c.touched[subjectOf(n)] && !proto.Equal(messageShell(o), messageShell(n)) {
		c.other("message-options-changed", o, n, "options of the message changed, or what it reserves")
	}
}

func (c *comparison) otherInEnum(o, n protoreflect.EnumDescriptor) {
	was, is := enumShell(o), enumShell(n)
	if !c.touched[subjectOf(n)] && !proto.Equal(was, is) {
		c.other("enum-options-changed", o, n, "options of the enum changed, or what it reserves")
	}
	for i := range n.Values().Len() {
		v := n.Values().Get(i)
		kept := o.Values().ByName(v.Name())
		if kept != nil && !c.touched[subjectOf(v)] && !proto.Equal(kept.Options(), v.Options()) {
			c.other("enum-value-options-changed", kept, v, fmt.Sprintf("options of value %s = %d changed", v.Name(), v.Number()))
		}
	}
}

func (c *comparison) otherInService(o, n protoreflect.ServiceDescriptor) {
	if !proto.Equal(o.Options(), n.Options()) {
		c.other("service-options-changed", o, n, "options of the service changed")
	}
	for i := range n.Methods().Len() {
		m := n.Methods().Get(i)
		if kept := o.Methods().ByName(m.Name()); kept != nil && !c.touched[subjectOf(m)] && !proto.Equal(kept.Options(), m.Options()) {
			c.other("rpc-options-changed", kept, m, "options of the method changed")
		}
	}
}

func (c *comparison) otherInExtension(n protoreflect.FieldDescriptor) {
	o, ok := c.old.extensions[extKey{n.ContainingMessage().FullName(), n.Number()}]
	switch {
	case !ok || c.touched[subjectOf(n)] || c.touched[subjectOf(o)]:
	case proto.Equal(fieldShell(o), fieldShell(n)):
		c.prove(subjectOf(n))
	default:
		c.other("field-options-changed", o, n, "options of the extension changed")
	}
}

// The shells are what an element says besides what it holds.

func fileShell(d protoreflect.FileDescriptor) proto.Message {
	f := protoutil.ProtoFromFileDescriptor(d)
	return &descriptorpb.FileDescriptorProto{Options: f.Options, Dependency: sortedStrings(f.Dependency)}
}

func fieldShell(d protoreflect.FieldDescriptor) proto.Message {
	f := protoutil.ProtoFromFieldDescriptor(d)
	return &descriptorpb.FieldDescriptorProto{Options: f.Options}
}

func messageShell(d protoreflect.MessageDescriptor) proto.Message {
	m := protoutil.ProtoFromMessageDescriptor(d)
	return &descriptorpb.DescriptorProto{Options: m.Options, ExtensionRange: m.ExtensionRange, ReservedRange: m.ReservedRange, ReservedName: sortedStrings(m.ReservedName)}
}

func enumShell(d protoreflect.EnumDescriptor) proto.Message {
	e := protoutil.ProtoFromEnumDescriptor(d)
	return &descriptorpb.EnumDescriptorProto{Options: e.Options, ReservedRange: e.ReservedRange, ReservedName: sortedStrings(e.ReservedName)}
}

func sortedStrings(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}
