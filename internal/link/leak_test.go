package link

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// Close leaves no goroutine and no file descriptor, whatever is held, gated or half-closed.
// It counts those of the whole process, so it runs alone.
func TestCloseLeavesNothing(t *testing.T) {
	goroutines, files := settledCounts()
	for range 3 {
		closeBusyMesh(t)
	}
	deadline := time.Now().Add(patience)
	for {
		g, f := settledCounts()
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("goroutines %d -> %d, files %d -> %d\n%s", goroutines, g, files, f, buf[:runtime.Stack(buf, true)])
		}
	}
}

func closeBusyMesh(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c.(*net.TCPConn))
		}
	}()
	m := NewMesh(Options{ServiceOf: serviceOf})
	front := openFront(t, m, "a-1", "b", "b-1", addrPort(l.Addr()))
	other := openFront(t, m, "", "b", "b-1", addrPort(l.Addr()))
	var conns []*net.TCPConn
	for _, addr := range []string{front.String(), other.String()} {
		for range 10 {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c.(*net.TCPConn))
			if err := say(c, "x", patience); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = conns[0].CloseWrite()
	for i, kind := range []system.RuleKind{system.Delay, system.Cut, system.Refuse} {
		link := []system.Link{ab("a-1", "b-1"), ab("a-1", "b-1"), ab(Unknown, "b-1")}[i]
		set(t, m, string(kind), system.Rule{Kind: kind, Delay: time.Hour}, link)
	}
	for _, c := range conns {
		_, _ = c.Write([]byte("y"))
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range conns {
		c.Close()
	}
	if err := m.Listen(t.Context(), Front{Host: "b", Addr: front, Pick: func(string, uint64) (name string, target netip.AddrPort, ok bool) { return }}); err == nil {
		t.Error("a closed mesh listens")
	}
}

func settledCounts() (goroutines, files int) {
	<-time.After(20 * time.Millisecond)
	return runtime.NumGoroutine(), openFiles()
}

func openFiles() int {
	dir, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, entry := range dir {
		target, _ := os.Readlink("/dev/fd/" + entry.Name())
		if strings.HasPrefix(target, "socket:") || strings.HasPrefix(target, "pipe:") || strings.Contains(target, "timerfd") {
			n++
		}
	}
	return n
}
