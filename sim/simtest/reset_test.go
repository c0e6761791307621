package simtest

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// How connections end: as with Linux.
func TestReset(t *testing.T) {
	// stream writes every 5 ms, which is sooner than an answer comes, and returns how long that went well.
	stream := func(s *sim.Sim, c net.Conn) (time.Duration, error) {
		began := s.Now()
		for s.Now() < began+10*time.Second {
			if _, err := c.Write([]byte("x")); err != nil {
				return s.Now() - began, err
			}
			time.Sleep(5 * time.Millisecond)
		}
		return s.Now() - began, nil
	}
	for name, f := range map[string]func(*testing.T, *sim.Sim){
		"who goes on writing to a peer that closed is told after one round trip": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			b.Close()
			if took, err := stream(s, a); !isReset(err) || took > 50*time.Millisecond {
				t.Errorf("%v after %v, want a reset after 20ms", err, took)
			}
		},
		"so is it where the peer's host came back without the connection": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			s.Host("b").Restart()
			if took, err := stream(s, a); !isReset(err) || took > 50*time.Millisecond {
				t.Errorf("%v after %v, want a reset after 20ms", err, took)
			}
		},
		"who closes with unread bytes resets": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			a.Write([]byte("not read"))
			b.Write([]byte("answer"))
			time.Sleep(settled)
			b.Close()
			time.Sleep(settled)
			said(t, s, a, "read 6", "read connection reset by peer", "read EOF", "write broken pipe")
		},
		"so does who lingers for no time": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			b.(*net.TCPConn).SetLinger(0)
			b.Close()
			time.Sleep(settled)
			said(t, s, a, "write connection reset by peer", "write broken pipe", "read EOF")
		},
		"so does a listener that closes before it accepts": func(t *testing.T, s *sim.Sim) {
			ln := make(chan net.Listener, 1)
			s.Host("b").Go(func() {
				l, _ := net.Listen("tcp", ":80")
				ln <- l
			})
			l := <-ln
			a, err := net.Dial("tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			said(t, s, a, "read connection reset by peer", "read EOF")
		},
		"what comes for who closed is answered with a reset": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			a.Write([]byte("on its way"))
			b.Close()
			time.Sleep(2 * settled)
			said(t, s, a, "write broken pipe", "write broken pipe", "read EOF")
		},
		"the second write to who closed fails": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			b.Close()
			time.Sleep(settled)
			said(t, s, a, "read EOF", "write 1")
			time.Sleep(2 * settled)
			said(t, s, a, "write broken pipe", "write broken pipe", "read EOF")
		},
		"who closed one direction still reads": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			a.(*net.TCPConn).CloseWrite()
			time.Sleep(settled)
			said(t, s, b, "read EOF", "write 1")
			b.Close()
			time.Sleep(settled)
			said(t, s, a, "write broken pipe", "read 1", "read EOF", "write broken pipe")
		},
		"a reset is lost in a cut": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{KeepAlive: -1}, net.Dialer{KeepAlive: -1})
			a.Write([]byte("not read"))
			time.Sleep(settled)
			part(s)
			b.Close()
			time.Sleep(time.Hour)
			s.Heal()
			a.SetReadDeadline(time.Now().Add(time.Second))
			said(t, s, a, "read i/o timeout", "write 1")
			time.Sleep(2 * settled)
			said(t, s, a, "write connection reset by peer")
		},
		"what was held back for who closed is answered with a reset": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			s.Cut(s.Host("a"), s.Host("b"))
			a.Write([]byte("x"))
			b.Close()
			time.Sleep(time.Second)
			s.Heal()
			time.Sleep(time.Second)
			said(t, s, a, "write broken pipe", "read EOF")
		},
		"ports": func(t *testing.T, s *sim.Sim) {
			connected(t, s, net.ListenConfig{}, net.Dialer{})
			d := net.Dialer{LocalAddr: &net.TCPAddr{Port: 4567}}
			if _, err := d.Dial("tcp", "b:80"); err != nil {
				t.Error(err)
			}
			if _, err := d.Dial("tcp", "b:80"); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("a port in use was taken again: %v", err)
			}
		},
		"a host that is down is given up after two minutes": func(t *testing.T, s *sim.Sim) {
			s.Host("b").Crash()
			if _, err := net.Dial("tcp", "b:80"); !errors.Is(err, syscall.ETIMEDOUT) || s.Now().Round(time.Second) != 127*time.Second {
				t.Errorf("%v after %v, want a timeout after 127s", err, s.Now())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) {
				s.Links(sim.Link{Latency: arrival})
				f(s.T(), s)
			})
		})
	}
}

