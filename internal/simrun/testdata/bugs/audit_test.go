package bugs

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

var counted int // runs of this process

// No function of the seed: what a run does depends on those before it.
func TestCounts(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		counted++
		time.Sleep(time.Second)
		s.Event("run %d", counted)
		time.Sleep(time.Second)
	})
}

var (
	seen  = map[int]bool{} // by runs of this process
	clock atomic.Int64     // what another goroutine counts in real time
)

// A map of the package remembers what runs before did.
func TestMapOfPackage(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		seen[len(seen)] = true
		if len(seen)%2 == 0 {
			s.Event("an even run")
		}
		time.Sleep(time.Second)
	})
}

// The real clock comes in by a goroutine outside.
func TestRealClock(t *testing.T) {
	go func() {
		for range 1000 {
			clock.Store(time.Now().UnixNano())
			time.Sleep(time.Microsecond)
		}
	}()
	for clock.Load() == 0 {
		runtime.Gosched()
	}
	sim.Run(t, func(s *sim.Sim) {
		s.Event("it is %d", clock.Load())
	})
}

// Random numbers, maps and the clock are the seed's.
func TestSeeded(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Event("%d %d", rand.Int(), time.Now().UnixNano())
		for k := range map[int]bool{1: true, 2: true, 3: true, 4: true} {
			s.Event("%d", k)
		}
	})
}

type leaf struct{ n int }

// deep is the same pointer before and after.
var deep = &struct{ leaves map[string][]*leaf }{leaves: map[string][]*leaf{"a": {{1}, {2}}}}

func TestDeepInPackage(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		deep.leaves["a"][1].n++
		time.Sleep(time.Second)
	})
}

// What it logs comes before what lets it fail, and that is one of two.
func TestLogsFirst(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t.Log("starting")
		n := 0
		var mu sync.Mutex
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				mu.Lock()
				old := n
				mu.Unlock()
				mu.Lock()
				n = old + 1
				mu.Unlock()
			})
		}
		wg.Wait()
		switch n {
		case 1:
			t.Error("two updates are lost")
		case 2:
			t.Error("one update is lost")
		}
	})
}

// It tells what it sees of the machine.
func TestMachine(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) { sim.Always(runtime.NumCPU() == 4, "four processors", runtime.NumCPU()) })
}

// Two of its parts fail.
func TestParts(t *testing.T) {
	for _, part := range []string{"one", "two", "three"} {
		t.Run(part, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) { sim.Always(part == "one", "it is the first", part) })
		})
	}
}
