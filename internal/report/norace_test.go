//go:build !race

package report

const longRate = 500 // journeys a second of the long run
