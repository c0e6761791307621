package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A reader takes a node's value, and adds what is wrong with it. Name is what
// the value is called in messages.
type reader func(name string, n *yaml.Node)

// A field is one key that a mapping may have.
type field struct {
	key  string
	read reader
	need bool
}

// object reads a mapping that may have the given keys and no others. What names
// it in messages, such as "a step".
func (s *source) object(n *yaml.Node, what string, fields ...field) bool {
	if s.seen != nil {
		s.seen(n, fields)
	}
	if !s.isMapping(what, n) {
		return false
	}
	var allowed []string
	for _, f := range fields {
		allowed = append(allowed, f.key)
		if key, _ := child(n, f.key); key == nil && f.need {
			s.wrong(n, "", "%s has no %s", what, f.key)
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		known := false
		for _, f := range fields {
			if f.key == key.Value {
				known = true
				f.read(f.key, value)
			}
		}
		if !known {
			s.wrong(key, hint(key.Value, allowed), "%s has no key %q", what, brief(key.Value))
		}
	}
	return true
}

func (s *source) isMapping(name string, n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode {
		s.wrong(n, "", "%s must be a mapping, and this is %s", name, describe(n))
		return false
	}
	return true
}

// entries reads a mapping with keys of the user's own.
func (s *source) entries(read func(key, value *yaml.Node)) reader {
	return func(name string, n *yaml.Node) {
		if !s.isMapping(name, n) {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "" {
				s.wrong(n.Content[i], "", "%s has an empty key", name)
				continue
			}
			read(n.Content[i], n.Content[i+1])
		}
	}
}

// list reads every item of a list.
func (s *source) list(item reader) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			s.wrong(n, "", "%s must be a list, and this is %s", name, describe(n))
			return
		}
		for _, one := range n.Content {
			item("an item of "+name, one)
		}
	}
}

// text reads a text that is not empty.
func (s *source) text(into *string) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" && n.ShortTag() != "!!timestamp" {
			s.wrong(n, "", "%s must be text, and this is %s", name, describe(n))
			return
		}
		if strings.TrimSpace(n.Value) == "" {
			s.wrong(n, "", "%s is empty", name)
			return
		}
		*into = n.Value
	}
}

// scalar reads text, a number or a boolean as it is written.
func (s *source) scalar(into *string) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			s.wrong(n, "", "%s must be text, a number or a boolean, and this is %s", name, describe(n))
			return
		}
		*into = n.Value
	}
}

// code reads an expression: text that is not empty, or a number or boolean that is one.
func (s *source) code(into *string) reader {
	return func(name string, n *yaml.Node) {
		s.scalar(into)(name, n)
		if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" && strings.TrimSpace(n.Value) == "" {
			s.wrong(n, "", "%s is empty", name)
		}
	}
}

// texts reads a list of texts, numbers and booleans as they are written, such as an argument vector.
func (s *source) texts(into *[]string) reader {
	return func(name string, n *yaml.Node) {
		s.list(func(item string, n *yaml.Node) {
			var one string
			s.scalar(&one)(item, n)
			*into = append(*into, one)
		})(name, n)
		if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
			s.wrong(n, "", "%s is an empty list", name)
		}
	}
}

// table reads a mapping of texts, numbers and booleans as they are written.
func (s *source) table(into *map[string]string) reader {
	return s.entries(func(key, value *yaml.Node) {
		var one string
		s.scalar(&one)(key.Value, value)
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[key.Value] = one
	})
}

// duration reads such as 500ms, 5s or 1m30s. Least is the shortest that is allowed.
func (s *source) duration(into *time.Duration, least time.Duration) reader {
	return func(name string, n *yaml.Node) {
		const examples = "such as 500ms, 5s or 1m30s"
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			s.wrong(n, examples, "%s must be a duration, and this is %s", name, describe(n))
			return
		}
		d, err := time.ParseDuration(n.Value)
		switch {
		case err != nil:
			s.wrong(n, durationHint(n.Value, examples), "%s: %q is no duration", name, brief(n.Value))
		case d < least && least > 0:
			s.wrong(n, examples, "%s must be longer than zero, and this is %s", name, n.Value)
		case d < least:
			s.wrong(n, examples, "%s must not be negative, and this is %s", name, n.Value)
		default:
			*into = d
		}
	}
}

// durationHint suggests a text without blanks, or with a unit, if that is a duration.
func durationHint(text, examples string) string {
	for _, near := range []string{strings.Join(strings.Fields(text), ""), strings.TrimSpace(text) + "s"} {
		if d, err := time.ParseDuration(near); err == nil && d >= 0 {
			return fmt.Sprintf("did you mean %q? %s", near, examples)
		}
	}
	return examples
}

// perSecond reads a rate such as 50/s, 3000/m or 10/h.
func (s *source) perSecond(into *float64) reader {
	return func(name string, n *yaml.Node) {
		const examples = "such as 50/s, 3000/m or 10/h"
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			s.wrong(n, examples, "%s must be a rate, and this is %s", name, describe(n))
			return
		}
		amount, unit, _ := strings.Cut(n.Value, "/")
		seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
		rate, err := strconv.ParseFloat(amount, 64)
		switch {
		case err != nil || seconds == 0 || math.IsInf(rate, 0) || math.IsNaN(rate):
			s.wrong(n, rateHint(n.Value, examples), "%s: %q is no rate", name, brief(n.Value))
		case rate <= 0 || rate/seconds > 1e6:
			s.wrong(n, "", "%s must be above zero and at most 1000000/s, and this is %s", name, n.Value)
		default:
			*into = rate / seconds
		}
	}
}

func rateHint(text, examples string) string {
	bare := strings.Join(strings.Fields(text), "")
	for _, near := range []string{bare, bare + "/s"} {
		amount, unit, _ := strings.Cut(near, "/")
		if _, err := strconv.ParseFloat(amount, 64); err == nil && (unit == "s" || unit == "m" || unit == "h") {
			return fmt.Sprintf("did you mean %q? %s", near, examples)
		}
	}
	return examples
}

// number reads a whole number from least to most.
func (s *source) number(into *int, least, most int) reader {
	return func(name string, n *yaml.Node) {
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || i < least || i > most {
			s.wrong(n, "", "%s must be a whole number from %d to %d, and this is %s", name, least, most, describe(n))
			return
		}
		*into = i
	}
}

// boolean reads true or false.
func (s *source) boolean(into *bool) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(into) != nil {
			s.wrong(n, "", "%s must be true or false, and this is %s", name, describe(n))
		}
	}
}

// value reads anything, as JSON would: nil, bool, int64, float64, string, []any, map[string]any.
func (s *source) value(into *any) reader {
	return func(_ string, n *yaml.Node) { *into = plain(n) }
}

func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, item := range n.Content {
			l[i] = plain(item)
		}
		return l
	}
	return plainScalar(n)
}

func plainScalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		var x any
		if n.Decode(&x) != nil {
			return n.Value
		}
		if i, ok := x.(int); ok {
			return int64(i)
		}
		return x
	}
	return n.Value
}
