package proto

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// note takes down a change that is no rule of buf's.
func (c *comparison) note(severity contract.Severity, rule string, ch change) {
	f := contract.Finding{Rule: rule, Kind: contract.Proto, Severity: severity, Flow: ch.flow, Contract: c.contract,
		Subject: ch.subject, Path: ch.path, Text: ch.text, Try: ch.try, Old: ch.old, New: ch.new}
	if ch.witness != nil {
		f.Witness = ch.witness([]string{"json", "hex"})
	}
	c.findings = append(c.findings, f)
	c.touched[f.Subject] = true
}

// added lists what is new, outermost first: what is in a new message is new with it.
func (c *comparison) added() {
	for _, file := range sorted(c.new.files) {
		if o := c.old.files[file.Path()]; o == file {
			continue
		} else if o == nil && slices.Contains(c.new.version.main, file.Path()) {
			c.isNew("file-added", file, c.new.at(file, nil))
		}
		walk(file, c.addedIn)
	}
}

// isNew notes something that was not there. old is where the new one's surroundings stood.
func (c *comparison) isNew(rule string, d protoreflect.Descriptor, at contract.Place) {
	flow := contract.Flow("")
	switch d.(type) {
	case protoreflect.MessageDescriptor, protoreflect.EnumDescriptor, protoreflect.FieldDescriptor:
		flow = c.flows.of(d)
	case protoreflect.ServiceDescriptor, protoreflect.MethodDescriptor:
		flow = contract.ToUs
	}
	c.note(contract.Change, rule, change{subject: subjectOf(d), new: at, flow: flow, text: wordsOf(d) + " is new"})
}

func wordsOf(d protoreflect.Descriptor) string {
	switch d := d.(type) {
	case protoreflect.FieldDescriptor:
		if !d.IsExtension() {
			return fmt.Sprintf("field %s = %d of message %s", d.Name(), d.Number(), d.ContainingMessage().FullName())
		}
	case protoreflect.EnumValueDescriptor:
		return fmt.Sprintf("value %s = %d of enum %s", d.Name(), d.Number(), d.Parent().FullName())
	case protoreflect.MethodDescriptor:
		return "method " + subjectOf(d)
	}
	return subjectOf(d)
}

func (c *comparison) addedIn(d protoreflect.Descriptor) {
	switch d := d.(type) {
	case protoreflect.MessageDescriptor:
		if o, ok := c.old.messages[d.FullName()]; ok {
			c.addedFields(o, d)
			return
		}
		c.addedType("message-added", d, d.IsMapEntry())
	case protoreflect.EnumDescriptor:
		if o, ok := c.old.enums[d.FullName()]; ok {
			c.addedValues(o, d)
			return
		}
		c.addedType("enum-added", d, false)
	case protoreflect.ServiceDescriptor:
		o, ok := c.old.services[d.FullName()]
		if !ok {
			c.isNew("service-added", d, c.new.at(d, nil))
			return
		}
		for i := range d.Methods().Len() {
			if m := d.Methods().Get(i); o.Methods().ByName(m.Name()) == nil {
				c.isNew("rpc-added", m, c.new.at(m, nil))
			}
		}
	case protoreflect.FieldDescriptor:
		if _, ok := c.old.extensions[extKey{d.ContainingMessage().FullName(), d.Number()}]; !ok {
			c.isNew("extension-added", d, c.new.at(d, nil))
		}
	}
}

// addedType notes a new type, unless it is within another new one, or stands for a map.
func (c *comparison) addedType(rule string, d protoreflect.Descriptor, mapEntry bool) {
	if parent, ok := d.Parent().(protoreflect.MessageDescriptor); ok && c.old.messages[parent.FullName()] == nil || mapEntry {
		return
	}
	c.isNew(rule, d, c.new.at(d, nil))
}

func (c *comparison) addedFields(o, n protoreflect.MessageDescriptor) {
	for i := range n.Oneofs().Len() {
		if oneof := n.Oneofs().Get(i); !oneof.IsSynthetic() && o.Oneofs().ByName(oneof.Name()) == nil {
			c.isNew("oneof-added", oneof, c.new.at(oneof, nil))
		}
	}
	for i := range n.Fields().Len() {
		// A required field has its own rule.
		if f := n.Fields().Get(i); o.Fields().ByNumber(f.Number()) == nil && (c.json || !c.touched[subjectOf(f)] || f.Cardinality() != protoreflect.Required) {
			c.newField(o, f)
		}
	}
}

// addedValues notes new values. Who reads a closed enum sets aside a number that it does not know, and sees the default.
func (c *comparison) addedValues(o, n protoreflect.EnumDescriptor) {
	was, is := byNumber(o), byNumber(n)
	for _, number := range sortedKeys(is) {
		for _, v := range is[number] {
			switch {
			case len(was[number]) > 0: // an alias, or a renamed value, which has its own rule
				if o.Values().ByName(v.Name()) == nil && !c.touched[subjectOf(v)] {
					c.isNew("enum-alias-added", v, c.new.at(v, nil))
				}
			case c.flows.only == contract.FromUs:
				c.newValue(o, v)
			case o.IsClosed() && c.flows.of(o) != contract.ToUs:
				c.note(contract.Risk, "closed-enum-value-added", change{subject: subjectOf(v), old: c.old.at(o, nil), new: c.new.at(v, nil), flow: c.flows.of(o),
					text:    wordsOf(v) + " is new, and the enum is closed: readers of the old version set it aside and see the default",
					try:     "send it only when all readers know it",
					witness: func(enc []string) *contract.Witness { return c.enumWitness(o, number, enc) }})
			default:
				c.isNew("enum-value-added", v, c.new.at(v, nil))
			}
		}
	}
}
