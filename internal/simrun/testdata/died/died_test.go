// Package died has a test that ends its process at each seed, and others after it. It is built with the overlay only.
package died

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

func TestBefore(t *testing.T) { sim.Run(t, func(s *sim.Sim) {}) }

func TestDies(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Go(func() { panic("planted") })
		time.Sleep(time.Second)
	})
}

func TestDiesLater(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if s.Seed() > 2 {
			<-make(chan int)
		}
	})
}

func TestFails(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { sim.Unreachable("the test after those that die") })
}

func TestHolds(t *testing.T) { sim.Run(t, func(s *sim.Sim) {}) }
