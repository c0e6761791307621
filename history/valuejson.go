package history

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// UnmarshalJSON reads what MarshalJSON writes, and any other JSON whose
// integers fit 64 bits.
func (v *Value) UnmarshalJSON(text []byte) error {
	if read, ok := simple(text); ok {
		*v = read
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		return err
	}
	read, err := fromJSON(x)
	if err != nil {
		return err
	}
	*v = read
	return nil
}

// simple reads the usual values, integers and plain strings, which need no decoder.
func simple(text []byte) (Value, bool) {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' {
		for _, c := range text[1 : n-1] {
			if c < ' ' || c > '~' || c == '"' || c == '\\' {
				return Value{}, false
			}
		}
		return String(string(text[1 : n-1])), true
	}
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > 18 || digits[0] == '0' && len(text) > 1 {
		return Value{}, false
	}
	i := int64(0)
	for _, c := range digits {
		if c < '0' || c > '9' {
			return Value{}, false
		}
		i = i*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		i = -i
	}
	return Int(i), true
}

func fromJSON(x any) (Value, error) {
	switch x := x.(type) {
	case json.Number:
		return number(x.String())
	case []any:
		v := Value{kind: KindList, list: make([]Value, len(x))}
		for i, item := range x {
			read, err := fromJSON(item)
			if err != nil {
				return Value{}, err
			}
			v.list[i] = read
		}
		return v, nil
	case map[string]any:
		return object(x)
	}
	return Of(x)
}

func number(text string) (Value, error) {
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Value{}, fmt.Errorf("integer %s does not fit 64 bits", text)
		}
		return Int(i), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return Value{}, fmt.Errorf("number %s: %w", text, err)
	}
	return Float(f), nil
}

func object(m map[string]any) (Value, error) {
	if len(m) == 1 {
		for key, x := range m {
			if strings.HasPrefix(key, "$") {
				return special(key, x)
			}
		}
	}
	return stringMap(m)
}

func stringMap(m map[string]any) (Value, error) {
	entries := make([]Entry, 0, len(m))
	for key, x := range m {
		val, err := fromJSON(x)
		if err != nil {
			return Value{}, err
		}
		entries = append(entries, Entry{String(key), val})
	}
	return Map(entries...), nil
}

func special(key string, x any) (Value, error) {
	text, isText := x.(string)
	switch {
	case key == "$float" && isText:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(math.IsNaN(f) || math.IsInf(f, 0)) {
			return Value{}, fmt.Errorf(`{"$float": %q}: allowed are NaN, +Inf and -Inf`, text)
		}
		return Float(f), nil
	case (key == "$bytes" || key == "$string") && isText:
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return Value{}, fmt.Errorf("{%q: …}: %w", key, err)
		}
		if key == "$bytes" {
			return Bytes(raw), nil
		}
		return String(string(raw)), nil
	case key == "$map":
		if m, ok := x.(map[string]any); ok {
			return stringMap(m)
		}
	case key == "$pairs":
		if pairs, ok := x.([]any); ok {
			return pairMap(pairs)
		}
	}
	return Value{}, fmt.Errorf("{%q: …} is no value (an object with such a key is written {\"$map\": {…}})", key)
}

func pairMap(pairs []any) (Value, error) {
	entries := make([]Entry, len(pairs))
	for i, x := range pairs {
		pair, err := fromJSON(x)
		if err != nil {
			return Value{}, err
		}
		if len(pair.list) != 2 || pair.kind != KindList {
			return Value{}, fmt.Errorf(`{"$pairs": …}: item %d is not a pair`, i)
		}
		entries[i] = Entry{pair.list[0], pair.list[1]}
	}
	return Map(entries...), nil
}
