package proto

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
)

// A builder fills messages with values that tell.
type builder struct {
	left int // values that may still be set: a hostile message requires a hundred of itself
}

// maxSet is how many values one message is filled with.
const maxSet = 4096

// valuesOf returns values of a field's kind: small ones that all understand, and those that only this kind holds.
func valuesOf(f protoreflect.FieldDescriptor) []any {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return []any{true}
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return []any{int32(7), int32(-7), int32(math.MinInt32)}
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return []any{uint32(7), uint32(math.MaxUint32)}
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return []any{int64(7), int64(-7), int64(1) << 40, int64(math.MinInt64)}
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return []any{uint64(7), uint64(1) << 40, uint64(math.MaxUint64)}
	case protoreflect.FloatKind:
		return []any{float32(1.5)}
	case protoreflect.DoubleKind:
		return []any{1.5, math.MaxFloat64}
	case protoreflect.StringKind:
		return []any{"abc", "7", "\xff"}
	case protoreflect.BytesKind:
		return []any{[]byte("abc"), []byte("\xff")}
	case protoreflect.EnumKind:
		var numbers []any
		values := f.Enum().Values()
		for i := range values.Len() {
			numbers = append(numbers, values.Get(i).Number())
		}
		slices.Reverse(numbers) // the first is the default, and says the least
		return numbers[:min(len(numbers), 16)]
	}
	return []any{nil, 1, 2, 3, 4, 5, 6, 7} // messages: which of their fields is set
}

// set gives a field its i-th value; lists have it twice, so that one who takes only the last is caught.
func (b *builder) set(m protoreflect.Message, f protoreflect.FieldDescriptor, i int) bool {
	return b.setDeep(m, f, i, 0)
}

// maxFill is how deep messages are filled: they may contain themselves.
const maxFill = 4

func (b *builder) setDeep(m protoreflect.Message, f protoreflect.FieldDescriptor, i, depth int) bool {
	if b.left--; b.left < 0 {
		return false
	}
	switch {
	case f.IsMap():
		entry := m.Mutable(f).Map()
		key := protoreflect.ValueOf(valuesOf(f.MapKey())[0]).MapKey()
		value := entry.NewValue()
		if f.MapValue().Message() == nil {
			values := valuesOf(f.MapValue())
			value = protoreflect.ValueOf(values[min(i, len(values)-1)])
		}
		entry.Set(key, value)
		return true
	case f.IsList():
		items := m.Mutable(f).List()
		for j := range 2 {
			item := items.NewElement()
			if f.Message() == nil {
				values := valuesOf(f)
				item = protoreflect.ValueOf(values[(i+j)%len(values)])
			} else {
				b.fill(item.Message(), i, depth+1)
			}
			items.Append(item)
		}
		return true
	case f.Message() != nil:
		return b.fill(m.Mutable(f).Message(), i, depth+1)
	}
	values := valuesOf(f)
	if i >= len(values) {
		return false
	}
	m.Set(f, protoreflect.ValueOf(values[i]))
	return true
}

// fill sets the i-th field of a message, and what it requires.
func (b *builder) fill(m protoreflect.Message, i, depth int) bool {
	b.fillRequired(m, depth)
	fields := m.Descriptor().Fields()
	if depth > maxFill || fields.Len() == 0 {
		return i == 0
	}
	return i < fields.Len() && b.setDeep(m, fields.Get(i), 0, depth)
}

func (b *builder) fillRequired(m protoreflect.Message, depth int) {
	numbers := m.Descriptor().RequiredNumbers()
	for i := range numbers.Len() {
		if depth <= maxFill {
			b.setDeep(m, m.Descriptor().Fields().ByNumber(numbers.Get(i)), 0, depth+1)
		}
	}
}

func setEnum(m protoreflect.Message, f protoreflect.FieldDescriptor, number protoreflect.EnumNumber) bool {
	value := protoreflect.ValueOfEnum(number)
	switch {
	case f.IsMap():
		return false
	case f.IsList():
		m.Mutable(f).List().Append(value)
	default:
		m.Set(f, value)
	}
	return true
}

