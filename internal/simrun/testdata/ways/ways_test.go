// Package ways has tests that fail in two ways each which look alike: a rare one that takes two draws, and another that takes one. It is built with
// the overlay only.
package ways

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// draws says whether the rare way comes, and the other.
func draws(s *sim.Sim) (rare, other bool) {
	a, b := s.Choose(2), s.Choose(2)
	return a+b == 2, a+b > 0
}

// By a helper, of the test outside or inside.
func TestHelper(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		if rare {
			holds(t, false)
		}
		holds(t, !other)
	})
}

func TestHelperInside(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		if rare {
			holds(s.T(), false)
		}
		holds(s.T(), !other)
	})
}

func holds(t testing.TB, ok bool) {
	t.Helper()
	check(t, ok)
}

func check(t testing.TB, ok bool) {
	t.Helper()
	if !ok {
		t.Error("it does not hold")
	}
}

// By a function that does not say that it is a helper.
func TestUnmarked(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		if rare {
			unmarked(t, false)
		}
		unmarked(t, !other)
	})
}

func unmarked(t *testing.T, ok bool) {
	if !ok {
		t.Error("it does not hold")
	}
}

// In a cleanup, when the simulation is over.
func TestCleanup(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		t.Cleanup(func() {
			if rare {
				holds(t, false)
			}
			holds(t, !other)
		})
	})
}

func TestPanic(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		var p *int
		if rare {
			*p = 1
		}
		if other {
			*p = 2
		}
	})
}

func TestPanicOnHost(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Do(func() {
			rare, other := draws(s)
			defer func() { // what is told once more comes from where it came first
				if err := recover(); err != nil {
					panic(err)
				}
			}()
			var all []int
			if rare {
				all[7]++
			}
			if other {
				all[8]++
			}
		})
	})
}

func TestDeadlock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		c, done := make(chan int), make(chan int)
		go func() {
			if rare {
				<-c
			}
			if other {
				<-c
			}
			close(done)
		}()
		<-done
	})
}

// Seen with the race detector alone.
func TestRace(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		rare, other := draws(s)
		n := 0
		go func() {
			if other && !rare {
				n++
			}
			if rare {
				n++
			}
		}()
		if other {
			n++
		}
		time.Sleep(time.Second)
	})
}
