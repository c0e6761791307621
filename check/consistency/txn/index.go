package txn

import "slices"

// An index lists numbers for each element: those of e are items[from[e]] to items[from[e+1]].
type index struct{ from, items []int32 }

// newIndex sorts pairs of an element and a number, by counting: each is called twice and must say the same. The numbers of an
// element keep their order.
func newIndex(elems int, each func(add func(e, item int32))) index {
	x := index{from: make([]int32, elems+2)}
	each(func(e, _ int32) { x.from[e+2]++ })
	for e := range elems {
		x.from[e+2] += x.from[e+1]
	}
	x.items = make([]int32, x.from[elems+1])
	each(func(e, item int32) {
		x.items[x.from[e+1]] = item
		x.from[e+1]++
	})
	x.from = x.from[:elems+1]
	return x
}

// distinct leaves out what is there twice of one element.
func (x index) distinct() index {
	to := int32(0)
	for e := range len(x.from) - 1 {
		items := x.of(int32(e))
		x.from[e] = to
		for _, item := range items {
			if !slices.Contains(x.items[x.from[e]:to], item) {
				x.items[to] = item
				to++
			}
		}
	}
	x.from[len(x.from)-1], x.items = to, x.items[:to]
	return x
}

func (x index) of(e int32) []int32 { return x.items[x.from[e]:x.from[e+1]] }