// show words a value so that two fields that mean the same are worded the same, whatever their types: one of a list is the
// same as itself, and text is the same as its bytes.
func show(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case f.IsMap():
		var parts []string
		v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			parts = append(parts, fmt.Sprintf("{1:%s 2:%s}", one(f.MapKey(), key.Value()), one(f.MapValue(), value)))
			return true
		})
		sort.Strings(parts)
		return strings.Join(parts, ", ")
	case f.IsList():
		var parts []string
		for i := range v.List().Len() {
			parts = append(parts, one(f, v.List().Get(i)))
		}
		if len(parts) == 0 {
			return "nothing"
		}
		return strings.Join(parts, ", ")
	case f.Message() != nil && !v.Message().IsValid():
		return "nothing"
	}
	return one(f, v)
}

func one(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		var parts []string
		v.Message().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			parts = append(parts, fmt.Sprintf("%d:%s", field.Number(), show(field, value)))
			return true
		})
		sort.Strings(parts)
		text := "{" + strings.Join(parts, " ") + "}"
		if unknown := v.Message().GetUnknown(); len(unknown) > 0 {
			text = strings.TrimSuffix(text, "}") + fmt.Sprintf(" unknown:%x}", []byte(unknown))
		}
		return text
	case protoreflect.StringKind:
		return fmt.Sprintf("%q", v.String())
	case protoreflect.BytesKind:
		return fmt.Sprintf("%q", v.Bytes())
	case protoreflect.EnumKind:
		return fmt.Sprint(v.Enum())
	case protoreflect.BoolKind:
		if v.Bool() {
			return "1"
		}
		return "0"
	}
	return fmt.Sprint(v.Interface())
}

// natives are a version's files as the library itself builds them, made when they are first asked for.
type natives struct {
	files *protoregistry.Files
	bad   map[string]error
}

func newNatives() *natives {
	return &natives{files: new(protoregistry.Files), bad: map[string]error{}}
}

func (n *natives) find(m protoreflect.MessageDescriptor) (protoreflect.MessageDescriptor, error) {
	if _, ok := m.ParentFile().(linker.Result); !ok {
		return m, nil // built in
	}
	if err := n.add(m.ParentFile()); err != nil {
		return nil, err
	}
	d, err := n.files.FindDescriptorByName(m.FullName())
	if err != nil {
		return nil, err
	}
	message, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no message", m.FullName())
	}
	return message, nil
}

// add builds a file after those that it imports.
func (n *natives) add(file protoreflect.FileDescriptor) error {
	if _, err := n.files.FindFileByPath(file.Path()); err == nil || n.bad[file.Path()] != nil {
		return n.bad[file.Path()]
	}
	err := n.build(file)
	if err != nil {
		n.bad[file.Path()] = err
	}
	return err
}

func (n *natives) build(file protoreflect.FileDescriptor) error {
	result, ok := file.(linker.File)
	if !ok {
		return n.files.RegisterFile(file)
	}
	for i := range file.Imports().Len() {
		if dep := result.FindImportByPath(file.Imports().Get(i).Path()); dep != nil {
			if err := n.add(dep); err != nil {
				return err
			}
		}
	}
	fd := proto.CloneOf(protoutil.ProtoFromFileDescriptor(file))
	built, err := protodesc.NewFile(fd, n.files)
	if err != nil {
		return err
	}
	return n.files.RegisterFile(built)
}

// users lists fields of an enum, in the order of their messages' names.
func (t *tree) users(e protoreflect.FullName) []protoreflect.FieldDescriptor {
	if t.uses == nil {
		t.uses = map[protoreflect.FullName][]protoreflect.FieldDescriptor{}
		for _, m := range sorted(t.messages) {
			for i := range m.Fields().Len() {
				if f := m.Fields().Get(i); f.Enum() != nil && !m.IsMapEntry() {
					t.uses[f.Enum().FullName()] = append(t.uses[f.Enum().FullName()], f)
				}
			}
		}
	}
	return t.uses[e]
}
