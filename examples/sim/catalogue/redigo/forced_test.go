package redigo

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gomodule/redigo/redis"
)

// A late context ends when it is looked at for the last time, which is after the place was taken.
type late struct {
	context.Context
	cancel func()
	looks  *int
}

func (l late) Done() <-chan struct{} {
	if *l.looks++; *l.looks == 2 {
		l.cancel()
	}
	return l.Context.Done()
}

// TestForced brings the bad order about, by a context that knows when it is looked at.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	synctest.Test(t, func(t *testing.T) {
		pool := &redis.Pool{MaxActive: 1, MaxIdle: 1, Wait: true, Dial: func() (redis.Conn, error) { return conn{}, nil }}
		first := pool.Get()
		ctx, cancel := context.WithCancel(t.Context())
		go pool.GetContext(late{ctx, cancel, new(int)})
		synctest.Wait()
		first.Close()
		synctest.Wait()
		later, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if _, err := pool.GetContext(later); err != nil {
			t.Errorf("all connections were given back, and none can be had: %v", err)
		}
	})
}
