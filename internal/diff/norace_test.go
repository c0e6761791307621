//go:build !race

package diff

const usualDraws = 40 // comparisons of each kind; few, because CI runs them every time
