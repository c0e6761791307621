//go:build !linux

package main

import "os"

// peakMB is not known here: simulations run on linux.
func peakMB(*os.ProcessState) float64 { return 0 }
