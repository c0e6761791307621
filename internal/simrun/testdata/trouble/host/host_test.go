// Package host fails where only some tests do.
package host

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// The test fails, and what runs on the host ends there.
func TestFatal(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Go(func() {
			time.Sleep(time.Second)
			t.Fatal("planted, on a host")
		})
		time.Sleep(2 * time.Second)
		s.Event("the others go on")
	})
}

// Two that wait for each other, and time that goes nowhere.
func TestDeadlock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		a, b := make(chan int), make(chan int)
		go waits(a)
		go waits(b)
		time.Sleep(time.Second)
		<-make(chan int)
	})
}

func waits(c chan int) { <-c }

func TestNil(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Boot(func() {
			var m map[string]int
			m["planted"] = 1
		})
		time.Sleep(time.Second)
	})
}
