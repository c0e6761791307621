package link

import (
	"net"
	"net/netip"
	"testing"

	"github.com/assay-dev/assay/system"
)

// A connection that fills the backlog of a front that is cut reaches no instance, not even one whose dial timed out on a busy machine.
func TestFillersReachNobody(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	served := make(chan netip.AddrPort, 20)
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) { served <- addrPort(c.RemoteAddr()); echo(c) }))
	set(t, m, "cut", system.Rule{Kind: system.Cut}, ab("a-1", "b-1"))
	f := m.openFronts()[0]
	f.mu.Lock()
	if len(f.fillers) == 0 {
		t.Error("nothing fills the backlog")
	}
	for at, c := range f.fillers {
		if at != addrPort(c.LocalAddr()) {
			t.Errorf("the filler %s is known as %s", c.LocalAddr(), at)
		}
		_ = c.CloseWrite() // as one that was given up
		f.fillers[at] = nil
	}
	f.mu.Unlock()
	clearRule(t, m, "cut")
	if err := say(dial(t, front), "a caller", patience); err != nil {
		t.Fatal(err)
	}
	<-served
	if s := statsOf(m, "a-1", "b-1"); s.Dials != 1 || len(served) > 0 {
		t.Errorf("%d dials, and %d more were served than the caller's", s.Dials, len(served))
	}
}
