package workload

import (
	"math"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func TestPlainMessage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		message proto.Message
		want    any
	}{
		{&descriptorpb.UninterpretedOption{NegativeIntValue: proto.Int64(math.MinInt64), DoubleValue: proto.Float64(2),
			Name: []*descriptorpb.UninterpretedOption_NamePart{{NamePart: proto.String("a"), IsExtension: proto.Bool(false)}}},
			map[string]any{"negative_int_value": int64(math.MinInt64), "double_value": 2.0,
				"name": []any{map[string]any{"name_part": "a", "is_extension": false}}}},
		{&descriptorpb.FieldDescriptorProto{Type: descriptorpb.FieldDescriptorProto_TYPE_BOOL.Enum()}, map[string]any{"type": "TYPE_BOOL"}},
		{&timestamppb.Timestamp{Seconds: 1}, "1970-01-01T00:00:01Z"},
		{wrapperspb.Int64(math.MaxInt64), int64(math.MaxInt64)},
		{&structpb.Struct{Fields: map[string]*structpb.Value{"a": structpb.NewNumberValue(1)}}, map[string]any{"a": int64(1)}},
	}
	for _, test := range tests {
		if got := plainMessage(test.message.ProtoReflect()); !reflect.DeepEqual(got, test.want) {
			t.Errorf("got %#v, want %#v", got, test.want)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind, body string
		want       any
	}{
		{"application/json", `{"a": 9007199254740993, "b": 1.5, "c": [null, true]}`, map[string]any{"a": int64(9007199254740993), "b": 1.5, "c": []any{nil, true}}},
		{"", `[1]`, []any{int64(1)}},
		{"text/plain", `12`, "12"},
		{"application/json", `12`, int64(12)},
		{"application/json", `{"a": `, `{"a": `},
		{"application/json", ``, ``},
		{"", `{} {}`, `{} {}`},
	}
	for _, test := range tests {
		if got := decode(test.kind, []byte(test.body)); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s %s: got %#v, want %#v", test.kind, test.body, got, test.want)
		}
	}
}
