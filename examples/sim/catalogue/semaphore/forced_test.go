package semaphore

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"
)

// TestForced brings the bad order about, step by step.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	synctest.Test(t, func(t *testing.T) {
		tokens := semaphore.NewWeighted(2)
		tokens.TryAcquire(1)
		ctx, cancel := context.WithCancel(t.Context())
		go tokens.Acquire(ctx, 2)
		synctest.Wait()
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = tokens.Acquire(context.Background(), 1)
		}()
		synctest.Wait()
		cancel()
		select {
		case <-served:
		case <-time.After(time.Minute):
			t.Error("one token is free, nobody else waits for it, and who asks for it sleeps")
		}
		tokens.Release(1)
		<-served
	})
}
