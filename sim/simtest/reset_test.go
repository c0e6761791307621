package simtest

import (
	"errors"
	"net"
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
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) {
				s.Links(sim.Link{Latency: 10 * time.Millisecond})
				f(s.T(), s)
			})
		})
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
