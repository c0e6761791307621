package simtest

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// spins wait without waiting: for each other, and for time to pass.
func spins() map[string]func() {
	return map[string]func(){
		"atomic": func() {
			var done atomic.Bool
			go done.Store(true)
			for !done.Load() {
			}
		},
		"function": func() {
			var done int32
			go atomic.StoreInt32(&done, 1)
			for atomic.LoadInt32(&done) == 0 {
			}
		},
		"Gosched": func() {
			var ready, done atomic.Bool
			go func() {
				for !ready.Load() {
					runtime.Gosched()
				}
				done.Store(true)
			}()
			go ready.Store(true)
			for !done.Load() {
				runtime.Gosched()
			}
		},
		"lock": func() {
			var mu sync.Mutex
			done := false
			go func() { mu.Lock(); done = true; mu.Unlock() }()
			for seen := false; !seen; {
				mu.Lock()
				seen = done
				mu.Unlock()
			}
		},
		"spin lock": func() {
			var held atomic.Int32
			var all sync.WaitGroup
			n := 0
			for range 3 {
				all.Go(func() {
					for range 3 {
						for !held.CompareAndSwap(0, 1) {
						}
						n++
						held.Store(0)
					}
				})
			}
			all.Wait()
			sim.Always(n == 9, "a spin lock holds", n)
		},
		"timer": func() {
			var done atomic.Bool
			time.AfterFunc(3*time.Millisecond, func() { done.Store(true) })
			for !done.Load() {
			}
		},
		"clock": func() {
			var turns atomic.Int64
			for began := time.Now(); time.Since(began) < 3*time.Millisecond; {
				turns.Add(1)
			}
		},
	}
}

// A loop over an atomic or a free lock starves nobody, and simulated time goes on meanwhile.
func TestSpins(t *testing.T) {
	for name, spin := range spins() {
		t.Run(name, func(t *testing.T) {
			sim.RunWith(t, sim.Options{Stall: 10 * time.Second}, func(s *sim.Sim) {
				if !s.Seeded() {
					return // plainly, no simulated time passes
				}
				spin()
			})
		})
	}
}

// Each kind of operation on an atomic is one before which another goroutine may run.
func TestAtomics(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var number atomic.Int64
		var flag atomic.Bool
		var word uint32
		var pointer atomic.Pointer[int]
		var value atomic.Value
		var between [5]bool
		parted := func(i int, set func(), isSet func() bool) {
			go set()
			before := isSet()
			between[i] = !before && isSet()
		}
		parted(0, func() { number.Add(1) }, func() bool { return number.Load() == 1 })
		parted(1, func() { flag.Store(true) }, flag.Load)
		parted(2, func() { atomic.CompareAndSwapUint32(&word, 0, 1) }, func() bool { return atomic.LoadUint32(&word) == 1 })
		parted(3, func() { pointer.Swap(new(int)) }, func() bool { return pointer.Load() != nil })
		parted(4, func() { value.Store(1) }, func() bool { return value.Load() != nil })
		for i, name := range []string{"int64", "bool", "uint32", "pointer", "value"} {
			sim.Sometimes(between[i], "between two loads of "+name)
		}
	})
}
