package link

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// What a limit lets through arrives, also at a caller who reads slowly and goes on sending.
func TestLimitArrivesWhole(t *testing.T) {
	t.Parallel()
	onLinux(t)
	const limit = 3 << 20
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	set(t, m, "r", system.Rule{Kind: system.Limit, Bytes: limit}, ab("b-1", "a-1"))
	c := dial(t, front)
	go func() {
		for err := error(nil); err == nil; {
			_, err = c.Write(make([]byte, 64<<10))
		}
	}()
	eventually(t, "the limit is reached", func() bool { return statsOf(m, "b-1", "a-1").Closed == 1 })
	got, err := io.Copy(io.Discard, c)
	if got != limit || err != nil {
		t.Errorf("%d bytes of %d, %v", got, limit, err)
	}
	eventually(t, "the connection ends", func() bool { return len(m.connections()) == 0 })
}

// A mesh does not wait for a caller that never reads.
func TestLingerEndsWithMesh(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) { _, _ = io.Copy(c, zeros{}) }))
	set(t, m, "r", system.Rule{Kind: system.Limit, Bytes: 3 << 20}, ab("b-1", "a-1"))
	c := dial(t, front)
	if _, err := io.ReadFull(c, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the limit is reached", func() bool { return statsOf(m, "b-1", "a-1").Closed == 1 })
	start := time.Now()
	if err := m.Close(); err != nil || time.Since(start) > lingerLimit*4/5 {
		t.Errorf("closed after %s, %v", time.Since(start), err)
	}
}
