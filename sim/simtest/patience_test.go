package simtest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// connected is a connection from host a to host b, made at once.
func connected(t *testing.T, s *sim.Sim, config net.ListenConfig, dialer net.Dialer) (a, b net.Conn) {
	t.Helper()
	got := make(chan net.Conn, 2)
	s.Host("b").Go(func() {
		ln, err := config.Listen(t.Context(), "tcp", ":80")
		if err != nil {
			t.Error(err)
			return
		}
		c, err := ln.Accept()
		if err != nil {
			t.Error(err)
		}
		got <- c
	})
	time.Sleep(time.Millisecond)
	s.Host("a").Do(func() {
		c, err := dialer.Dial("tcp", "b:80")
		if err != nil {
			t.Error(err)
		}
		a = c
	})
	return a, <-got
}

func part(s *sim.Sim) { s.Partition([]*sim.Host{s.Host("a")}, []*sim.Host{s.Host("b")}) }

// ends reads until an error, and says when it came.
func ends(s *sim.Sim, c net.Conn) (time.Duration, error) {
	for {
		if _, err := c.Read(make([]byte, 100)); err != nil {
			return s.Now(), err
		}
	}
}

func TestPatience(t *testing.T) {
	within := func(t *testing.T, what string, at time.Duration, err error, from, to time.Duration, want error) {
		t.Helper()
		if at < from || at > to || !errors.Is(err, want) {
			t.Errorf("%s: %v after %v, want %v after %v to %v", what, err, at, want, from, to)
		}
	}
	for name, f := range map[string]func(*testing.T, *sim.Sim){
		"what was sent into a cut is given up": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			part(s)
			a.Write([]byte("x"))
			other := make(chan bool)
			go func() {
				defer close(other)
				at, err := ends(s, b)
				within(t, "the idle end", at, err, 2*time.Minute, 3*time.Minute, syscall.ETIMEDOUT)
			}()
			at, err := ends(s, a)
			within(t, "who sent", at, err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
			if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("a later write: %v", err)
			}
			<-other
			s.Heal()
			a.Close()
			b.Close()
		},
		"so is it where only the acknowledgement does not come": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			s.Cut(s.Host("b"), s.Host("a"))
			a.Write([]byte("x"))
			if _, err := io.ReadFull(b, make([]byte, 1)); err != nil {
				t.Error(err)
			}
			at, err := ends(s, a)
			within(t, "who sent", at, err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
		},
		"a writer without room gives up, too": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			part(s)
			_, err := a.Write(make([]byte, 10<<20))
			within(t, "who wrote", s.Now(), err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
		},
		"a heal in time changes nothing": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{KeepAlive: -1}, net.Dialer{})
			part(s)
			a.Write([]byte("x"))
			time.Sleep(14 * time.Minute)
			s.Heal()
			time.Sleep(time.Hour)
			b.Write([]byte("y"))
			for _, c := range []net.Conn{a, b} {
				if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
					t.Error(err)
				}
			}
		},
		"probes end an idle connection": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{}, net.Dialer{})
			part(s)
			for what, c := range map[string]net.Conn{"a": a, "b": b} {
				at, err := ends(s, c)
				within(t, what, at, err, 150*time.Second, 160*time.Second, syscall.ETIMEDOUT)
			}
		},
		"without probes nobody learns of it, before something is sent": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{KeepAlive: -1}, net.Dialer{})
			part(s)
			at, err := ends(s, a)
			within(t, "who probes", at, err, 150*time.Second, 160*time.Second, syscall.ETIMEDOUT)
			time.Sleep(time.Hour)
			s.Heal()
			b.SetReadDeadline(time.Now().Add(time.Hour))
			if _, err := ends(s, b); !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
				t.Errorf("who does not: %v", err)
			}
			b.SetReadDeadline(time.Time{})
			b.Write([]byte("x"))
			began := s.Now()
			at, err = ends(s, b)
			within(t, "who does not, after sending", at-began, err, 0, time.Second, syscall.ECONNRESET)
		},
		"a host that is down answers nothing": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			s.Host("b").Crash()
			a.Write([]byte("x"))
			at, err := ends(s, a)
			within(t, "who sent", at, err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
		},
		"nor does it acknowledge what was on its way": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			a.Write([]byte("x"))
			s.Host("b").Crash()
			at, err := ends(s, a)
			within(t, "who sent", at, err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
		},
		"who waits for one that is down has probes": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			s.Host("b").Crash()
			at, err := ends(s, a)
			within(t, "who waits", at, err, 150*time.Second, 160*time.Second, syscall.ETIMEDOUT)
		},
		"or waits for ever": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{KeepAlive: -1})
			s.Host("b").Crash()
			time.Sleep(time.Hour)
			s.Host("b").Restart()
			a.SetReadDeadline(time.Now().Add(time.Hour))
			if _, err := ends(s, a); !isTimeout(err) || errors.Is(err, syscall.ETIMEDOUT) {
				t.Errorf("who waits: %v", err)
			}
		},
		"one that comes back resets": func(t *testing.T, s *sim.Sim) {
			for _, sends := range []bool{true, false} {
				s.Host("b").Restart()
				a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
				s.Host("b").Crash()
				if sends {
					a.Write([]byte("x"))
				}
				time.Sleep(time.Minute)
				s.Host("b").Restart()
				began, most := s.Now(), 16*time.Second
				if sends {
					most = time.Second
				}
				at, err := ends(s, a)
				within(t, fmt.Sprintf("sends %v", sends), at-began, err, 0, most, syscall.ECONNRESET)
			}
		},
		"but not beyond a cut": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			part(s)
			s.Host("b").Crash()
			a.Write([]byte("x"))
			s.Host("b").Restart()
			time.Sleep(10 * time.Minute)
			s.Heal()
			began := s.Now()
			at, err := ends(s, a)
			within(t, "who sent", at-began, err, 0, time.Second, syscall.ECONNRESET)
		},
		"nor before it is up": func(t *testing.T, s *sim.Sim) {
			a, _ := connected(t, s, net.ListenConfig{}, net.Dialer{})
			part(s)
			a.Write([]byte("x"))
			s.Host("b").Crash()
			time.Sleep(time.Minute)
			s.Heal()
			at, err := ends(s, a)
			within(t, "who sent", at, err, 15*time.Minute, 16*time.Minute, syscall.ETIMEDOUT)
		},
		"who came back is reset by the one who gave up": func(t *testing.T, s *sim.Sim) {
			a, b := connected(t, s, net.ListenConfig{KeepAlive: -1}, net.Dialer{})
			part(s)
			b.Write([]byte("x"))
			at, err := ends(s, a) // it has nothing to acknowledge that it knows of
			within(t, "who probes", at, err, 150*time.Second, 160*time.Second, syscall.ETIMEDOUT)
			a.Close()
			s.Heal()
			began := s.Now()
			at, err = ends(s, b)
			within(t, "who sent", at-began, err, 0, time.Second, syscall.ECONNRESET)
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) { f(s.T(), s) })
		})
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}
