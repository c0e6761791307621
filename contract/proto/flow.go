package proto

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// flows says who writes a message: what requests are made of comes to us, what responses are made of is from us. What no
// method uses may be an event, or stored, and is both.
type flows struct {
	only         contract.Flow // where one direction is asked for, whatever methods say
	toUs, fromUs map[protoreflect.FullName]bool
	extensions   map[protoreflect.FullName][]protoreflect.FieldDescriptor // by what they extend
}

// newFlows follows the methods of both versions: what an old client sends may be of messages that only it reaches.
func newFlows(trees ...*tree) *flows {
	f := &flows{toUs: map[protoreflect.FullName]bool{}, fromUs: map[protoreflect.FullName]bool{}, extensions: map[protoreflect.FullName][]protoreflect.FieldDescriptor{}}
	for _, t := range trees {
		clear(f.extensions)
		for key, field := range t.extensions {
			f.extensions[key.extends] = append(f.extensions[key.extends], field)
		}
		// What the other version reached is walked again in this one: it may reach further.
		toUs, fromUs := map[protoreflect.FullName]bool{}, map[protoreflect.FullName]bool{}
		for _, service := range t.services {
			for i := range service.Methods().Len() {
				f.reach(service.Methods().Get(i).Input(), toUs)
				f.reach(service.Methods().Get(i).Output(), fromUs)
			}
		}
		for name := range toUs {
			f.toUs[name] = true
		}
		for name := range fromUs {
			f.fromUs[name] = true
		}
	}
	return f
}

func (f *flows) reach(message protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) {
	for next := []protoreflect.MessageDescriptor{message}; len(next) > 0; {
		message, next = next[len(next)-1], next[:len(next)-1]
		if seen[message.FullName()] {
			continue
		}
		seen[message.FullName()] = true
		visit := func(field protoreflect.FieldDescriptor) {
			switch {
			case field.Message() != nil:
				next = append(next, field.Message())
			case field.Enum() != nil:
				seen[field.Enum().FullName()] = true
			}
		}
		for i := range message.Fields().Len() {
			visit(message.Fields().Get(i))
		}
		for _, field := range f.extensions[message.FullName()] {
			visit(field)
		}
	}
}

// of returns the flow of a message or enum, or of what belongs to one.
func (f *flows) of(d protoreflect.Descriptor) contract.Flow {
	if f.only != "" {
		return f.only
	}
	if field, ok := d.(protoreflect.FieldDescriptor); ok {
		d = field.ContainingMessage()
	}
	switch toUs, fromUs := f.toUs[d.FullName()], f.fromUs[d.FullName()]; {
	case toUs && !fromUs:
		return contract.ToUs
	case fromUs && !toUs:
		return contract.FromUs
	}
	return contract.Both
}

// or returns the direction that is asked for, or where none is, that of a call.
func (f *flows) or(call contract.Flow) contract.Flow {
	if f.only != "" {
		return f.only
	}
	return call
}

// called says whether a method uses the message or enum.
func (f *flows) called(d protoreflect.Descriptor) bool {
	return f.toUs[d.FullName()] || f.fromUs[d.FullName()]
}
