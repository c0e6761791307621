//go:build !linux

package simrun

import "syscall"

// ownGroup has a process not interrupted by Ctrl-C on a terminal, which is for assay.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
