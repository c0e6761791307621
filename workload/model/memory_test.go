package model_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/assay-dev/assay/workload/model"
)

// A memory is a database in this process that does all at once, and a defect in how.
type memory struct {
	mu     sync.Mutex
	stale  map[string]int64 // registers as they were when a client first read
	regs   map[string]int64
	lists  map[string][]int64
	money  []int64
	set    []int64
	queue  []int64
	defect string
	writes int
	opens  atomic.Int64
}

func newMemory(defect string) *memory {
	return &memory{regs: map[string]int64{}, stale: map[string]int64{}, lists: map[string][]int64{}, money: []int64{20, 20, 20}, defect: defect}
}

// answered is what a client is told of a write that took effect: every fifth answer is lost.
func (m *memory) answered() error {
	m.writes++
	switch {
	case m.writes%5 != 0:
		return nil
	case m.defect == "lost-answers":
		return errors.New("connection reset")
	case m.defect == "lying":
		return model.Refused(errors.New("not done"))
	}
	return nil
}

// drops says whether a write is to be acknowledged and forgotten.
func (m *memory) drops() bool { return m.defect == "drops" && m.writes%7 == 6 }

type client struct{ *memory }

func (c client) Read(_ context.Context, key string) (int64, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := c.regs
	if c.defect == "stale" {
		from = c.stale
	}
	v, ok := from[key]
	return v, ok, nil
}

func (c client) Write(_ context.Context, key string, value int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.drops() {
		c.regs[key] = value
	}
	return c.answered()
}

func (c client) Swap(_ context.Context, key string, from, to int64) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.regs[key] != from {
		return false, nil
	}
	c.regs[key] = to
	return true, c.answered()
}

func (c client) Txn(_ context.Context, ops []model.Micro) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, op := range ops {
		if op.Append {
			c.lists[op.Key] = append(c.lists[op.Key], op.Value)
		} else {
			ops[i].List = slices.Clone(c.lists[op.Key])
		}
	}
	return c.answered()
}

func (c client) Transfer(_ context.Context, from, to int, amount int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.money[from] < amount {
		return model.ErrFunds
	}
	c.money[from] -= amount
	if !c.drops() {
		c.money[to] += amount
	}
	return c.answered()
}

func (c client) Balances(context.Context) ([]int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.money), nil
}

// A set and a queue are other clients: their methods have the names of a register's.
type setClient struct{ *memory }

func (c setClient) Add(_ context.Context, value int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.drops() {
		c.set = append(c.set, value)
	}
	return c.answered()
}

func (c setClient) Read(context.Context) ([]int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.set), nil
}

func (c client) Enqueue(_ context.Context, value int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.drops() {
		c.queue = append(c.queue, value)
	}
	return c.answered()
}

func (c client) Dequeue(context.Context) (int64, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return 0, false, nil
	}
	value := c.queue[0]
	c.queue = c.queue[1:]
	return value, true, c.answered()
}
