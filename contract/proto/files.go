package proto

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

// sorted returns a map's values in the order of their keys.
func sorted[K cmp.Ordered, V any](m map[K]V) []V {
	values := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[key])
	}
	return values
}

func fileSubject(name string) string { return "file " + name }

// files compares files of the same name.
func (c *comparison) files() {
	for _, o := range sorted(c.old.files) {
		n, ok := c.new.files[o.Path()]
		switch {
		case !ok && !slices.Contains(c.old.version.main, o.Path()): // an import that nobody needs any more
		case !ok:
			c.report(change{rule: "FILE_NO_DELETE", subject: fileSubject(o.Path()), text: fmt.Sprintf("file %s is gone", o.Path()), old: c.old.at(o, nil)})
			if c.lenient { // buf leaves it at that; but its services are gone for those who call them
				c.gone(o, nil)
			}
		case o != n:
			c.file(o, n)
		}
	}
}

func (c *comparison) file(o, n linker.File) {
	c.fileOptions(o, n)
	if was, is := syntaxOf(o), syntaxOf(n); was != is {
		old, new := c.places(o, n, syntaxNode)
		c.report(change{rule: "FILE_SAME_SYNTAX", subject: fileSubject(o.Path()), path: "syntax", old: old, new: new,
			text: fmt.Sprintf("the syntax was %s and is %s", was, is)})
	}
	if was, is := o.Package(), n.Package(); was != is {
		old, new := c.places(o, n, packageNode)
		c.report(change{rule: "FILE_SAME_PACKAGE", subject: fileSubject(o.Path()), path: "package", old: old, new: new, flow: contract.Both,
			text: fmt.Sprintf("the package was %q and is %q", was, is), try: "add the new package beside the old one, and keep both until nobody uses the old",
			witness: func([]string) *contract.Witness { return c.packageWitness(o) }})
	}
	c.gone(o, n)
}

// syntaxOf names the syntax. All editions are one to buf.
func syntaxOf(file protoreflect.FileDescriptor) string {
	switch file.Syntax() {
	case protoreflect.Proto3:
		return "proto3"
	case protoreflect.Editions:
		return "editions"
	}
	return "proto2"
}

// fileOptions compares the options that have a rule of their own: it is named after the option.
func (c *comparison) fileOptions(o, n linker.File) {
	old, new := optionsOf[*descriptorpb.FileOptions](o), optionsOf[*descriptorpb.FileOptions](n)
	for _, row := range [][2]string{
		{"cc_enable_arenas", "FILE_SAME_CC_ENABLE_ARENAS"}, {"cc_generic_services", "FILE_SAME_CC_GENERIC_SERVICES"},
		{"csharp_namespace", "FILE_SAME_CSHARP_NAMESPACE"}, {"go_package", "FILE_SAME_GO_PACKAGE"},
		{"java_generic_services", "FILE_SAME_JAVA_GENERIC_SERVICES"}, {"java_multiple_files", "FILE_SAME_JAVA_MULTIPLE_FILES"},
		{"java_outer_classname", "FILE_SAME_JAVA_OUTER_CLASSNAME"}, {"java_package", "FILE_SAME_JAVA_PACKAGE"},
		{"objc_class_prefix", "FILE_SAME_OBJC_CLASS_PREFIX"}, {"optimize_for", "FILE_SAME_OPTIMIZE_FOR"},
		{"php_class_prefix", "FILE_SAME_PHP_CLASS_PREFIX"}, {"php_metadata_namespace", "FILE_SAME_PHP_METADATA_NAMESPACE"},
		{"php_namespace", "FILE_SAME_PHP_NAMESPACE"}, {"py_generic_services", "FILE_SAME_PY_GENERIC_SERVICES"},
		{"ruby_package", "FILE_SAME_RUBY_PACKAGE"}, {"swift_prefix", "FILE_SAME_SWIFT_PREFIX"},
	} {
		field := old.ProtoReflect().Descriptor().Fields().ByName(protoreflect.Name(row[0]))
		was, is := old.ProtoReflect().Get(field), new.ProtoReflect().Get(field)
		if was.Equal(is) {
			continue
		}
		op, np := c.places(o, n, optionNode(row[0]))
		c.report(change{rule: row[1], subject: fileSubject(o.Path()), path: "option " + row[0], old: op, new: np,
			text: fmt.Sprintf("option %s was %s and is %s", row[0], optionText(field, was), optionText(field, is))})
	}
}

func optionText(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.EnumKind:
		return string(field.Enum().Values().ByNumber(v.Enum()).Name())
	case protoreflect.StringKind:
		return fmt.Sprintf("%q", v.String())
	}
	return v.String()
}

// optionsOf returns a descriptor's options, never nil.
func optionsOf[O proto.Message](d protoreflect.Descriptor) O {
	options, _ := d.Options().(O)
	return options
}

