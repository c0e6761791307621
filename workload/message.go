package workload

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// plainMessage returns a message as plain values by the names in its .proto
// file. Other than JSON it keeps 64-bit integers as integers, and fields that are not set have
// their default, so an expectation may compare both.
func plainMessage(m protoreflect.Message) any {
	switch m.Descriptor().ParentFile().Path() {
	case "google/protobuf/wrappers.proto":
		return plainField(m.Descriptor().Fields().Get(0), m.Get(m.Descriptor().Fields().Get(0)))
	case "google/protobuf/timestamp.proto", "google/protobuf/duration.proto", "google/protobuf/struct.proto",
		"google/protobuf/any.proto", "google/protobuf/field_mask.proto":
		return wellKnown(m)
	}
	values := map[string]any{}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.HasPresence() && !m.Has(f) {
			continue
		}
		values[string(f.Name())] = plainField(f, m.Get(f))
	}
	return values
}

// wellKnown returns timestamps, durations, structs and their like as their JSON.
func wellKnown(m protoreflect.Message) any {
	text, err := protojson.Marshal(m.Interface())
	if err != nil {
		return nil
	}
	return decode("application/json", text)
}

func plainField(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch {
	case f.IsList():
		items := []any{}
		for i := range v.List().Len() {
			items = append(items, plainValue(f, v.List().Get(i)))
		}
		return items
	case f.IsMap():
		entries := map[string]any{}
		v.Map().Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
			entries[k.String()] = plainValue(f.MapValue(), v)
			return true
		})
		return entries
	}
	return plainValue(f, v)
}

func plainValue(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return plainMessage(v.Message())
	case protoreflect.EnumKind:
		if value := f.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return int64(v.Enum())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return v.Int()
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return int64(v.Uint())
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		return v.Float()
	}
	return v.Interface() // bool, string, bytes, uint64
}
