//go:build !race

package spec_test

const every = 1
