package history

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Kind is the type of a Value.
type Kind uint8

const (
	KindNil Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindBytes
	KindList
	KindMap
)

// A Value is what an operation took or returned: nil, a bool, a 64-bit integer,
// a float, a string, bytes, a list or a map. The zero Value is nil.
//
// Values are immutable, keep integers and floats apart, and survive a round
// trip through JSON: 1 and 1.0 stay different, NaN stays NaN.
type Value struct {
	kind Kind
	num  uint64 // bool, int64 or float64 bits
	str  string // string or bytes
	list []Value
	// A map is its keys in list and its values here, sorted by key.
	vals []Value
}

// Bool returns a boolean value.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int returns an integer value.
func Int(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// Float returns a floating point value, which may be NaN or infinite.
func Float(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// String returns a string value.
func String(s string) Value { return Value{kind: KindString, str: s} }

// Bytes returns a value that holds a copy of b.
func Bytes(b []byte) Value { return Value{kind: KindBytes, str: string(b)} }

// List returns a list value that holds a copy of vs.
func List(vs ...Value) Value { return Value{kind: KindList, list: slices.Clone(vs)} }

// An Entry is one key and value of a map.
type Entry struct{ Key, Val Value }

// Map returns a map value. Of entries with equal keys the last one stays.
func Map(entries ...Entry) Value {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b Entry) int { return a.Key.Compare(b.Key) })
	v := Value{kind: KindMap}
	for i, e := range sorted {
		if i+1 < len(sorted) && sorted[i+1].Key.Equal(e.Key) {
			continue
		}
		v.list, v.vals = append(v.list, e.Key), append(v.vals, e.Val)
	}
	return v
}

// Of converts what JSON, YAML and CEL decode to: nil, bool, all integers and
// floats, string, []byte, []any, map[string]any, map[any]any, and Value.
func Of(x any) (Value, error) {
	switch x := x.(type) {
	case nil:
		return Value{}, nil
	case Value:
		return x, nil
	case bool:
		return Bool(x), nil
	case int:
		return Int(int64(x)), nil
	case int8:
		return Int(int64(x)), nil
	case int16:
		return Int(int64(x)), nil
	case int32:
		return Int(int64(x)), nil
	case int64:
		return Int(x), nil
	case uint8:
		return Int(int64(x)), nil
	case uint16:
		return Int(int64(x)), nil
	case uint32:
		return Int(int64(x)), nil
	case uint:
		return Of(uint64(x))
	case uint64:
		if x > math.MaxInt64 {
			return Value{}, fmt.Errorf("integer %d does not fit 64 bits with a sign", x)
		}
		return Int(int64(x)), nil
	case float32:
		return Float(float64(x)), nil
	case float64:
		return Float(x), nil
	case json.Number:
		return number(x.String())
	case string:
		return String(x), nil
	case []byte:
		return Bytes(x), nil
	case []any:
		return listOf(x)
	case map[string]any:
		return mapOf(x)
	case map[any]any:
		return mapOf(x)
	}
	return Value{}, fmt.Errorf("no value can hold a %T", x)
}

func listOf(xs []any) (Value, error) {
	v := Value{kind: KindList, list: make([]Value, len(xs))}
	for i, x := range xs {
		item, err := Of(x)
		if err != nil {
			return Value{}, fmt.Errorf("item %d: %w", i, err)
		}
		v.list[i] = item
	}
	return v, nil
}

func mapOf[K comparable](m map[K]any) (Value, error) {
	entries := make([]Entry, 0, len(m))
	for k, x := range m {
		key, err := Of(any(k))
		if err != nil {
			return Value{}, err
		}
		val, err := Of(x)
		if err != nil {
			return Value{}, fmt.Errorf("key %v: %w", k, err)
		}
		entries = append(entries, Entry{key, val})
	}
	return Map(entries...), nil
}

// Kind returns the type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNil says whether v is nil.
func (v Value) IsNil() bool { return v.kind == KindNil }

// AsBool returns the boolean and whether v is one.
func (v Value) AsBool() (bool, bool) { return v.num == 1, v.kind == KindBool }

// AsInt returns the integer and whether v is one.
func (v Value) AsInt() (int64, bool) { return int64(v.num), v.kind == KindInt }

// AsFloat returns the number and whether v is an integer or a float.
func (v Value) AsFloat() (float64, bool) {
	if v.kind == KindInt {
		return float64(int64(v.num)), true
	}
	return math.Float64frombits(v.num), v.kind == KindFloat
}

// AsString returns the string and whether v is one.
func (v Value) AsString() (string, bool) { return v.str, v.kind == KindString }

// AsBytes returns a copy of the bytes and whether v holds bytes.
func (v Value) AsBytes() ([]byte, bool) { return []byte(v.str), v.kind == KindBytes }

// Items returns the items of a list, and nil for anything else. The caller must not modify them.
func (v Value) Items() []Value {
	if v.kind != KindList {
		return nil
	}
	return v.list
}

// Entries returns the entries of a map sorted by key, and nil for anything else.
func (v Value) Entries() []Entry {
	if v.kind != KindMap {
		return nil
	}
	entries := make([]Entry, len(v.list))
	for i := range v.list {
		entries[i] = Entry{v.list[i], v.vals[i]}
	}
	return entries
}

