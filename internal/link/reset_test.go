package link

import (
	"net"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// A reset that waits for data leaves an idle connection alone, and holds what it waited for: cleared in time, all arrives.
func TestResetWaitsForData(t *testing.T) {
	m := newTestMesh(t, Options{})
	addr := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	c := dial(t, addr)
	if err := say(c, "before", patience); err != nil {
		t.Fatal(err)
	}
	rule := system.Rule{Kind: system.Reset, Delay: time.Hour, When: system.Trigger{Data: true}}
	set(t, m, "r", rule, ab("a-1", "b-1"))
	if _, err := c.Write([]byte("held")); err != nil {
		t.Fatal(err)
	}
	if got := readFor(c, 50*time.Millisecond); got != "" {
		t.Errorf("%q came back through a connection that waits for its reset", got)
	}
	if err := m.ClearRule("r"); err != nil {
		t.Fatal(err)
	}
	if got := readFor(c, patience); got != "held" {
		t.Errorf("got %q after the heal, want %q", got, "held")
	}
	rule.Delay = 0
	set(t, m, "r", rule, ab("a-1", "b-1"))
	if got := readFor(c, 50*time.Millisecond); got != "" || statsOf(m, "a-1", "b-1").Reset != 0 {
		t.Error("an idle connection was reset")
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	if n, err := c.Read(make([]byte, 1)); n != 0 || !isReset(err) {
		t.Errorf("read %d, %v, want a reset", n, err)
	}
}

// readFor returns the first that comes within d.
func readFor(c net.Conn, d time.Duration) string {
	_ = c.SetReadDeadline(time.Now().Add(d))
	buf := make([]byte, 100)
	n, _ := c.Read(buf)
	return string(buf[:n])
}