// gone reports what a file declared and the new file does not. n is nil where the file itself is gone.
func (c *comparison) gone(o, n linker.File) {
	was, is := declares(o), newDeclared()
	if n != nil {
		is = declares(n)
	}
	for _, d := range was.order {
		if _, kept := is.of(d)[nested(d)]; kept {
			continue
		}
		ch := change{subject: subjectOf(d), text: fmt.Sprintf("%s is gone from %s", subjectOf(d), o.Path()),
			old: c.old.at(d, nil), new: c.new.at(nearest(d, n, is), nil), flow: c.flows.of(d)}
		if kept, elsewhere := c.new.find(d); elsewhere {
			ch.text = fmt.Sprintf("%s moved from %s to %s", subjectOf(d), o.Path(), kept.ParentFile().Path())
		}
		switch d := d.(type) {
		case protoreflect.MessageDescriptor:
			ch.rule = "MESSAGE_NO_DELETE"
			if c.flows.only != "" {
				c.rootGone(d, ch)
				continue
			}
			if _, elsewhere := c.new.find(d); !elsewhere && c.lenient && d.Parent() == protoreflect.Descriptor(o) && !c.flows.called(d) {
				// No method uses it, and so it may be an event or stored: nothing in these files says that nobody reads it.
				ch.held = contract.Risk
			}
		case protoreflect.EnumDescriptor:
			ch.rule = "ENUM_NO_DELETE"
		case protoreflect.ServiceDescriptor:
			if _, moved := c.new.services[d.FullName()]; moved && c.lenient {
				c.note(contract.Change, "service-moved", ch)
				continue
			}
			ch.rule, ch.flow = "SERVICE_NO_DELETE", contract.ToUs
			ch.quiet = quiet{contract.Change, "those who know the new version do not call it"}
			ch.witness = func([]string) *contract.Witness { return c.serviceWitness(d) }
			ch.try = "deprecate it, and remove it when nobody calls it any more"
		default:
			ch.rule = "EXTENSION_NO_DELETE"
			field := d.(protoreflect.FieldDescriptor)
			if c.new.extensions[extKey{field.ContainingMessage().FullName(), field.Number()}] == nil && c.lenient && c.flows.of(field) != contract.FromUs {
				ch.held = contract.Risk // what was written of it is lost, as with a field
			}
		}
		c.report(ch)
	}
}

// find returns what the tree has under the same full name, in any file.
func (t *tree) find(d protoreflect.Descriptor) (protoreflect.Descriptor, bool) {
	in := t.packages[d.ParentFile().Package()]
	if in == nil {
		return nil, false
	}
	found, ok := in.of(d)[nested(d)]
	return found, ok
}

// nearest returns the innermost message around d that is still there, or the file.
func nearest(d protoreflect.Descriptor, file linker.File, is declared) protoreflect.Descriptor {
	for parent := d.Parent(); parent != nil; parent = parent.Parent() {
		if _, ok := parent.(protoreflect.MessageDescriptor); !ok {
			break
		}
		if kept, ok := is.messages[nested(parent)]; ok {
			return kept
		}
	}
	if file == nil {
		return nil
	}
	return file
}

// packages compares packages of the same name.
func (c *comparison) packages() {
	for _, name := range slices.Sorted(maps.Keys(c.old.packages)) {
		was, is := c.old.packages[name], c.new.packages[name]
		if is == nil {
			c.report(change{rule: "PACKAGE_NO_DELETE", subject: fmt.Sprintf("package %s", name), text: fmt.Sprintf("package %q is gone", name), old: c.old.at(was.files[0], packageNode)})
			continue
		}
		for _, d := range was.order {
			if _, kept := is.of(d)[nested(d)]; !kept {
				c.goneFromPackage(d)
			}
		}
	}
}

func (c *comparison) goneFromPackage(d protoreflect.Descriptor) {
	ch := change{subject: subjectOf(d), path: "package", text: fmt.Sprintf("%s is gone from package %q", subjectOf(d), d.ParentFile().Package()),
		old: c.old.at(d, nil), flow: c.flows.of(d)}
	if file := c.new.files[d.ParentFile().Path()]; file != nil {
		around := declares(file)
		if _, ok := d.(protoreflect.MessageDescriptor); ok { // what is around a message may have moved; buf does not look further for others
			around = c.new.packages[file.Package()].declared
		}
		ch.new = c.new.at(nearest(d, file, around), nil)
	}
	switch d := d.(type) {
	case protoreflect.MessageDescriptor:
		ch.rule = "PACKAGE_MESSAGE_NO_DELETE"
	case protoreflect.EnumDescriptor:
		ch.rule = "PACKAGE_ENUM_NO_DELETE"
	case protoreflect.ServiceDescriptor:
		ch.rule, ch.flow = "PACKAGE_SERVICE_NO_DELETE", contract.ToUs
		ch.witness = func([]string) *contract.Witness { return c.serviceWitness(d) }
	default:
		ch.rule = "PACKAGE_EXTENSION_NO_DELETE"
	}
	c.report(ch)
}

// subjectOf names an element.
func subjectOf(d protoreflect.Descriptor) string {
	switch d := d.(type) {
	case protoreflect.FileDescriptor:
		return fileSubject(d.Path())
	case protoreflect.MessageDescriptor:
		return "message " + string(d.FullName())
	case protoreflect.EnumDescriptor:
		return "enum " + string(d.FullName())
	case protoreflect.EnumValueDescriptor:
		return fmt.Sprintf("enum %s value %d", d.Parent().FullName(), d.Number())
	case protoreflect.ServiceDescriptor:
		return "service " + string(d.FullName())
	case protoreflect.MethodDescriptor:
		return fmt.Sprintf("%s/%s", d.Parent().FullName(), d.Name())
	case protoreflect.OneofDescriptor:
		return fmt.Sprintf("message %s oneof %s", d.Parent().FullName(), d.Name())
	case protoreflect.FieldDescriptor:
		if d.IsExtension() {
			return "extension " + string(d.FullName())
		}
		return fmt.Sprintf("message %s field %d", d.ContainingMessage().FullName(), d.Number())
	}
	return string(d.FullName())
}
