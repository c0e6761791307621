// Package puddle holds github.com/jackc/puddle, the pool within pgx, to its promise: whoever waits for a place gets it when it is free.
//
// Until v1.1.2 a resource that could not be made gave its place up without waking anybody.
// https://github.com/jackc/puddle/pull/7
//
// The order it takes: a second caller finds the pool full while the first is about to fail. There is no other step between.
package puddle

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/jackc/puddle"
)

func TestPuddle(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		var dials atomic.Int32
		dial := func(context.Context) (any, error) {
			if dials.Add(1) == 1 {
				return nil, errors.New("refused")
			}
			return "connection", nil
		}
		pool := puddle.NewPool(dial, func(any) {}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var callers sync.WaitGroup
		for range 2 {
			callers.Go(func() {
				resource, err := pool.Acquire(ctx)
				switch {
				case err == nil:
					resource.Release()
				case ctx.Err() != nil:
					t.Error("a place is free, and who waits for one sleeps")
				}
			})
		}
		callers.Wait()
		pool.Close()
	})
}
