package workload

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/assay-dev/assay/internal/expr"
)

// A datum is one named value of a journey's data: one of choices, chosen per run.
type datum struct {
	name    string
	choices []filler
}

// data compiles the journey's data. Values that are templates may read those that are not.
func (c *compiler) data(data map[string]any) []datum {
	var constant, computed []string
	for name, value := range data {
		if hasTemplate(value) {
			computed = append(computed, name)
		} else {
			constant = append(constant, name)
		}
	}
	slices.Sort(constant)
	slices.Sort(computed)
	known := append(slices.Clone(constant), ordinalName)
	var compiled []datum
	for _, name := range append(constant, computed...) {
		if name == ordinalName {
			c.fail("data."+name, "%q is the run's ordinal; choose another name", name)
		}
		compiled = append(compiled, c.datum(name, data[name], known))
	}
	return compiled
}

func (c *compiler) datum(name string, value any, known []string) datum {
	list, ok := value.([]any)
	if !ok {
		return datum{name, []filler{c.filler("data."+name, value, known)}}
	}
	if len(list) == 0 {
		c.fail("data."+name, "an empty list leaves nothing to choose")
	}
	d := datum{name: name}
	for i, item := range list {
		d.choices = append(d.choices, c.filler(fmt.Sprintf("data.%s[%d]", name, i), item, known))
	}
	return d
}

// A filler is a value, or a tree of values, with templates in its strings.
type filler struct {
	constant any
	template *expr.Template
	list     []filler
	entries  map[string]filler
}

func (c *compiler) filler(field string, value any, known []string) filler {
	switch value := value.(type) {
	case string:
		t := c.template(field, value, known)
		if t == nil {
			return filler{}
		}
		if text, ok := t.Constant(); ok {
			return filler{constant: text}
		}
		return filler{template: t}
	case []any:
		f := filler{list: []filler{}}
		for i, item := range value {
			f.list = append(f.list, c.filler(fmt.Sprintf("%s[%d]", field, i), item, known))
		}
		return f
	case map[string]any:
		f := filler{entries: map[string]filler{}}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			f.entries[name] = c.filler(field+"."+name, value[name], known)
		}
		return f
	}
	return filler{constant: value}
}

func (f filler) fill(ctx context.Context, vars map[string]any) (any, error) {
	switch {
	case f.template != nil:
		return f.template.Render(ctx, vars)
	case f.list != nil:
		items := make([]any, len(f.list))
		for i, item := range f.list {
			value, err := item.fill(ctx, vars)
			if err != nil {
				return nil, fmt.Errorf("item %d: %w", i, err)
			}
			items[i] = value
		}
		return items, nil
	case f.entries != nil:
		entries := make(map[string]any, len(f.entries))
		for _, name := range slices.Sorted(maps.Keys(f.entries)) { // in order, for uuid() and rand()
			value, err := f.entries[name].fill(ctx, vars)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			entries[name] = value
		}
		return entries, nil
	}
	return f.constant, nil
}

func hasTemplate(value any) bool {
	switch value := value.(type) {
	case string:
		t, err := expr.ParseTemplate(value, expr.Names{})
		if err != nil {
			return true
		}
		_, constant := t.Constant()
		return !constant
	case []any:
		return slices.ContainsFunc(value, hasTemplate)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasTemplate)
	}
	return false
}

// runFuncs are the functions whose values depend on the run: each evaluation brings them.
func runFuncs() []expr.Func { return []expr.Func{{Name: "uuid"}, {Name: "rand"}} }

// bind puts the run's functions, fed by random, into vars. Most steps call none
// of them, so the random numbers are made when they are first asked for.
func bind(vars map[string]any, make func() *rand.Rand) {
	random := sync.OnceValue(make)
	vars["uuid"] = func(args []any) (any, error) {
		if len(args) != 0 {
			return nil, fmt.Errorf("got %d arguments, want none", len(args))
		}
		return uuid(random()), nil
	}
	vars["rand"] = func(args []any) (any, error) {
		if len(args) == 1 {
			if n, ok := args[0].(int64); ok && n > 0 {
				return random().Int64N(n), nil
			}
		}
		return nil, fmt.Errorf("got %v, want one integer above 0", args)
	}
}

// uuid returns a version 4 UUID that random decides.
func uuid(random *rand.Rand) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], random.Uint64())
	binary.BigEndian.PutUint64(b[8:], random.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// key hashes what identifies a choice to 128 bits. Choices with different keys
// do not influence each other, so a journey more changes nothing for the others.
func key(seed uint64, journey string, n uint64, what string) [16]byte {
	h := fnv.New128a()
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], seed)
	binary.BigEndian.PutUint64(b[8:], n)
	h.Write(b[:])
	io.WriteString(h, journey)
	h.Write([]byte{0}) // which no name holds, so that "ab" "c" and "a" "bc" differ
	io.WriteString(h, what)
	h.Sum(b[:0])
	return b
}

// stream returns the random numbers of one choice.
func stream(seed uint64, journey string, n uint64, what string) *rand.Rand {
	k := key(seed, journey, n, what)
	return rand.New(rand.NewPCG(mix(binary.BigEndian.Uint64(k[:8])), mix(binary.BigEndian.Uint64(k[8:]))))
}

// mix spreads each bit of x over all of the result: FNV hashes of keys that
// differ at their end share many bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// traceID returns the W3C trace-id of a run, and the random numbers of its span-ids.
func traceID(seed uint64, journey string, n uint64) (string, *rand.Rand) {
	spans := stream(seed, journey, n, "trace")
	return fmt.Sprintf("%016x%016x", spans.Uint64(), spans.Uint64()|1), spans // all zeroes is no trace-id
}
