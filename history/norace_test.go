//go:build !race

package history

const manyRecords = 1_000_000
