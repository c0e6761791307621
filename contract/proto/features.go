package proto

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

// Extensions of google.protobuf.FeatureSet, by their numbers there.
const (
	cppFeatures  = 1000
	javaFeatures = 1001
)

// featureOf returns the name of a feature's value: what the element or the nearest around it sets. extension is 0 for
// features that are Protobuf's own. "" is unset.
func featureOf(d protoreflect.Descriptor, extension protoreflect.FieldNumber, name protoreflect.Name) string {
	for ; d != nil; d = parentOf(d) {
		if value := setFeature(d, extension, name); value != "" {
			return value
		}
	}
	return ""
}

// parentOf returns what features are inherited from: a oneof stands between its fields and the message.
func parentOf(d protoreflect.Descriptor) protoreflect.Descriptor {
	if field, ok := d.(protoreflect.FieldDescriptor); ok && field.ContainingOneof() != nil && !field.ContainingOneof().IsSynthetic() {
		return field.ContainingOneof()
	}
	return d.Parent()
}

func setFeature(d protoreflect.Descriptor, extension protoreflect.FieldNumber, name protoreflect.Name) string {
	with, ok := d.Options().(interface {
		GetFeatures() *descriptorpb.FeatureSet
	})
	if !ok || with.GetFeatures() == nil {
		return ""
	}
	set := proto.Message(with.GetFeatures()).ProtoReflect()
	value := ""
	read := func(m protoreflect.Message) {
		field := m.Descriptor().Fields().ByName(name)
		if field == nil || !m.Has(field) {
			return
		}
		if field.Kind() == protoreflect.EnumKind {
			value = string(field.Enum().Values().ByNumber(m.Get(field).Enum()).Name())
			return
		}
		value = m.Get(field).String()
	}
	if extension == 0 {
		read(set)
		return value
	}
	set.Range(func(field protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if field.Number() == extension && field.Message() != nil {
			read(v.Message())
		}
		return true
	})
	return value
}

// or returns the first that is set: what the syntax means by default comes last.
func or(value, proto2, proto3, editions string, d protoreflect.Descriptor) string {
	switch {
	case value != "":
		return value
	case d.ParentFile().Syntax() == protoreflect.Proto2:
		return proto2
	case d.ParentFile().Syntax() == protoreflect.Proto3:
		return proto3
	}
	return editions
}

func utf8Of(f protoreflect.FieldDescriptor) string {
	return or(featureOf(f, 0, "utf8_validation"), "NONE", "VERIFY", "VERIFY", f)
}

// javaPlace returns where it is said whether Java checks the field.
func (t *tree) javaPlace(f protoreflect.FieldDescriptor) contract.Place {
	const option = "java_string_check_utf8"
	if options := optionsOf[*descriptorpb.FileOptions](f.ParentFile()); options != nil && options.JavaStringCheckUtf8 != nil {
		return t.at(f.ParentFile(), optionNode(option))
	}
	return t.at(f, optionNode("features.(pb.java).utf8_validation", "features.(pb.java)", "features"))
}

// javaUTF8Of returns whether Java checks a string: the feature, else as for all languages; in proto2 by a file option.
func javaUTF8Of(f protoreflect.FieldDescriptor) string {
	if value := featureOf(f, javaFeatures, "utf8_validation"); value != "" && value != "DEFAULT" {
		return value
	}
	if f.ParentFile().Syntax() == protoreflect.Proto2 && optionsOf[*descriptorpb.FileOptions](f.ParentFile()).GetJavaStringCheckUtf8() {
		return "VERIFY"
	}
	return utf8Of(f)
}

// cppStringOf returns a string's type in C++: ctype came before the feature, and still counts.
func cppStringOf(f protoreflect.FieldDescriptor) string {
	if options := optionsOf[*descriptorpb.FieldOptions](f); options != nil && options.Ctype != nil {
		return options.GetCtype().String()
	}
	return or(featureOf(f, cppFeatures, "string_type"), "STRING", "STRING", "STRING", f)
}

func isText(f protoreflect.FieldDescriptor) bool {
	return f.Kind() == protoreflect.StringKind || f.Kind() == protoreflect.BytesKind
}

func is64(f protoreflect.FieldDescriptor) bool {
	switch f.Kind() {
	case protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.Sint64Kind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return true
	}
	return false
}

// representation compares how languages hold a field.
func (f fieldChange) representation() {
	o, n := f.old, f.new
	if is64(o) && is64(n) {
		was, is := optionsOf[*descriptorpb.FieldOptions](o).GetJstype(), optionsOf[*descriptorpb.FieldOptions](n).GetJstype()
		if was != is {
			f.say("FIELD_SAME_JSTYPE", "jstype", fmt.Sprintf("was %s in JavaScript and is %s", was, is), optionNode("jstype"))
		}
	}
	if was, is := cppStringOf(o), cppStringOf(n); isText(o) && isText(n) && !o.ContainingMessage().IsMapEntry() && was != is && (was != "STRING_PIECE" || is != "STRING") { // the latter is all that the former can do, and more
		f.say("FIELD_SAME_CPP_STRING_TYPE", "ctype", fmt.Sprintf("was %s in C++ and is %s", was, is), optionNode("ctype", "features.(pb.cpp).string_type", "features.(pb.cpp)", "features"))
	}
	if o.Kind() != protoreflect.StringKind || n.Kind() != protoreflect.StringKind {
		return
	}
	if was, is := utf8Of(o), utf8Of(n); was != is {
		f.say("FIELD_SAME_UTF8_VALIDATION", "utf8_validation", fmt.Sprintf("had UTF-8 validation %s and has %s", was, is), optionNode("features.utf8_validation", "features"))
	}
	if was, is := javaUTF8Of(o), javaUTF8Of(n); was != is {
		f.sayAt("FIELD_SAME_JAVA_UTF8_VALIDATION", "java_utf8_validation", fmt.Sprintf("had UTF-8 validation %s in Java and has %s", was, is),
			f.comparison.old.javaPlace(o), f.comparison.new.javaPlace(n))
	}
}

// jsonFormat reports where one version promised JSON and the new one does its best.
func (c *comparison) jsonFormat(rule string, o, n protoreflect.Descriptor, flow contract.Flow) {
	const allow, best = "ALLOW", "LEGACY_BEST_EFFORT"
	was := or(featureOf(o, 0, "json_format"), best, allow, allow, o)
	is := or(featureOf(n, 0, "json_format"), best, allow, allow, n)
	if was == allow && is == best {
		old, new := c.places(o, n, optionNode("features.json_format", "features"))
		c.report(change{rule: rule, subject: subjectOf(o), path: "json_format", old: old, new: new, flow: flow, quiet: c.quietName(),
			text: fmt.Sprintf("the JSON format of %s was %s and is %s", subjectOf(o), was, is)})
	}
}
