// Package load is what bench/sim measures: small programs, in a simulation and outside, in a test binary.
package load
