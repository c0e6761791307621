//go:build !unix

package main

import "time"

var began = time.Now() // never changed

// cpu is how long this process has run: its processor time is not known here.
func cpu() time.Duration { return time.Since(began) }
