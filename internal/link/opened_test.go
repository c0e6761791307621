package link

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// serveFront opens a front that can be closed, whose dials go to target.
func serveFront(t *testing.T, m *Mesh, host string, dial func(context.Context) (*net.TCPConn, error)) (*Opened, netip.AddrPort) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := addrPort(l.Addr())
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return host, netip.AddrPort{}, true }
	opened, err := m.Serve(l.(*net.TCPListener), Front{Src: "a", Host: host, Pick: pick, Instances: []string{host}, Dial: dial, Gentle: true})
	if err != nil {
		t.Fatal(err)
	}
	return opened, addr
}

func dialTo(addr netip.AddrPort) func(context.Context) (*net.TCPConn, error) {
	return func(context.Context) (*net.TCPConn, error) {
		return net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(addr))
	}
}

// One front closes with its connections, and the other, with its own, stays.
func TestCloseOneFront(t *testing.T) {
	m := newTestMesh(t, Options{})
	target := serveTCP(t, echo)
	one, at := serveFront(t, m, "one", dialTo(target))
	_, elsewhere := serveFront(t, m, "two", dialTo(target))
	mine, other := mustDial(t, at), mustDial(t, elsewhere)
	for _, c := range []net.Conn{mine, other} {
		if err := say(c, "x", patience); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := mine.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("a connection of the closed front reads %d, %v, want EOF", n, err)
	}
	if c, err := net.Dial("tcp", at.String()); err == nil {
		c.Close()
		t.Error("the closed front accepts")
	}
	if err := say(other, "y", patience); err != nil {
		t.Errorf("the other front: %v", err)
	}
	if got := m.Count(ab("a", "one")); got.BytesIn != 1 || got.Live != 0 {
		t.Errorf("counted %d bytes and %d live connections, want 1 and 0", got.BytesIn, got.Live)
	}
	m.Forget(ab("a", "one"))
	if got := m.Count(ab("a", "one")); !reflect.DeepEqual(got, system.LinkStats{Link: ab("a", "one")}) {
		t.Errorf("after Forget: %+v", got)
	}
	m.Forget(ab("a", "two"))
	if got := m.Count(ab("a", "two")); got.BytesIn != 2 {
		t.Error("a link in use was forgotten")
	}
}

// A dial that hangs does not keep a front from closing.
func TestCloseFrontWhileDialling(t *testing.T) {
	m := newTestMesh(t, Options{})
	dialling := make(chan struct{})
	opened, at := serveFront(t, m, "one", func(ctx context.Context) (*net.TCPConn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c := mustDial(t, at)
	<-dialling
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestGentleWhereNobodyAnswers(t *testing.T) {
	m := newTestMesh(t, Options{})
	_, at := serveFront(t, m, "one", func(context.Context) (*net.TCPConn, error) { return nil, errors.New("nobody") })
	if _, err := mustDial(t, at).Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want EOF", err)
	}
	if got := m.Count(ab("a", "one")).Refused; got != 1 {
		t.Errorf("%d dials refused, want 1", got)
	}
}

func mustDial(t *testing.T, addr netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr.String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}
