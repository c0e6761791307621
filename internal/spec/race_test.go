//go:build race

package spec_test

// every is how many mistakes one is taken of: the race detector makes each
// load ten times as slow, and what they share it sees in a few.
const every = 4
