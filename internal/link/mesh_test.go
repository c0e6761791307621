package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// nextAddr makes each front of this process listen on an address of its own.
var nextAddr atomic.Uint32

// serviceOf says that "b-1" is an instance of "b".
func serviceOf(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		return name[:i]
	}
	return name
}

func newTestMesh(t testing.TB, opts Options) *Mesh {
	t.Helper()
	if opts.ServiceOf == nil {
		opts.ServiceOf = serviceOf
	}
	m := NewMesh(opts)
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return m
}

// freeAddr returns an address where nobody listens.
func freeAddr(t testing.TB) netip.AddrPort {
	t.Helper()
	n := nextAddr.Add(1)
	ip := fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%128, n/250, 1+n%250)
	if runtime.GOOS != "linux" {
		ip = "127.0.0.1"
	}
	l, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return addrPort(l.Addr())
}

// front opens a front of src for host whose only instance is instance at target.
func openFront(t testing.TB, m *Mesh, src, host, instance string, target netip.AddrPort) netip.AddrPort {
	t.Helper()
	addr := freeAddr(t)
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return instance, target, true }
	if err := m.Listen(t.Context(), Front{Src: src, Host: host, Addr: addr, Pick: pick}); err != nil {
		t.Fatal(err)
	}
	return addr
}

// serveTCP runs handle for each connection until the test ends.
func serveTCP(t testing.TB, handle func(c *net.TCPConn)) netip.AddrPort {
	t.Helper()
	config := net.ListenConfig{}
	config.SetMultipathTCP(false)
	l, err := config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c.(*net.TCPConn))
		}
	}()
	return addrPort(l.Addr())
}

// echo sends back what it reads, and closes each direction when it ends.
func echo(c *net.TCPConn) {
	defer c.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			_ = c.CloseWrite()
			return
		}
	}
}

func dial(t testing.TB, addr netip.AddrPort) *net.TCPConn {
	t.Helper()
	c, err := tryDial(addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func tryDial(addr netip.AddrPort, timeout time.Duration) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: timeout}
	d.SetMultipathTCP(false)
	c, err := d.Dial("tcp", addr.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// say writes text and expects it back within limit.
func say(c net.Conn, text string, limit time.Duration) error {
	_ = c.SetDeadline(time.Now().Add(limit))
	defer c.SetDeadline(time.Time{})
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("sent %q, got %q", text, got)
	}
	return nil
}

func set(t testing.TB, m *Mesh, id string, rule system.Rule, links ...system.Link) {
	t.Helper()
	if err := m.SetRule(id, links, rule); err != nil {
		t.Fatal(err)
	}
}

func clearRule(t testing.TB, m *Mesh, id string) {
	t.Helper()
	if err := m.ClearRule(id); err != nil {
		t.Fatal(err)
	}
}

func ab(from, to string) system.Link { return system.Link{From: from, To: to} }

func statsOf(m *Mesh, from, to string) system.LinkStats {
	for _, s := range m.Stats() {
		if s.From == from && s.To == to {
			return s
		}
	}
	return system.LinkStats{}
}

// patience is how long a test waits for what takes milliseconds on an idle machine.
const patience = time.Minute

// eventually polls until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		runtime.Gosched()
		<-time.After(time.Millisecond)
	}
}

func isReset(err error) bool {
	return err != nil && strings.Contains(err.Error(), "connection reset")
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestRecountBeginsAgain(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	target, front := serveTCP(t, echo), freeAddr(t)
	asked := make(chan uint64, 1)
	pick := func(_ string, n uint64) (string, netip.AddrPort, bool) {
		select {
		case asked <- n:
		default: // the mesh samples picks by itself, too
		}
		return "b-1", target, true
	}
	if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: front, Pick: pick, Instances: []string{"b-1"}}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint64{1, 2, 1} {
		if i == 2 {
			m.Recount()
		}
		c := dial(t, front)
		if err := say(c, "hello", patience); err != nil {
			t.Fatal(err)
		}
		if got := <-asked; got != want {
			t.Errorf("dial %d has the ordinal %d, want %d", i+1, got, want)
		}
	}
}
