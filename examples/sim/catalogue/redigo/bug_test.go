// Package redigo holds the pool of github.com/gomodule/redigo to its promise: a connection that was given back can be had again.
//
// In v1.8.2 a caller whose context ended just as a place became free took the place and kept it: the pool shrank by one for ever.
// https://github.com/gomodule/redigo/issues/520
//
// The order it takes: a caller waits, the connection is given back and the caller chosen for it, and the caller's context ends before
// the caller looks at it once more.
package redigo

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/sim"
	"github.com/gomodule/redigo/redis"
)

// A conn is a connection to nowhere that is always well.
type conn struct{}

func (conn) Close() error                   { return nil }
func (conn) Err() error                     { return nil }
func (conn) Do(string, ...any) (any, error) { return nil, nil }
func (conn) Send(string, ...any) error      { return nil }
func (conn) Flush() error                   { return nil }
func (conn) Receive() (any, error)          { return nil, nil }

func TestRedigo(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		pool := &redis.Pool{MaxActive: 1, MaxIdle: 1, Wait: true, Dial: func() (redis.Conn, error) { return conn{}, nil }}
		first := pool.Get()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			if c, err := pool.GetContext(ctx); err == nil {
				c.Close()
			}
		}()
		go first.Close()
		go cancel()
		<-done
		synctest.Wait()

		later, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if c, err := pool.GetContext(later); err != nil {
			t.Errorf("all connections were given back, and none can be had: %v", err)
		} else {
			c.Close()
		}
	})
}
