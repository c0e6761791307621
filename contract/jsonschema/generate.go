package jsonschema

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// A generator writes values around what two sides say: each value that it returns is allowed by all of the one side, and those
// that the other refuses come first.
type generator struct {
	prover   // judges parts, and numbers them
	rng      *rand.Rand
	known    map[string][]candidate
	under    map[string]bool
	left     int // judgements that may still be made
	searches int // for texts between patterns, made so far
	seed     uint64
	whole    bool // writes as much around what is proven as around what is not: tests of the proof itself do
}

// A candidate is a value, and whether the other side refuses it.
type candidate struct {
	value   any
	refused bool
	why     []string // each refusal at the bottom, without indices: candidates of different reasons are kept
}

const (
	maxJudgements = 40_000 // for one pair of schemas
	maxCandidates = 48     // of one part, besides those that are refused
	maxDepth      = 14     // of documents, beyond which no more is added
)

func newGenerator(from, to *Schema, seed uint64) *generator {
	return &generator{prover: *newProver(from, to), seed: seed, rng: rand.New(rand.NewPCG(seed, 0x6a736f6e)), known: map[string][]candidate{}, under: map[string]bool{}, left: maxJudgements}
}

// values returns values that all of as allow, around what as and bs say.
func (g *generator) values(as, bs conj, depth int) []candidate {
	given := as
	as = flatten(as)
	key := g.key(as, bs, nil)
	if found, ok := g.known[key]; ok {
		return found
	}
	if g.under[key] || depth > maxDepth || g.left <= 0 {
		return nil
	}
	g.under[key] = true
	defer delete(g.under, key)
	hints := spread(append(slices.Clone(as), bs...))
	few := !g.whole && depth > 0 && g.proves(as, bs)
	var out []candidate
	seen := map[string]bool{}
	for _, way := range ways(as) {
		found := 0
		for _, v := range g.raw(way, hints, bs, depth, few) {
			if few && found == fewCandidates {
				break
			}
			if text := encode(v); !seen[text] {
				seen[text] = true
				if c, ok := g.admit(given, bs, v); ok {
					out = append(out, c)
					found++
				}
			}
		}
	}
	out = g.choose(out)
	g.known[key] = out
	return out
}

// fewCandidates is how many values of each way are enough where nothing can be refused: they stand in what is around them.
const fewCandidates = 4

// proves says whether all that as allow is allowed by each of bs.
func (g *generator) proves(as, bs conj) bool {
	return !slices.ContainsFunc(bs, func(b *part) bool {
		return !g.attempt(func() bool { return g.subset(as, nil, b, "") })
	})
}

// admit judges a value.
func (g *generator) admit(as, bs conj, v any) (candidate, bool) {
	if g.left -= (len(as) + len(bs)) * (1 + size(v)/16); g.left <= 0 {
		return candidate{}, false
	}
	for _, a := range as {
		if refused, unknown := g.judge(a, v); refused || unknown {
			return candidate{}, false
		}
	}
	c := candidate{value: v}
	for _, b := range bs {
		refusal, unknown := g.refusal(b, v)
		if unknown || refusal == nil {
			continue
		}
		c.refused = true
		c.why = append(c.why, reasons(refusal)...)
	}
	return c, true
}

// size returns how many values a value is made of.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case string:
		return 1 + len(v)/64
	case []any:
		for _, item := range v {
			n += size(item)
		}
	case map[string]any:
		for _, item := range v {
			n += size(item)
		}
	}
	return n
}

// choose puts those that are refused first, and of them those that are refused for the fewest reasons; of each set of reasons a
// few. It keeps the rest to a number that is enough.
func (g *generator) choose(list []candidate) []candidate {
	var bad, good []candidate
	for _, c := range list {
		if c.refused {
			bad = append(bad, c)
		} else {
			good = append(good, c)
		}
	}
	slices.SortStableFunc(bad, func(a, b candidate) int { return len(a.why) - len(b.why) })
	kept := map[string]int{}
	bad = slices.DeleteFunc(bad, func(c candidate) bool {
		key := strings.Join(c.why, "\n")
		kept[key]++
		return kept[key] > 4 || len(kept) > 4*maxCandidates
	})
	return append(bad, g.thin(good)...)
}

