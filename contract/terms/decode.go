package terms

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/contract"
)

// A reader takes a node's value, and adds what is wrong with it. Name is what it is called in messages.
type reader func(name string, n *yaml.Node)

// A fields table has the keys that a mapping may have.
type fields map[string]reader

// object reads a mapping that has the given keys and no others, and notes where they stand under prefix.
func (f *file) object(n *yaml.Node, what, prefix string, places map[string]contract.Place, keys fields) bool {
	if n.Kind != yaml.MappingNode {
		f.wrong(n, "%s must be a mapping, and this is %s", what, describe(n))
		return false
	}
	pairs(n, func(key, value *yaml.Node) {
		read, ok := keys[key.Value]
		if !ok {
			f.wrong(key, "%s has no key %q (%s)", what, brief(key.Value), hint(key.Value, keys))
			return
		}
		if places != nil {
			places[prefix+key.Value] = f.place(key)
		}
		read(key.Value, value)
	})
	return true
}

// need adds that a mapping lacks a key.
func (f *file) need(n *yaml.Node, what, key string) {
	if n.Kind == yaml.MappingNode && child(n, key) == nil {
		f.wrong(n, "%s has no %s", what, key)
	}
}

func (f *file) list(item func(n *yaml.Node)) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			f.wrong(n, "%s must be a list, and this is %s", name, describe(n))
			return
		}
		for _, one := range n.Content {
			item(one)
		}
	}
}

func (f *file) text(into *string) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || strings.TrimSpace(n.Value) == "" {
			f.wrong(n, "%s must be text, and this is %s", name, describe(n))
			return
		}
		*into = n.Value
	}
}

// word reads one of a few words.
func (f *file) word(into *string, allowed ...string) reader {
	return func(name string, n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(allowed, n.Value) {
			f.wrong(n, "%s: there is no %s (%s)", name, describe(n), suggest(n.Value, allowed))
			return
		}
		*into = n.Value
	}
}

// duration reads such as 500ms, 5s or 1m30s.
func (f *file) duration(into *time.Duration) reader {
	return func(name string, n *yaml.Node) {
		const examples = "such as 500ms, 5s or 24h"
		d, err := time.ParseDuration(n.Value)
		switch {
		case n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null":
			f.wrong(n, "%s must be a duration, and this is %s (%s)", name, describe(n), examples)
		case err != nil:
			f.wrong(n, "%s: %s is no duration (%s)", name, describe(n), examples)
		case d <= 0 || d > longest:
			f.wrong(n, "%s must be longer than zero and at most ten years, and this is %s", name, brief(n.Value))
		default:
			*into = d
		}
	}
}

// rate reads such as 50/s, 3000/m or 10/h.
func (f *file) rate(into *float64) reader {
	return func(name string, n *yaml.Node) {
		amount, unit, _ := strings.Cut(n.Value, "/")
		seconds := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
		rate, err := strconv.ParseFloat(amount, 64)
		switch {
		case n.Kind != yaml.ScalarNode || err != nil || seconds == 0 || math.IsNaN(rate):
			f.wrong(n, "%s must be a rate, and this is %s (such as 50/s, 3000/m or 10/h)", name, describe(n))
		case rate < 1e-3 || rate > 1e9:
			f.wrong(n, "%s must be from 0.001 to 1000000000, and this is %s", name, brief(n.Value))
		default:
			*into = rate / seconds
		}
	}
}

func (f *file) number(into *float64, least, most float64) reader {
	return func(name string, n *yaml.Node) {
		x, err := strconv.ParseFloat(n.Value, 64)
		if n.Kind != yaml.ScalarNode || err != nil || !(x >= least && x <= most) {
			f.wrong(n, "%s must be a number from %g to %g, and this is %s", name, least, most, describe(n))
			return
		}
		*into = x
	}
}

func (f *file) whole(set func(int), least, most int) reader {
	return func(name string, n *yaml.Node) {
		i, err := strconv.Atoi(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || i < least || i > most {
			f.wrong(n, "%s must be a whole number from %d to %d, and this is %s", name, least, most, describe(n))
			return
		}
		set(i)
	}
}

func (f *file) boolean(set func(bool)) reader {
	return func(name string, n *yaml.Node) {
		var b bool
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&b) != nil {
			f.wrong(n, "%s must be true or false, and this is %s", name, describe(n))
			return
		}
		set(b)
	}
}

// codes reads a list of HTTP statuses, names of gRPC codes, timeout and connection.
func (f *file) codes(into *[]string) reader {
	return f.list(func(n *yaml.Node) {
		names := append([]string{"timeout", "connection"}, grpcCodes()...)
		status, err := strconv.Atoi(n.Value)
		isStatus := err == nil && status >= 400 && status <= 599
		switch {
		case n.Kind != yaml.ScalarNode || !isStatus && !slices.Contains(names, n.Value):
			f.wrong(n, "on: there is no code %s (%s, or a status from 400 to 599)", describe(n), suggest(n.Value, names))
		case slices.Contains(*into, n.Value):
			f.wrong(n, "on: %s is given twice", n.Value)
		default:
			*into = append(*into, n.Value)
		}
	})
}

func grpcCodes() []string {
	return []string{"CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}
}

func hint(word string, keys fields) string {
	var allowed []string
	for key := range keys {
		allowed = append(allowed, key)
	}
	slices.Sort(allowed)
	return suggest(word, allowed)
}

// suggest returns the nearest of the allowed words, and all of them.
func suggest(word string, allowed []string) string {
	best, least := "", 1+len(word)/3
	for _, one := range allowed {
		if d := distance(strings.ToLower(brief(word)), strings.ToLower(one)); d <= least && (best == "" || d < least) {
			best, least = one, d
		}
	}
	list := "allowed: " + strings.Join(allowed, ", ")
	if best == "" {
		return list
	}
	return fmt.Sprintf("did you mean %q? %s", best, list)
}

// distance counts the letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before, row[j+1] = row[j+1], min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
