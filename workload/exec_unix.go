//go:build unix

package workload

import (
	"os"
	"syscall"
)

// killGroup kills all processes of the group that p leads.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
