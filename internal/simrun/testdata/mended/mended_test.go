// Package mended is package bugs after somebody has worked on it.
package mended

import (
	"sync"
	"testing"

	"github.com/assay-dev/assay/sim"
)

type account struct {
	mu sync.Mutex
	n  int
}

func (a *account) add(n int) { a.mu.Lock(); defer a.mu.Unlock(); a.n += n }

// The update is one step now.
func TestLostUpdate(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		var a account
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { a.add(1) })
		}
		wg.Wait()
		sim.Always(a.n == 2, "no update is lost", a.n)
	})
}