// Any returns v as nil, bool, int64, float64, string, []byte, []any,
// map[string]any, or map[any]any where a key is not a string. It panics for a
// map whose key is a list, a map or bytes, which Go cannot hold.
func (v Value) Any() any {
	switch v.kind {
	case KindBool:
		return v.num == 1
	case KindInt:
		return int64(v.num)
	case KindFloat:
		return math.Float64frombits(v.num)
	case KindString:
		return v.str
	case KindBytes:
		return []byte(v.str)
	case KindList:
		items := make([]any, len(v.list))
		for i, item := range v.list {
			items[i] = item.Any()
		}
		return items
	case KindMap:
		return v.anyMap()
	}
	return nil
}

func (v Value) anyMap() any {
	if !v.stringKeys() {
		m := make(map[any]any, len(v.list))
		for i, key := range v.list {
			m[key.Any()] = v.vals[i].Any()
		}
		return m
	}
	m := make(map[string]any, len(v.list))
	for i, key := range v.list {
		m[key.str] = v.vals[i].Any()
	}
	return m
}

func (v Value) stringKeys() bool {
	return !slices.ContainsFunc(v.list, func(key Value) bool { return key.kind != KindString })
}

// Equal says whether a and b are the same value. NaN equals NaN; 1 and 1.0 differ.
func (v Value) Equal(w Value) bool { return v.Compare(w) == 0 }

// Compare orders all values: first by kind, then within the kind. It is a total
// order, so values can be sorted and searched.
func (v Value) Compare(w Value) int {
	if v.kind != w.kind {
		return int(v.kind) - int(w.kind)
	}
	switch v.kind {
	case KindInt:
		return order(int64(v.num), int64(w.num))
	case KindFloat:
		return compareFloats(v.num, w.num)
	case KindList, KindMap:
		if c := slices.CompareFunc(v.list, w.list, Value.Compare); c != 0 {
			return c
		}
		return slices.CompareFunc(v.vals, w.vals, Value.Compare)
	}
	if c := order(v.num, w.num); c != 0 {
		return c
	}
	return strings.Compare(v.str, w.str)
}

func order[T int64 | uint64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Numbers compare as numbers, and bits decide between those that are equal or
// unordered: -0 and 0, and the NaNs. Then Compare stays a total order.
func compareFloats(a, b uint64) int {
	if c := order(math.Float64frombits(a), math.Float64frombits(b)); c != 0 {
		return c
	}
	aNaN, bNaN := math.IsNaN(math.Float64frombits(a)), math.IsNaN(math.Float64frombits(b))
	switch {
	case aNaN && bNaN:
		return 0
	case aNaN:
		return -1
	case bNaN:
		return 1
	}
	return order(int64(a), int64(b))
}

// String returns v as JSON.
func (v Value) String() string {
	text, err := v.MarshalJSON()
	if err != nil {
		panic(fmt.Sprintf("history: a value that cannot be written: %v", err))
	}
	return string(text)
}

// MarshalJSON writes v as JSON. What JSON lacks is an object with one key that
// starts with $: {"$float":"NaN"}, {"$bytes":"aGk="}, {"$pairs":[[1,"a"]]} for a
// map whose keys are not all strings, and {"$map":{…}} for a map with such a key.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil), nil }

func (v Value) appendJSON(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.num == 1)
	case KindInt:
		return strconv.AppendInt(b, int64(v.num), 10)
	case KindFloat:
		return appendFloat(b, math.Float64frombits(v.num))
	case KindString:
		return appendString(b, v.str)
	case KindBytes:
		return append(appendString(append(b, `{"$bytes":`...), base64.StdEncoding.EncodeToString([]byte(v.str))), '}')
	case KindList:
		return appendList(b, v.list)
	case KindMap:
		return v.appendMap(b)
	}
	return append(b, "null"...)
}

func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(appendString(append(b, `{"$float":`...), strconv.FormatFloat(f, 'g', -1, 64)), '}')
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return append(b, text...)
}

// A string that is not UTF-8 would come back changed, so it is written by its bytes.
func appendString(b []byte, s string) []byte {
	if strings.ToValidUTF8(s, "") != s {
		return append(appendString(append(b, `{"$string":`...), base64.StdEncoding.EncodeToString([]byte(s))), '}')
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(fmt.Sprintf("history: a string that cannot be written: %v", err))
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

func appendList(b []byte, list []Value) []byte {
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = item.appendJSON(b)
	}
	return append(b, ']')
}

func (v Value) appendMap(b []byte) []byte {
	plain := func(key Value) bool { return key.kind == KindString && strings.ToValidUTF8(key.str, "") == key.str }
	if slices.ContainsFunc(v.list, func(key Value) bool { return !plain(key) }) {
		pairs := make([]Value, len(v.list))
		for i, key := range v.list {
			pairs[i] = List(key, v.vals[i])
		}
		return append(appendList(append(b, `{"$pairs":`...), pairs), '}')
	}
	escape := slices.ContainsFunc(v.list, func(key Value) bool { return strings.HasPrefix(key.str, "$") })
	if escape {
		b = append(b, `{"$map":`...)
	}
	b = append(b, '{')
	for i, key := range v.list {
		if i > 0 {
			b = append(b, ',')
		}
		b = v.vals[i].appendJSON(append(appendString(b, key.str), ':'))
	}
	if escape {
		b = append(b, '}')
	}
	return append(b, '}')
}
