//go:build race

package report

// longRate is smaller here because the race detector makes reading ten times slower.
const longRate = 20
