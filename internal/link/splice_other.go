//go:build !linux

package link

import "syscall"

// A cargo is bytes in the kernel, of which there are none where it cannot move them.
type cargo struct{ n int }

func (cargo) write(syscall.RawConn) (int, error) { return 0, nil }
func (cargo) discard()                           {}

type pipes struct{}

func (*pipes) unload(cargo) {}
func (*pipes) melt(*item)   {}
func (*pipes) close()       {}

// splice does nothing where the kernel cannot.
func (p *pump) splice() bool { return true }
