// Package semaphore holds golang.org/x/sync/semaphore to a promise: a token that is free and asked for by nobody else is given out.
//
// Before 2020-03-17 a waiter at the front of the queue that gave up took nobody along: those behind it slept on, although what they
// asked for was free. https://github.com/golang/go/issues/37852
//
// The order it takes: the large request queues, the small one queues behind it, and only then the large one is cancelled.
package semaphore

import (
	"context"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
	"golang.org/x/sync/semaphore"
)

func TestSemaphore(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		tokens := semaphore.NewWeighted(2)
		if !tokens.TryAcquire(1) { // a long job has one of two
			t.Fatal("a fresh semaphore has no token")
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			if tokens.Acquire(ctx, 2) == nil {
				tokens.Release(2)
			}
		}()
		served := make(chan struct{})
		go func() {
			defer close(served)
			if tokens.Acquire(context.Background(), 1) == nil {
				tokens.Release(1)
			}
		}()
		go cancel()

		select {
		case <-served:
		case <-time.After(time.Minute):
			t.Error("one token is free, nobody else waits for it, and who asks for it sleeps")
		}
		tokens.Release(1) // whoever still sleeps wakes
		<-served
	})
}
