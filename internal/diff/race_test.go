//go:build race

package diff

// usualDraws is no draw at all under the race detector, which makes the arithmetic ten times slower and has nothing to find in it.
const usualDraws = 0
