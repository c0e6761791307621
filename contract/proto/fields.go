package proto

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile/ast"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-dev/assay/contract"
)

// extensions compares extension fields of the same number of the same message.
func (c *comparison) extensions() {
	keys := make([]extKey, 0, len(c.old.extensions))
	for key := range c.old.extensions {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b extKey) int {
		return cmp.Or(cmp.Compare(a.extends, b.extends), cmp.Compare(a.number, b.number))
	})
	for _, key := range keys {
		if n, ok := c.new.extensions[key]; ok && n != c.old.extensions[key] {
			c.field(c.old.extensions[key], n)
		}
	}
}

// A fieldChange is what the rules on one pair of fields share.
type fieldChange struct {
	*comparison
	old, new protoreflect.FieldDescriptor
}

// say reports a change of the pair, at a part of the fields.
func (f fieldChange) say(rule, path, text string, pick func(ast.Node) ast.Node) {
	old, new := f.places(f.old, f.new, pick)
	f.sayAt(rule, path, text, old, new)
}

func (f fieldChange) sayAt(rule, path, text string, old, new contract.Place) {
	f.report(change{rule: rule, subject: subjectOf(f.old), path: path, old: old, new: new, flow: f.flows.of(f.old),
		text:    fmt.Sprintf("field %s of message %s %s", f.old.Name(), f.old.ContainingMessage().FullName(), text),
		try:     "keep the field as it was, and add another beside it",
		quiet:   f.quiet(rule),
		witness: func(enc []string) *contract.Witness { return f.fieldWitness(f.old, f.new, path, enc) }})
}

// field compares two fields of the same number.
func (c *comparison) field(o, n protoreflect.FieldDescriptor) {
	f := fieldChange{c, o, n}
	was, is := string(o.Name()), string(n.Name())
	if o.IsExtension() {
		was, is = string(o.FullName()), string(n.FullName())
	}
	if was != is {
		f.say("FIELD_SAME_NAME", "name", fmt.Sprintf("was called %s and is called %s", was, is), nameNode)
	}
	if !o.IsExtension() && o.JSONName() != n.JSONName() {
		f.say("FIELD_SAME_JSON_NAME", "json_name", fmt.Sprintf("was %q in JSON and is %q", o.JSONName(), n.JSONName()), optionNode("json_name"))
	}
	f.cardinality()
	f.types()
	f.oneof()
	f.defaults()
	f.representation()
}

// oneof compares which oneof the field is in. An optional field of proto3 is in none.
func (f fieldChange) oneof() {
	was, is := oneofOf(f.old), oneofOf(f.new)
	switch {
	case was == is || f.old.IsExtension():
	case was == "":
		f.say("FIELD_SAME_ONEOF", "oneof", fmt.Sprintf("was in no oneof and is in %s", is), nil)
	case is == "":
		f.say("FIELD_SAME_ONEOF", "oneof", fmt.Sprintf("was in oneof %s and is in none", was), nil)
	default:
		f.say("FIELD_SAME_ONEOF", "oneof", fmt.Sprintf("was in oneof %s and is in oneof %s", was, is), nil)
	}
}

func oneofOf(f protoreflect.FieldDescriptor) string {
	if oneof := f.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
		return string(oneof.Name())
	}
	return ""
}

// cardinalityOf words how often the field is there.
func cardinalityOf(f protoreflect.FieldDescriptor) string {
	switch {
	case f.IsMap():
		return "a map"
	case f.IsList():
		return "repeated"
	case f.Cardinality() == protoreflect.Required:
		return "required"
	case f.HasPresence():
		return "optional with presence"
	}
	return "optional without presence"
}

func (f fieldChange) cardinality() {
	was, is := cardinalityOf(f.old), cardinalityOf(f.new)
	if was == is || f.old.ContainingMessage().IsMapEntry() {
		return
	}
	text := fmt.Sprintf("was %s and is %s", was, is)
	f.say("FIELD_SAME_CARDINALITY", "cardinality", text, nil)
	optional := func(s string) string { // whether presence is known is no matter of what is sent
		if strings.HasPrefix(s, "optional") {
			return "optional"
		}
		return s
	}
	if was, is = optional(was), optional(is); was == is {
		return
	}
	f.say("FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY", "cardinality", text, nil)
	if was, is = strings.Replace(was, "a map", "repeated", 1), strings.Replace(is, "a map", "repeated", 1); was != is { // a map's bytes are repeated entries
		f.say("FIELD_WIRE_COMPATIBLE_CARDINALITY", "cardinality", text, nil)
	}
}

