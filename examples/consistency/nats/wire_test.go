package nats_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A wire is what one server dials to reach another one: a proxy that can be cut.
type wire struct {
	listener net.Listener
	target   string
	mu       sync.Mutex
	isCut    bool
	conns    map[net.Conn]bool
}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	w := &wire{listener: listen(t), target: target, conns: map[net.Conn]bool{}}
	go func() {
		for {
			from, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.carry(from)
		}
	}()
	t.Cleanup(func() { w.cut() })
	return w
}

func (w *wire) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer to.Close()
	if !w.hold(from, to) {
		return
	}
	done := make(chan bool, 2)
	carry := func(to, from net.Conn) { io.Copy(to, from); done <- true }
	go carry(to, from)
	go carry(from, to)
	<-done
}

// hold notes a pair of connections, unless the wire is cut.
func (w *wire) hold(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		w.conns[c] = true
	}
	return !w.isCut
}

// cut closes what is connected, and what will be.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isCut = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
