package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/assay-dev/assay/examples/consistency/postgres"
)

// A crasher kills the server once, after so many numbers were acknowledged.
type crasher struct {
	t      *testing.T
	server *server
	after  int
	mu     sync.Mutex
	adds   int
}

// A fragile set is used while its server crashes.
type fragile struct {
	*postgres.Set
	crash *crasher
}

func (c *crasher) set(s *postgres.Set) fragile { return fragile{s, c} }

func (f fragile) Add(ctx context.Context, value int64) error {
	err := f.Set.Add(ctx, value)
	if err == nil {
		f.crash.added()
	}
	return err
}

func (c *crasher) added() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adds++; c.adds == c.after {
		c.server.crash(c.t)
	}
}

func (c *crasher) done() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.adds >= c.after
}