const (
	arrival = 10 * time.Millisecond
	settled = arrival + 2*time.Millisecond
)

// said reads and writes, and compares what comes of it.
func said(t *testing.T, s *sim.Sim, c net.Conn, want ...string) {
	t.Helper()
	for i, w := range want {
		op, do := "read", c.Read
		if strings.HasPrefix(w, "write") {
			op, do = "write", c.Write
		}
		b := make([]byte, 100)
		if op == "write" {
			b = b[:1]
		}
		n, err := do(b)
		got := fmt.Sprint(op, " ", n)
		if err != nil {
			got = op + " " + err.Error()[strings.LastIndex(err.Error(), ": ")+1:]
			got = strings.ReplaceAll(got, "  ", " ")
		}
		if got != w {
			t.Errorf("%d: got %q, want %q", i+1, got, w)
		}
	}
}

// Datagrams fail as with Linux.
func TestDatagrams(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: arrival})
		s.Host("b")
		c, err := net.Dial("udp", "b:53")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(make([]byte, 65508)); !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("65508 bytes: %v", err)
		}
		for range 3 { // nobody is there
			said(t, s, c, "write 1", "read connection refused", "write 1")
			time.Sleep(2 * settled)
			said(t, s, c, "write connection refused")
		}
		pc, err := net.ListenUDP("udp", &net.UDPAddr{})
		if err != nil {
			t.Fatal(err)
		}
		said(t, s, pc, "write destination address required")
		pc.WriteTo([]byte("from a stranger"), c.LocalAddr())
		c.SetReadDeadline(time.Now().Add(time.Second))
		said(t, s, c, "read i/o timeout")
		s.Host("b").Crash()
		said(t, s, c, "write 1", "read i/o timeout")
	})
}

// Whether somebody is at a port is asked when a datagram arrives, and a SYN, not when it is sent.
func TestBoundInTime(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: arrival})
		b := s.Host("b")
		c, err := net.Dial("udp", "b:53")
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("one"))
		time.Sleep(arrival / 2)
		b.Do(func() {
			pc, err := net.ListenPacket("udp", ":53")
			if err != nil {
				t.Error(err)
				return
			}
			said(t, s, pc.(net.Conn), "read 3")
			c.Write([]byte("for the next"))
			pc.Close()
			pc, err = net.ListenPacket("udp", ":53")
			if err != nil {
				t.Error(err)
				return
			}
			pc.SetReadDeadline(time.Now().Add(time.Second))
			said(t, s, pc.(net.Conn), "read 12")
			pc.Close()
			c.Write([]byte("too late"))
			time.Sleep(settled)
			pc, err = net.ListenPacket("udp", ":53")
			if err != nil {
				t.Error(err)
				return
			}
			pc.SetReadDeadline(time.Now().Add(time.Second))
			said(t, s, pc.(net.Conn), "read i/o timeout")
		})
		said(t, s, c, "write connection refused", "write 1")
		b.Go(func() {
			time.Sleep(arrival / 2)
			if _, err := net.Listen("tcp", ":80"); err != nil {
				t.Error(err)
			}
		})
		if _, err := net.Dial("tcp", "b:80"); err != nil {
			t.Error(err)
		}
	})
}

// So do Unix sockets.
func TestUnixEnds(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("a").Do(func() {
			if _, err := net.Dial("unix", "/run/s"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a path that is not there: %v", err)
			}
			ln, err := net.Listen("unix", "/run/s")
			if err != nil {
				t.Error(err)
				return
			}
			for _, unread := range []bool{false, true} {
				c, err := net.Dial("unix", "/run/s")
				if err != nil {
					t.Error(err)
					return
				}
				d, _ := ln.Accept()
				d.Write([]byte("answer"))
				if c.LocalAddr().String() != "@" || d.RemoteAddr().String() != "@" {
					t.Errorf("who dialled is %q and %q", c.LocalAddr(), d.RemoteAddr())
				}
				want := []string{"write broken pipe", "read 6", "read EOF"}
				if unread {
					c.Write([]byte("not read"))
					want = []string{"write broken pipe", "read 6", "read connection reset by peer", "read EOF"}
				}
				d.Close()
				said(t, s, c, want...)
			}
		})
	})
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
