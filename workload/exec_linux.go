package workload

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command the leader of a process group, which ends with this process.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
