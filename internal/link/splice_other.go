//go:build !linux

package link

type pipes struct{}

func (*pipes) close() {}

// splice does nothing where the kernel cannot.
func (p *pump) splice() bool { return true }
