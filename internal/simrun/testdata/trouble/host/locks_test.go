package host

import (
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/sim/disk"
)

// A log that outlives its host, with its lock: the host crashes while it holds it, and waits for it for ever when it is back.
func TestLockLeft(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var log struct {
			mu sync.RWMutex
			n  int
		}
		wrote := make(chan bool, 2)
		h := s.Host("h")
		h.Boot(func() {
			log.mu.Lock()
			log.n++
			time.Sleep(time.Second) // as a slow disk
			log.mu.Unlock()
			wrote <- true
		})
		time.Sleep(500 * time.Millisecond)
		h.Restart()
		select {
		case <-wrote:
		case <-time.After(time.Minute):
			t.Error("nothing was written")
		}
	})
}

// Where nobody has waited for long, nothing is said of locks.
func TestLockHeld(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var mu sync.Mutex
		mu.Lock()
		go mu.Lock()
		time.Sleep(500 * time.Millisecond)
		t.Error("planted, while one waits")
		mu.Unlock()
	})
}

// Two locks, taken both ways round by what a host is asked to do.
func TestDoDeadlock(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var a, b sync.Mutex
		h := s.Host("h")
		var wg sync.WaitGroup
		wg.Go(func() { h.Do(func() { both(&a, &b) }) })
		wg.Go(func() { h.Do(func() { both(&b, &a) }) })
		wg.Wait()
	})
}

func both(first, second *sync.Mutex) {
	first.Lock()
	time.Sleep(time.Second)
	second.Lock()
}

// A pattern that cannot be is the test's mistake, at its line.
func TestNoSuchFault(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("h").Disk().Fail(disk.Write, "[")
	})
}
