// Package beside has tests of every kind beside simulations.
package beside

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

func TestMain(m *testing.M) { m.Run() }

func TestOrdinary(t *testing.T) { time.Sleep(time.Millisecond) }

func FuzzOrdinary(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(t *testing.T, n int) {})
}

func BenchmarkOrdinary(b *testing.B) {
	for b.Loop() {
	}
}

func ExampleRun() {
	// Output:
}

func TestSubtests(t *testing.T) {
	for _, name := range []string{"one", "two words", "a/b"} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) {
				time.Sleep(time.Second)
				sim.Always(s.Now() >= time.Second, "time goes on")
			})
		})
	}
}

// Simulations of one process come one after the other, however parallel their tests are.
func TestParallel(t *testing.T) {
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim.Run(t, func(s *sim.Sim) {
				for range 20 {
					time.Sleep(time.Duration(1+s.Choose(3)) * time.Millisecond)
					s.Event("%s", name)
				}
				sim.Always(s.T().Name() == t.Name(), "each has its own")
			})
		})
	}
}
