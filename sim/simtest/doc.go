// Package simtest holds simulations of every kind of thing that could differ from one run of a seed to the next.
// Plain "go test" runs them once each; the tests of internal/simrun run each seed many times and compare traces.
package simtest
