package history

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// values are in their total order.
func values() []Value {
	return []Value{
		{},
		Bool(false), Bool(true),
		Int(math.MinInt64), Int(-1), Int(0), Int(1), Int(1 << 53), Int(1<<53 + 1), Int(math.MaxInt64),
		Float(math.NaN()), Float(math.Inf(-1)), Float(-1.5), Float(math.Copysign(0, -1)), Float(0), Float(math.SmallestNonzeroFloat64),
		Float(1), Float(1.5), Float(1e20), Float(1e21), Float(math.MaxFloat64), Float(math.Inf(1)),
		String(""), String("$float"), String("1"), String("<&>\u2028"), String("a"), String("a\x00b"), String("é"), String("\xff\xfe"),
		Bytes(nil), Bytes([]byte("1")), Bytes([]byte{0xff, 0}),
		List(), List(Value{}), List(Int(1)), List(Int(1), Int(2)), List(Int(2)), List(Float(1)), List(List()),
		Map(), Map(Entry{Value{}, Int(1)}), Map(Entry{Int(1), String("x")}),
		Map(Entry{String("a"), Int(1)}, Entry{String("$b"), Int(2)}), Map(Entry{String("$bytes"), String("aGk=")}), Map(Entry{String("$map"), Map()}),
		Map(Entry{String("a"), Int(1)}), Map(Entry{String("a"), Int(2)}),
		Map(Entry{String("\xff"), Int(1)}), Map(Entry{List(Int(1)), Map(Entry{Bytes([]byte("k")), Float(math.NaN())})}),
	}
}

func TestValueRoundTrip(t *testing.T) {
	t.Parallel()
	for _, v := range values() {
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		var back Value
		if err := json.Unmarshal(text, &back); err != nil || !back.Equal(v) || back.Kind() != v.Kind() {
			t.Errorf("%s came back as %v, %v", text, back, err)
		}
		op := Op{ID: 1, Input: v, Output: List(v, v)}
		line, err := json.Marshal(op)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := decode[Op](line); err != nil || !read.Input.Equal(v) || !read.Output.Equal(op.Output) {
			t.Errorf("%s came back as %+v, %v", line, read, err)
		}
	}
}

func TestValueText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		v    Value
		want string
	}{
		{Value{}, `null`},
		{Int(1), `1`},
		{Float(1), `1.0`},
		{Float(math.Copysign(0, -1)), `-0.0`},
		{Float(1e21), `1e+21`},
		{Float(math.NaN()), `{"$float":"NaN"}`},
		{Float(math.Inf(-1)), `{"$float":"-Inf"}`},
		{String("a<b"), `"a<b"`},
		{String("\xff"), `{"$string":"/w=="}`},
		{Bytes([]byte("hi")), `{"$bytes":"aGk="}`},
		{List(Int(1), String("a")), `[1,"a"]`},
		{Map(Entry{String("b"), Int(2)}, Entry{String("a"), Int(1)}), `{"a":1,"b":2}`},
		{Map(Entry{Int(1), String("a")}), `{"$pairs":[[1,"a"]]}`},
		{Map(Entry{String("$float"), String("NaN")}), `{"$map":{"$float":"NaN"}}`},
	} {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("%#v is written %s, want %s", tt.v, got, tt.want)
		}
	}
}

func TestValueRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`9223372036854775808`, "does not fit 64 bits"},
		{`1e999`, "out of range"},
		{`{"$float":"1.5"}`, "allowed are NaN, +Inf and -Inf"},
		{`{"$float":1}`, "is no value"},
		{`{"$bytes":"!"}`, "illegal base64"},
		{`{"$string":7}`, "is no value"},
		{`{"$map":[]}`, "is no value"},
		{`{"$pairs":{}}`, "is no value"},
		{`{"$pairs":[[1]]}`, "item 0 is not a pair"},
		{`{"$pairs":[[1,2],3]}`, "item 1 is not a pair"},
		{`{"$other":1}`, `{"$map": {…}}`},
		{`[{"$other":1}]`, `{"$map": {…}}`},
		{`{"a":{"$other":1}}`, `{"$map": {…}}`},
	} {
		var v Value
		if err := json.Unmarshal([]byte(tt.text), &v); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s was read as %v, %v; want an error that says %q", tt.text, v, err, tt.want)
		}
	}
}

func TestValueOrder(t *testing.T) {
	t.Parallel()
	all := values()
	for i, a := range all {
		for j, b := range all {
			got, want := sign(a.Compare(b)), sign(i-j)
			if got != want {
				t.Errorf("%v compares to %v as %d, want %d", a, b, got, want)
			}
			if a.Equal(b) != (i == j) {
				t.Errorf("%v equals %v: %v", a, b, a.Equal(b))
			}
			if (a.String() == b.String()) != (i == j) {
				t.Errorf("different values are both written %s", a)
			}
		}
	}
}

func TestNaNsAreOneValue(t *testing.T) {
	t.Parallel()
	if other := Float(math.Float64frombits(0x7ff8000000000123)); !other.Equal(Float(math.NaN())) {
		t.Error("two NaNs differ")
	}
}

func sign(n int) int { return max(-1, min(1, n)) }

func drawValue(depth int) *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if depth == 0 {
			kind = min(kind, 5)
		}
		switch kind {
		case 0:
			return Bool(rapid.Bool().Draw(t, "bool"))
		case 1:
			return Int(rapid.Int64().Draw(t, "int"))
		case 2:
			return Float(math.Float64frombits(rapid.Uint64().Draw(t, "bits")))
		case 3:
			return String(rapid.SampledFrom([]string{"", "$", "$map", "$pairs", "\xff", "a"}).Draw(t, "string"))
		case 4:
			return Bytes(rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "bytes"))
		case 5:
			return Value{}
		case 6, 7:
			return List(rapid.SliceOfN(drawValue(depth-1), 0, 3).Draw(t, "list")...)
		}
		var entries []Entry
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			entries = append(entries, Entry{drawValue(depth-1).Draw(t, "key"), drawValue(depth-1).Draw(t, "value")})
		}
		return Map(entries...)
	})
}

func TestRandomValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawValue(3).Draw(t, "a"), drawValue(3).Draw(t, "b"), drawValue(3).Draw(t, "c")
		var back Value
		if err := json.Unmarshal([]byte(a.String()), &back); err != nil || !back.Equal(a) {
			t.Fatalf("%v came back as %v, %v", a, back, err)
		}
		if sign(a.Compare(b)) != -sign(b.Compare(a)) {
			t.Fatalf("%v and %v are each before the other", a, b)
		}
		sorted := []Value{a, b, c}
		slices.SortFunc(sorted, Value.Compare)
		if sorted[0].Compare(sorted[2]) > 0 {
			t.Fatalf("the order goes in a circle: %v", sorted)
		}
		if (a.Compare(b) == 0) != (a.String() == b.String()) {
			t.Fatalf("%v and %v: text and Equal disagree", a, b)
		}
	})
}

func TestMapKeepsTheLastOfEqualKeys(t *testing.T) {
	t.Parallel()
	m := Map(Entry{String("a"), Int(1)}, Entry{String("b"), Int(2)}, Entry{String("a"), Int(3)})
	if got := m.Entries(); len(got) != 2 || !got[0].Val.Equal(Int(3)) {
		t.Errorf("Map = %v", m)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		x    any
		want Value
	}{
		{nil, Value{}}, {true, Bool(true)}, {int(-1), Int(-1)}, {int8(-1), Int(-1)}, {int16(-1), Int(-1)}, {int32(-1), Int(-1)}, {int64(-1), Int(-1)},
		{uint(1), Int(1)}, {uint8(1), Int(1)}, {uint16(1), Int(1)}, {uint32(1), Int(1)}, {uint64(1), Int(1)},
		{float32(0.5), Float(0.5)}, {0.5, Float(0.5)}, {json.Number("7"), Int(7)}, {json.Number("7.0"), Float(7)},
		{"s", String("s")}, {[]byte("b"), Bytes([]byte("b"))}, {[]any{1, "a"}, List(Int(1), String("a"))}, {Int(1), Int(1)},
		{map[string]any{"a": 1}, Map(Entry{String("a"), Int(1)})}, {map[any]any{1: "a"}, Map(Entry{Int(1), String("a")})},
	} {
		if got, err := Of(tt.x); err != nil || !got.Equal(tt.want) {
			t.Errorf("Of(%T %v) = %v, %v, want %v", tt.x, tt.x, got, err, tt.want)
		}
	}
	for _, tt := range []struct {
		x    any
		want string
	}{
		{uint64(math.MaxUint64), "does not fit"}, {uint(math.MaxUint64), "does not fit"}, {struct{}{}, "no value can hold a struct {}"},
		{[]any{1, struct{}{}}, "item 1: "}, {map[string]any{"k": struct{}{}}, "key k: "}, {json.Number("1e999"), "out of range"},
	} {
		if v, err := Of(tt.x); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Of(%T) = %v, %v, want an error that says %q", tt.x, v, err, tt.want)
		}
	}
}

func TestAnyGoesBack(t *testing.T) {
	t.Parallel()
	for _, v := range []Value{{}, Bool(true), Int(1), Float(1.5), String("s"), Bytes([]byte("b")), List(Int(1), List()), Map(Entry{String("a"), Int(1)}), Map(Entry{Int(1), Int(2)})} {
		if back, err := Of(v.Any()); err != nil || !back.Equal(v) {
			t.Errorf("%v became %v, %v", v, back, err)
		}
	}
}

func TestAs(t *testing.T) {
	t.Parallel()
	if f, ok := Int(3).AsFloat(); !ok || f != 3 {
		t.Errorf("an integer as a number: %v, %v", f, ok)
	}
	if _, ok := Float(3).AsInt(); ok {
		t.Error("a float is an integer")
	}
	if _, ok := Bytes([]byte("b")).AsString(); ok {
		t.Error("bytes are a string")
	}
	if b, ok := Bool(true).AsBool(); !ok || !b {
		t.Error("true is not true")
	}
	if List().Items() == nil && Map().Entries() == nil || String("s").Items() != nil {
		t.Error("only a list has items")
	}
}

// TestUsualJSON: what is read without a decoder is what a decoder reads.
func TestUsualJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-1", "7", "-0", "-", "", "1.5", "1e3", "123456789012345678", "1234567890123456789", "-9223372036854775808", "9223372036854775808",
		`""`, `"a b"`, `"a\nb"`, `"é"`, `"a`, `"`, "null", "true", "[1]"} {
		var got, list Value
		err, errList := got.UnmarshalJSON([]byte(text)), list.UnmarshalJSON([]byte("["+text+"]"))
		if (err == nil) != (errList == nil) && text != "" || err == nil && !list.Items()[0].Equal(got) {
			t.Errorf("%s: got %v, %v; within a list %v, %v", text, got, err, list, errList)
		}
	}
}

func FuzzValueJSON(f *testing.F) {
	for _, v := range values() {
		f.Add(v.String())
	}
	f.Add(`{"$pairs":[[1,2],[1,3]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var v Value
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		var back Value
		if err := json.Unmarshal([]byte(v.String()), &back); err != nil || !back.Equal(v) || back.String() != v.String() {
			t.Errorf("%q was read as %v, which came back as %v, %v", text, v, back, err)
		}
	})
}
