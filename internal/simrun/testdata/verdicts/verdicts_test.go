// Package verdicts has tests of which it is not plain what they come to. It is built with the overlay only.
package verdicts

import (
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// twice adds 1 to a number in two goroutines, and an update may be lost.
func twice() int {
	var mu sync.Mutex
	n := 0
	get := func() int { mu.Lock(); defer mu.Unlock(); return n }
	set := func(to int) { mu.Lock(); defer mu.Unlock(); n = to }
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { set(get() + 1) })
	}
	wg.Wait()
	return n
}

// The check comes after the simulation.
func TestAfter(t *testing.T) {
	n := 0
	sim.Run(t, func(s *sim.Sim) { n = twice() })
	if n != 2 {
		t.Errorf("after it: an update is lost: %d", n)
	}
}

func TestInCleanup(t *testing.T) {
	n := 0
	sim.Run(t, func(s *sim.Sim) {
		t.Cleanup(func() {
			if n != 2 {
				t.Errorf("in Cleanup: an update is lost: %d", n)
			}
		})
		n = twice()
	})
}

// This Cleanup comes after all that package sim can see.
func TestEarlyCleanup(t *testing.T) {
	n := 0
	t.Cleanup(func() {
		if n != 2 {
			t.Errorf("in an early Cleanup: an update is lost: %d", n)
		}
	})
	sim.Run(t, func(s *sim.Sim) { n = twice() })
}

func TestPanicsAfter(t *testing.T) {
	n := 0
	sim.Run(t, func(s *sim.Sim) { n = twice() })
	if n != 2 {
		panic("after it: an update is lost")
	}
}

func TestParent(t *testing.T) {
	n := 0
	t.Run("child", func(t *testing.T) { sim.Run(t, func(s *sim.Sim) { n = twice() }) })
	if n != 2 {
		t.Error("in the parent: an update is lost")
	}
}

// Of two simulations in one test the second fails.
func TestSecond(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
	sim.Run(t, func(s *sim.Sim) {
		n := twice()
		sim.Always(n == 2, "no update is lost in the second", n)
	})
}

func TestFirst(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		n := twice()
		sim.Always(n == 2, "no update is lost in the first", n)
	})
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
}

func TestSkipsInside(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		sim.Covers("write", "timeout")
		sim.Reachable("begun")
		s.T().Skip("no disk in here")
	})
}

func TestSkipsOuter(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		sim.Reachable("begun")
		t.Skip("no disk in here")
	})
}

func TestSkipsSome(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		if s.Seed() == 3 {
			s.T().SkipNow()
		}
	})
}

// The number of the process is no function of a seed.
func TestNotCertain(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Event("process %d", os.Getpid())
		if s.Seed() == 4 {
			t.Error("planted, with another trace each time")
		}
	})
}

func TestSameName(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		sim.Always(true, "x")
		sim.Sometimes(false, "x")
	})
}

// The process ends before the test does, and says that all is well.
func TestExits(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
	os.Exit(0)
}

func TestExitsByTheKernel(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
	syscall.Exit(0)
}

// An assertion in the simulation's own Cleanup.
func TestInnerCleanup(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.T().Cleanup(func() { sim.Always(false, "planted in the inner Cleanup") })
	})
}

// A goroutine goes on when the simulation's function has returned, in whatever order.
func TestGoesOn(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		go func() { sim.Always(false, "planted in what goes on") }()
	})
}

// The second simulation of a test that failed before.
func TestGoesOnLate(t *testing.T) {
	for range 2 {
		sim.Run(t, func(s *sim.Sim) {
			go func() { sim.Always(false, "planted in what goes on") }()
		})
	}
}

// An assertion when the simulation is over, and the test is not.
func TestAlwaysAfter(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
	sim.Always(false, "planted after it")
}

func TestUnreachableAfter(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t.Cleanup(func() { sim.Unreachable("planted after it", "in Cleanup") })
	})
}

// What is asserted where no simulation is, and none was, is nobody's: code under test is run by other tests, too.
func TestAlwaysElsewhere(t *testing.T) {
	sim.Always(false, "planted before it")
	sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) })
}