// typeOf words a field's type.
func typeOf(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.EnumKind:
		return "enum " + string(f.Enum().FullName())
	case protoreflect.MessageKind:
		return "message " + string(f.Message().FullName())
	case protoreflect.GroupKind:
		return "message " + string(f.Message().FullName()) + ", delimited"
	}
	return f.Kind().String()
}

func (f fieldChange) types() {
	was, is := typeOf(f.old), typeOf(f.new)
	if was == is {
		return
	}
	text := fmt.Sprintf("was %s and is %s", was, is)
	f.say("FIELD_SAME_TYPE", "type", text, typeNode)
	if !f.compatible(false) {
		f.say("FIELD_WIRE_COMPATIBLE_TYPE", "type", text, typeNode)
	}
	if !f.compatible(true) {
		f.say("FIELD_WIRE_JSON_COMPATIBLE_TYPE", "type", text, typeNode)
	}
}

// family names the kinds that read each other's bytes, and, for JSON, those that write the same JSON too.
func family(k protoreflect.Kind, json bool) string {
	names := map[protoreflect.Kind][2]string{
		protoreflect.Int32Kind: {"varint", "int32"}, protoreflect.Uint32Kind: {"varint", "int32"},
		protoreflect.Int64Kind: {"varint", "int64"}, protoreflect.Uint64Kind: {"varint", "int64"}, protoreflect.BoolKind: {"varint", "bool"},
		protoreflect.Sint32Kind: {"zigzag", "sint32"}, protoreflect.Sint64Kind: {"zigzag", "sint64"},
		protoreflect.Fixed32Kind: {"fixed32", "fixed32"}, protoreflect.Sfixed32Kind: {"fixed32", "fixed32"},
		protoreflect.Fixed64Kind: {"fixed64", "fixed64"}, protoreflect.Sfixed64Kind: {"fixed64", "fixed64"},
	}
	pair, ok := names[k]
	switch {
	case !ok:
		return k.String()
	case json:
		return pair[1]
	}
	return pair[0]
}

// compatible says whether buf has the new type read what the old one wrote.
func (f fieldChange) compatible(json bool) bool {
	was, is := f.old.Kind(), f.new.Kind()
	switch {
	case was == protoreflect.EnumKind && is == protoreflect.EnumKind:
		return f.old.Enum().Name() == f.new.Enum().Name() && contains(f.new.Enum(), f.old.Enum())
	case f.old.Message() != nil && f.new.Message() != nil:
		return was == is && f.old.Message().FullName() == f.new.Message().FullName()
	case was == protoreflect.StringKind && is == protoreflect.BytesKind:
		return !json
	}
	return family(was, json) == family(is, json)
}

// contains says whether an enum has all names of another, with the same numbers.
func contains(all, some protoreflect.EnumDescriptor) bool {
	for i := range some.Values().Len() {
		value := some.Values().Get(i)
		if has := all.Values().ByName(value.Name()); has == nil || has.Number() != value.Number() {
			return false
		}
	}
	return true
}

// defaults compares what a field means that is left out. What is empty in both means the same, whatever the types, and so
// do text and its bytes, true and 1, and an enum's value and its number.
func (f fieldChange) defaults() {
	was, is := defaultOf(f.old), defaultOf(f.new)
	if was.text == "" || is.text == "" || was.empty && is.empty || was.value == is.value {
		return
	}
	f.say("FIELD_SAME_DEFAULT", "default", fmt.Sprintf("meant %s where it was left out, and means %s", was.text, is.text), optionNode("default"))
}

// A meaning is what a field means that is left out.
type meaning struct {
	text  string // for people; "" for lists and messages, which have none
	value string // to compare
	empty bool   // as for fields that declare none
}

func defaultOf(f protoreflect.FieldDescriptor) meaning {
	if f.IsList() || f.IsMap() || f.Message() != nil {
		return meaning{}
	}
	v := f.Default()
	switch f.Kind() {
	case protoreflect.StringKind:
		return meaning{fmt.Sprintf("%q", v.String()), v.String(), v.String() == ""}
	case protoreflect.BytesKind:
		return meaning{fmt.Sprintf("bytes %q", v.Bytes()), string(v.Bytes()), len(v.Bytes()) == 0}
	case protoreflect.EnumKind:
		value := f.DefaultEnumValue()
		if value == nil { // the compiler leaves it out where none is declared
			value = f.Enum().Values().Get(0)
		}
		return meaning{fmt.Sprintf("%s.%s", f.Enum().FullName(), value.Name()), fmt.Sprint("number ", value.Number()), value.Number() == 0}
	case protoreflect.BoolKind:
		if v.Bool() {
			return meaning{"true", "number 1", false}
		}
		return meaning{"false", "number 0", true}
	}
	text := fmt.Sprint(v.Interface())
	return meaning{text, "number " + text, text == "0"}
}
