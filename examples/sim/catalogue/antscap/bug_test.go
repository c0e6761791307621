// Package antscap holds github.com/panjf2000/ants to its promise: a pool of one runs one task at a time.
//
// Until v2.11.3 the pool looked whether there was room for a worker, gave up its lock, and started the worker.
// https://github.com/panjf2000/ants/issues/374
//
// The order it takes: two callers look before either has started its worker. Between the two steps there is no operation but those of
// the functions of sync/atomic.
package antscap

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/panjf2000/ants/v2"
)

func TestAntsCapacity(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		pool, err := ants.NewPool(1, ants.WithExpiryDuration(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var running, worst atomic.Int32
		var callers, tasks sync.WaitGroup
		for range 3 {
			tasks.Add(1)
			callers.Go(func() {
				err := pool.Submit(func() {
					defer tasks.Done()
					if n := running.Add(1); n > worst.Load() {
						worst.Store(n)
					}
					time.Sleep(time.Millisecond)
					running.Add(-1)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		tasks.Wait()
		pool.Release()
		time.Sleep(time.Minute) // its workers end
		if n := worst.Load(); n > 1 {
			t.Errorf("a pool of one ran %d tasks at the same time", n)
		}
	})
}
