package puddle

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/puddle"
)

// TestForced brings the bad order about: the first dial fails when the second caller waits.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	synctest.Test(t, func(t *testing.T) {
		failed := false
		pool := puddle.NewPool(func(context.Context) (any, error) {
			if !failed {
				failed = true
				time.Sleep(time.Second)
				return nil, errors.New("refused")
			}
			return "connection", nil
		}, func(any) {}, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go pool.Acquire(ctx)
		synctest.Wait()
		if resource, err := pool.Acquire(ctx); err != nil {
			t.Error("a place is free, and who waits for one sleeps")
		} else {
			resource.Release()
		}
		pool.Close()
	})
}
