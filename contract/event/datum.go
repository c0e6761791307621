package event

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
)

// A step goes from a schema to one of its children.
type step struct {
	from  *schema
	child int // of from.children()
}

// A generator writes data of a schema in Avro's binary encoding. A nil rng writes the smallest datum, the same each time.
type generator struct {
	rng     *rand.Rand
	reached map[any]bool // schemas, and symbols
	left    int          // values that the datum may still have
}

// mostValues bounds a datum: a record of two fields of a record of two fields, and so on, has data of any size.
const mostValues = 1 << 16

// A symbol of an enum is covered for itself.
type symbol struct {
	of    *schema
	index int
}

// goals are what documents have to reach: all schemas and symbols.
func goals(root *schema) []any {
	var all []any
	for _, s := range nodes(root) {
		all = append(all, s)
		for i := range s.symbols {
			all = append(all, symbol{s, i})
		}
	}
	return all
}

func newGenerator(rng *rand.Rand) *generator {
	return &generator{rng: rng, reached: map[any]bool{}, left: mostValues}
}

// through writes a datum that leads along steps to a target, which is written as forced, or where that is nil as any datum of
// it. It says false where no datum that ends does so.
func (g *generator) through(b []byte, steps []step, target *schema, forced []byte) ([]byte, bool) {
	if len(steps) == 0 {
		if forced != nil {
			return append(b, forced...), true
		}
		return g.value(b, target, 0)
	}
	s, child, rest := steps[0].from, steps[0].child, steps[1:]
	g.reached[s] = true
	switch s.kind {
	case "record":
		for i, f := range s.fields {
			var ok bool
			if i == child {
				b, ok = g.through(b, rest, target, forced)
			} else {
				b, ok = g.value(b, f.schema, 0)
			}
			if !ok {
				return nil, false
			}
		}
		return b, true
	case "union":
		return g.through(binary.AppendVarint(b, int64(child)), rest, target, forced)
	}
	b = binary.AppendVarint(b, 1)
	if s.kind == "map" {
		b = appendBytes(b, "k")
	}
	b, ok := g.through(b, rest, target, forced)
	return binary.AppendVarint(b, 0), ok
}

func appendBytes[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendVarint(b, int64(len(text))), text...)
}

// pick returns a number below n: 0 without randomness.
func (g *generator) pick(n int) int {
	if g.rng == nil {
		return 0
	}
	return g.rng.IntN(n)
}

// deepest is where data stop being random and become the smallest, so that they end.
const deepest = 6

func (g *generator) value(b []byte, s *schema, depth int) ([]byte, bool) {
	g.left--
	if s.height >= infinite || g.left < 0 {
		return nil, false
	}
	g.reached[s] = true
	switch s.kind {
	case "record":
		return g.record(b, s, depth)
	case "union":
		i := g.branch(s, depth)
		return g.value(binary.AppendVarint(b, int64(i)), s.branches[i], depth+1)
	case "array", "map":
		return g.several(b, s, depth)
	case "enum":
		i := g.pick(len(s.symbols))
		g.reached[symbol{s, i}] = true
		return binary.AppendVarint(b, int64(i)), true
	}
	return g.scalar(b, s), true
}

func (g *generator) record(b []byte, s *schema, depth int) ([]byte, bool) {
	ok := true
	for _, f := range s.fields {
		if b, ok = g.value(b, f.schema, depth+1); !ok {
			return nil, false
		}
	}
	return b, true
}

func (g *generator) branch(s *schema, depth int) int {
	i := g.pick(len(s.branches))
	if g.rng != nil && depth < deepest && s.branches[i].height < infinite {
		return i
	}
	heights := make([]int, len(s.branches))
	for i, b := range s.branches {
		heights[i] = b.height
	}
	return slices.Index(heights, slices.Min(heights))
}

func (g *generator) several(b []byte, s *schema, depth int) ([]byte, bool) {
	n := g.pick(3)
	if depth >= deepest || s.items.height >= infinite {
		n = 0
	}
	if n == 0 {
		return binary.AppendVarint(b, 0), true
	}
	b = binary.AppendVarint(b, int64(n))
	ok := true
	for i := range n {
		if s.kind == "map" {
			b = appendBytes(b, string(rune('a'+i)))
		}
		if b, ok = g.value(b, s.items, depth+1); !ok {
			return nil, false
		}
	}
	return binary.AppendVarint(b, 0), true
}

func (g *generator) scalar(b []byte, s *schema) []byte {
	switch s.kind {
	case "boolean":
		return append(b, byte(1-g.pick(2)))
	case "int", "long":
		return binary.AppendVarint(b, g.integer(s))
	case "float":
		values := []float32{1.5, 0, -1, 1e30, 16777216, 0.1}
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(values[g.pick(len(values))]))
	case "double":
		values := []float64{1.5, 0, -1, 1e300, 1 << 53, 0.1}
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(values[g.pick(len(values))]))
	case "string":
		if s.logical == "uuid" {
			return appendBytes(b, "6f1c0a52-8d2b-4c7e-9a41-0d5e3b7f2c1"+string(rune('0'+g.pick(10))))
		}
		values := []string{"a", "", "order-1", "é", "日本", "a b\n\"c\""}
		return appendBytes(b, values[g.pick(len(values))])
	case "bytes":
		values := [][]byte{{1}, {7}, {0}}
		if s.logical == "" {
			values = append(values, nil, []byte("text"), []byte{0xff, 0xfe})
		}
		return appendBytes(b, values[g.pick(len(values))])
	case "fixed":
		for i := range s.size {
			b = append(b, byte(g.pick(10)))
			if i == s.size-1 && g.rng == nil {
				b[len(b)-1] = 1
			}
		}
	}
	return b
}

// integer draws what the logical type allows: times outside of a day are no times.
func (g *generator) integer(s *schema) int64 {
	most := map[string]int64{"date": 40_000, "time-millis": 86_400_000, "time-micros": 86_400_000_000,
		"timestamp-millis": 4e12, "timestamp-micros": 4e15, "timestamp-nanos": 4e18,
		"local-timestamp-millis": 4e12, "local-timestamp-micros": 4e15, "local-timestamp-nanos": 4e18}[s.logical]
	switch {
	case g.rng == nil:
		return 1
	case most > 0:
		return g.rng.Int64N(most)
	case s.kind == "int":
		values := []int64{0, 1, -1, math.MaxInt32, math.MinInt32, int64(g.rng.Int32())}
		return values[g.pick(len(values))]
	}
	values := []int64{0, 1, -1, math.MaxInt32 + 1, math.MaxInt64, math.MinInt64, g.rng.Int64()}
	return values[g.pick(len(values))]
}

// routes returns the steps to each schema below root, by the shortest way.
func routes(root *schema) map[*schema][]step {
	ways := map[*schema][]step{root: nil}
	queue := []*schema{root}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for i, c := range s.children() {
			if _, seen := ways[c]; !seen {
				ways[c] = append(slices.Clone(ways[s]), step{s, i})
				queue = append(queue, c)
			}
		}
	}
	return ways
}
