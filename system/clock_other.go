//go:build !linux

package system

import "time"

// Monotonic returns a time that grows and that all processes of a machine
// share. Where CLOCK_MONOTONIC is not at hand it is the wall clock, which a correction can move.
func Monotonic() time.Duration { return time.Duration(time.Now().UnixNano()) }
