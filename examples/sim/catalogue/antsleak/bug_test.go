// Package antsleak holds github.com/panjf2000/ants to its promise: a released pool ends its workers.
//
// In v2.4.2 a worker that had seen the pool open could put itself back after the pool was emptied; nobody ended it any more.
// https://github.com/panjf2000/ants/issues/113
//
// The order it takes: the worker looks whether the pool is open, the pool is closed and emptied, the worker puts itself back.
package antsleak

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/panjf2000/ants/v2"
)

func TestAntsLeak(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		pool, err := ants.NewPool(2, ants.WithExpiryDuration(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := pool.Submit(func() {}); err != nil {
				t.Fatal(err)
			}
		}
		pool.Release()
		time.Sleep(time.Minute)
		if n := pool.Running(); n != 0 {
			t.Errorf("the pool was released a minute ago, and has %d workers", n)
			pool.Reboot() // who is forgotten now is ended by age
			time.Sleep(time.Minute)
			pool.Release()
			time.Sleep(time.Minute)
		}
	})
}
