//go:build race

package history

// manyRecords is smaller here because the race detector makes reading ten times slower.
const manyRecords = 100_000