// thin keeps the first half of what is kept, which are the plain ones, and some of the others by chance.
func (g *generator) thin(list []candidate) []candidate {
	if len(list) <= maxCandidates {
		return list
	}
	rest := list[maxCandidates/2:]
	g.rng.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return list[:maxCandidates]
}

// ways returns what as can be: of each anyOf, oneOf and if a branch, with each branch of each in at least one way.
func ways(as conj) []conj {
	out := []conj{as}
	for range 4 { // branches that have branches
		var next []conj
		for _, w := range out {
			next = append(next, branch(w)...)
		}
		if len(next) == len(out) {
			break
		}
		out = next[:min(len(next), 24)]
	}
	return out
}

// branch tells apart the first choice of a way that is open.
func branch(w conj) []conj {
	for _, a := range w {
		for _, branches := range [][]*part{a.AnyOf, a.OneOf} {
			if len(branches) < 2 || slices.ContainsFunc(branches, func(b *part) bool { return slices.Contains(w, b) }) {
				continue
			}
			var out []conj
			for _, b := range branches {
				out = append(out, flatten(append(slices.Clone(w), b)))
			}
			return out
		}
		if a.If != nil && !slices.Contains(w, a.If) && (a.Else == nil || !slices.Contains(w, a.Else)) {
			yes := flatten(append(append(slices.Clone(w), a.If), notNil(a.Then)...))
			no := flatten(append(slices.Clone(w), notNil(a.Else, notOf(a.If))...))
			return []conj{yes, no}
		}
	}
	return []conj{w}
}

// spread returns all schemas that judge the same value as as: of combinators each branch. They tell what is worth trying.
func spread(as conj) conj {
	var out conj
	var add func(s *part)
	add = func(s *part) {
		if s == nil || slices.Contains(out, s) {
			return
		}
		out = append(out, s)
		for _, list := range [][]*part{{s.Ref, s.Not, s.If, s.Then, s.Else}, s.AllOf, s.AnyOf, s.OneOf} {
			for _, x := range list {
				add(x)
			}
		}
		_, schemas := dependencies(s)
		for _, name := range sortedNames(schemas) {
			add(schemas[name])
		}
	}
	for _, a := range as {
		add(a)
	}
	return out
}

// raw returns values that a way may allow, of all kinds that it can have.
func (g *generator) raw(way, hints, bs conj, depth int, few bool) []any {
	var out []any
	for _, h := range hints {
		if values, ok := listed(h); ok {
			out = append(out, values...)
		}
	}
	k := way.kinds(3)
	if few, ok := way.values(); ok {
		return append(out, few...)
	}
	if k&numbers != 0 {
		out = append(out, someNumbers(hints)...)
	}
	if k&stringsKind != 0 {
		out = append(out, g.someStrings(hints)...)
	}
	if k&arrays != 0 {
		out = append(out, g.someArrays(way, hints, bs, depth, few)...)
	}
	if k&objects != 0 {
		out = append(out, g.someObjects(way, hints, bs, depth, few)...)
	}
	if k&bools != 0 {
		out = append(out, true, false)
	}
	if k&nulls != 0 {
		out = append(out, nil) // last: of witnesses the plainest
	}
	return out
}

// calm returns a value that disturbs nobody: the first that both sides allow, or the first.
func calm(list []candidate) (any, bool) {
	for _, c := range list {
		if !c.refused {
			return c.value, true
		}
	}
	if len(list) > 0 {
		return list[0].value, true
	}
	return nil, false
}

// filler is a text of a length.
func filler(n int) string { return strings.Repeat("a", n) }
