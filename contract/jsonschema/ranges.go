package jsonschema

import (
	"math"
	"math/big"
)

// A bound is an end of a range of numbers.
type bound struct {
	at   *big.Rat // nil is none
	open bool     // at itself is out
}

// lower returns the largest lower bound, and upper the smallest upper one.
func (as conj) lower() bound {
	var b bound
	for _, a := range as {
		for _, c := range []bound{{a.Minimum, false}, {a.ExclusiveMinimum, true}} {
			if c.at != nil && (b.at == nil || c.at.Cmp(b.at) > 0 || c.at.Cmp(b.at) == 0 && c.open) {
				b = c
			}
		}
	}
	return b
}

func (as conj) upper() bound {
	var b bound
	for _, a := range as {
		for _, c := range []bound{{a.Maximum, false}, {a.ExclusiveMaximum, true}} {
			if c.at != nil && (b.at == nil || c.at.Cmp(b.at) < 0 || c.at.Cmp(b.at) == 0 && c.open) {
				b = c
			}
		}
	}
	return b
}

// most returns the smallest of what get returns, and least the largest.
func (as conj) most(get func(*part) *int) int {
	n := math.MaxInt
	for _, a := range as {
		if v := get(a); v != nil {
			n = min(n, *v)
		}
	}
	return n
}

func (as conj) least(get func(*part) *int) int {
	n := 0
	for _, a := range as {
		if v := get(a); v != nil {
			n = max(n, *v)
		}
	}
	return n
}
