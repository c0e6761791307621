package simrun

import "syscall"

// ownGroup has a process not interrupted by Ctrl-C on a terminal, which is for assay, and ended with the thread that started it.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
