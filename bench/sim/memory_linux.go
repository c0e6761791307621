package main

import (
	"os"
	"syscall"
)

// peakMB is the most memory that a process had; the kernel counts KiB.
func peakMB(s *os.ProcessState) float64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return float64(u.Maxrss) / 1024
	}
	return 0
}
