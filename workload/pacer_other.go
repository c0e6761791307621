//go:build !linux

package workload

import "time"

func sharpen() {}
func blunt()   {}

func sleep(d time.Duration) { time.Sleep(d) }
