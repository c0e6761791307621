package singleflight

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/singleflight"
)

// TestForced brings the bad order about, by the clock.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	synctest.Test(t, func(t *testing.T) {
		var calls singleflight.Group
		running := 0
		call := func(d time.Duration, counts bool) {
			go calls.Do("price", func() (any, error) {
				if counts {
					if running++; running > 1 {
						t.Error("two calls made after the key was forgotten work at the same time")
					}
					defer func() { running-- }()
				}
				time.Sleep(d)
				return nil, nil
			})
			synctest.Wait()
		}
		call(10*time.Second, false)
		calls.Forget("price")
		call(30*time.Second, true)
		time.Sleep(20 * time.Second) // the first has ended, the second has not
		call(time.Second, true)
		time.Sleep(time.Minute)
	})
}
