package proto

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/linker"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// closure lists the files and what they import, without what is built in.
func closure(files linker.Files) []linker.File {
	seen := map[string]linker.File{}
	var visit func(protoreflect.FileDescriptor)
	visit = func(fd protoreflect.FileDescriptor) {
		file, ok := fd.(linker.Result) // what is built in was never linked by us
		if !ok || seen[file.Path()] != nil {
			return
		}
		seen[file.Path()] = file
		imports := file.Imports()
		for i := range imports.Len() {
			if dep := file.FindImportByPath(imports.Get(i).Path()); dep != nil {
				visit(dep)
			}
		}
	}
	for _, file := range files {
		visit(file)
	}
	return slices.SortedFunc(maps.Values(seen), func(a, b linker.File) int { return cmp.Compare(a.Path(), b.Path()) })
}

// An extKey names an extension field: buf pairs them by what they extend and their number.
type extKey struct {
	extends protoreflect.FullName
	number  protoreflect.FieldNumber
}

// A tree is all that a version declares, by what it is paired by.
type tree struct {
	version    *version
	files      map[string]linker.File
	packages   map[protoreflect.FullName]*pack
	messages   map[protoreflect.FullName]protoreflect.MessageDescriptor
	enums      map[protoreflect.FullName]protoreflect.EnumDescriptor
	services   map[protoreflect.FullName]protoreflect.ServiceDescriptor
	extensions map[extKey]protoreflect.FieldDescriptor
	natives    *natives
	uses       map[protoreflect.FullName][]protoreflect.FieldDescriptor // fields by their enum, once asked for
}

// A pack is what the files of one package declare, by nested name.
type pack struct {
	declared
	files []linker.File
}

// declared is what a file or package declares, by name within the package, in the order of the files.
type declared struct {
	messages, enums, services, extensions map[string]protoreflect.Descriptor
	order                                 []protoreflect.Descriptor
}

func newDeclared() declared {
	type m = map[string]protoreflect.Descriptor
	return declared{m{}, m{}, m{}, m{}, nil}
}

// of returns the part of declared that the descriptor belongs to.
func (d declared) of(one protoreflect.Descriptor) map[string]protoreflect.Descriptor {
	switch one.(type) {
	case protoreflect.MessageDescriptor:
		return d.messages
	case protoreflect.EnumDescriptor:
		return d.enums
	case protoreflect.ServiceDescriptor:
		return d.services
	}
	return d.extensions
}

func (d *declared) add(one protoreflect.Descriptor) {
	d.of(one)[nested(one)] = one
	d.order = append(d.order, one)
}

// nested returns the name within the package: "Order.Item".
func nested(d protoreflect.Descriptor) string {
	name := string(d.FullName())
	if pkg := string(d.ParentFile().Package()); pkg != "" {
		return strings.TrimPrefix(name, pkg+".")
	}
	return name
}

func newTree(v *version) *tree {
	t := &tree{
		version: v, natives: newNatives(), files: map[string]linker.File{}, packages: map[protoreflect.FullName]*pack{},
		messages:   map[protoreflect.FullName]protoreflect.MessageDescriptor{},
		enums:      map[protoreflect.FullName]protoreflect.EnumDescriptor{},
		services:   map[protoreflect.FullName]protoreflect.ServiceDescriptor{},
		extensions: map[extKey]protoreflect.FieldDescriptor{},
	}
	for _, file := range v.files {
		t.files[file.Path()] = file
		in := t.packages[file.Package()]
		if in == nil {
			in = &pack{declared: newDeclared()}
			t.packages[file.Package()] = in
		}
		in.files = append(in.files, file)
		walk(file, func(d protoreflect.Descriptor) { in.add(d); t.add(d) })
	}
	return t
}

func (t *tree) add(d protoreflect.Descriptor) {
	switch d := d.(type) {
	case protoreflect.MessageDescriptor:
		t.messages[d.FullName()] = d
	case protoreflect.EnumDescriptor:
		t.enums[d.FullName()] = d
	case protoreflect.ServiceDescriptor:
		t.services[d.FullName()] = d
	case protoreflect.FieldDescriptor:
		t.extensions[extKey{d.ContainingMessage().FullName(), d.Number()}] = d
	}
}

// declares returns what one file declares.
func declares(file linker.File) declared {
	d := newDeclared()
	walk(file, d.add)
	return d
}

// A scope is what declares messages, enums and extensions: a file or a message.
type scope interface {
	Messages() protoreflect.MessageDescriptors
	Enums() protoreflect.EnumDescriptors
	Extensions() protoreflect.ExtensionDescriptors
}

// walk visits messages, enums, extensions and services, outer ones first.
func walk(file linker.File, visit func(protoreflect.Descriptor)) {
	walkScope(file, visit)
	for i := range file.Services().Len() {
		visit(file.Services().Get(i))
	}
}

func walkScope(in scope, visit func(protoreflect.Descriptor)) {
	for i := range in.Enums().Len() {
		visit(in.Enums().Get(i))
	}
	for i := range in.Extensions().Len() {
		visit(in.Extensions().Get(i))
	}
	for i := range in.Messages().Len() {
		visit(in.Messages().Get(i))
		walkScope(in.Messages().Get(i), visit)
	}
}

// topLevel lists what stands in a file outside of messages. Values of enums do too: their names are not within the enum's.
func topLevel(file linker.File) []protoreflect.Descriptor {
	var all []protoreflect.Descriptor
	for i := range file.Messages().Len() {
		all = append(all, file.Messages().Get(i))
	}
	for i := range file.Enums().Len() {
		all = append(all, file.Enums().Get(i))
		for j := range file.Enums().Get(i).Values().Len() {
			all = append(all, file.Enums().Get(i).Values().Get(j))
		}
	}
	for i := range file.Services().Len() {
		all = append(all, file.Services().Get(i))
	}
	for i := range file.Extensions().Len() {
		all = append(all, file.Extensions().Get(i))
	}
	return all
}
