//go:build !linux

package sim

// Simulations run on linux; elsewhere no file has a number.

type mirror struct{}

func (*mirror) close() {}

type mapping struct{}

func (s *Sim) unmap(*Host) {}

func simCall(trap, a1, a2, a3, a4, a5, a6 uintptr) (r, e uintptr, done bool) { return 0, 0, false }

func holdMappings() {}
