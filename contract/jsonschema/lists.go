package jsonschema

import (
	"maps"
	"slices"
	"strconv"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// someArrays returns lists around one that the way allows: each place with each of its values, equal items, and on and beside
// each bound.
func (g *generator) someArrays(way, hints, bs conj, depth int, few bool) []any {
	targets := spread(bs)
	n := min(max(way.prefix(), hints.prefix()), 20)
	items := make([][]candidate, n+1)
	for i := range items {
		want := way.item(i)
		around := append(targets.item(i), hints.unevaluated()...)
		for _, h := range hints {
			around = append(around, notNil(h.Contains)...)
		}
		items[i] = g.values(want, around, depth+1)
		for _, h := range hints {
			if h.Contains != nil {
				items[i] = append(slices.Clone(items[i]), g.values(append(slices.Clone(want), h.Contains), around, depth+1)...)
			}
		}
	}
	base := listOf(items, min(way.least(minItems), maxLong))
	out := []any{[]any{}, base}
	together := slices.ContainsFunc(hints, judgesTogether)
	if few {
		for i := range items {
			out = append(out, listOf(items, max(len(base), i+1)), distinct(items, max(len(base), i+1)))
		}
		return out
	}
	for i, list := range items {
		for _, c := range list {
			for _, length := range slices.Compact([]int{i + 1, max(len(base), i+1)}) {
				l := slices.Clone(listOf(items, length))
				if i >= len(l) {
					continue
				}
				l[i] = c.value
				if out = append(out, l); together {
					out = append(out, append(slices.Clone(l), c.value))
				}
			}
		}
	}
	if together {
		out = append(out, mixed(items[len(items)-1], lengths(hints))...)
	}
	for _, n := range lengths(hints) {
		out = append(out, listOf(items, n), distinct(items, n))
		for _, c := range items[len(items)-1][:min(4, len(items[len(items)-1]))] {
			l := make([]any, n)
			for i := range l {
				l[i] = c.value
			}
			out = append(out, l)
		}
	}
	return out
}

// judgesTogether reports whether a part says something of items that depends on others.
func judgesTogether(h *part) bool {
	return h.UniqueItems || h.Contains != nil || h.UnevaluatedItems != nil || h.Enum != nil || h.Const != nil
}

// lengths returns lengths on and beside each bound.
func lengths(hints conj) []int {
	var out []int
	for _, h := range hints {
		for _, n := range []*int{h.MinItems, h.MaxItems, h.MinContains, h.MaxContains} {
			if n != nil && *n <= 300 {
				out = append(out, max(*n-1, 0), *n, *n+1)
			}
		}
	}
	return append(out, 1, 2, 3)
}

// mixed returns lists of one value that end in another.
func mixed(list []candidate, lengths []int) []any {
	list = list[:min(len(list), 12)]
	var out []any
	for _, n := range lengths {
		for _, a := range list {
			for _, b := range list {
				if n < 2 || n > 6 || len(out) > 1500 {
					continue
				}
				l := make([]any, n)
				for i := range l {
					l[i] = a.value
				}
				l[n-1] = b.value
				out = append(out, l)
			}
		}
	}
	return out
}

// listOf returns a list of calm values, as long as there are any.
func listOf(items [][]candidate, n int) []any {
	out := make([]any, 0, n)
	for i := range n {
		v, ok := calm(items[min(i, len(items)-1)])
		if !ok {
			break
		}
		out = append(out, v)
	}
	return out
}

// distinct returns a list without equal items, where there are enough values.
func distinct(items [][]candidate, n int) []any {
	out := []any{} // and not nil, which would be written as null
	used := map[string]bool{}
	for i := range n {
		for _, c := range items[min(i, len(items)-1)] {
			if text := encode(c.value); !used[text] && !c.refused {
				used[text] = true
				out = append(out, c.value)
				break
			}
		}
		if len(out) <= i {
			break
		}
	}
	if len(out) < n && len(items) > 0 {
		for i := 0; len(out) < n; i++ { // where anything goes
			out = append(out, strconv.Itoa(i)+" of many")
		}
	}
	return out
}
