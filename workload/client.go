package workload

import (
	"fmt"
	"sync"
	"time"

	"github.com/assay-dev/assay/history"
)

// A client is a logical process: it makes one run at a time, on a goroutine
// that it keeps, because fresh goroutines would grow their stacks for each run.
type client struct {
	name  string // of its session
	first string // its first name
	lives int    // sessions that it had
	jobs  chan job

	mu       sync.Mutex
	open     bool
	current  job
	op       history.Op    // of the current run
	deadline time.Duration // when the current step should have ended
}

// A job is one scheduled run.
type job struct {
	drive     *drive
	load      *load
	n         uint64
	scheduled time.Duration
}

func (c *client) begin(j job, op history.Op) {
	c.mu.Lock()
	c.open, c.current, c.op, c.deadline = true, j, op, 0
	c.mu.Unlock()
}

// end returns the operation of the current run, and true for the one caller that may record it.
func (c *client) end() (history.Op, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.open
	c.open = false
	return c.op, was
}

// renew gives the client a new name, such as c3.2: what it did before may still be on its way, so it is no longer one process that does
// one thing after the other. It is for the client's goroutine only.
func (c *client) renew() {
	c.lives++
	c.name = fmt.Sprintf("%s.%d", c.first, c.lives)
}

// expect notes when the step that starts now should have ended.
func (c *client) expect(deadline time.Duration) {
	c.mu.Lock()
	c.deadline = deadline
	c.mu.Unlock()
}

// clients is the pool of clients that are free.
type clients struct {
	mu   sync.Mutex
	all  []*client
	free []*client
	busy int
	peak int

	closed bool
}

// take returns a free client, or a new one, or nil when limit clients are busy.
func (p *clients) take(limit int) (c *client, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy >= limit {
		return nil, false
	}
	p.busy++
	p.peak = max(p.peak, p.busy)
	if last := len(p.free) - 1; last >= 0 {
		c, p.free = p.free[last], p.free[:last]
		return c, false
	}
	name := fmt.Sprintf("c%d", len(p.all)+1)
	c = &client{name: name, first: name, lives: 1, jobs: make(chan job, 1)}
	p.all = append(p.all, c)
	return c, true
}

func (p *clients) give(c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy--
	if p.closed {
		close(c.jobs)
		return
	}
	p.free = append(p.free, c)
}

func (p *clients) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.free {
		close(c.jobs)
	}
	p.free = nil
}

func (p *clients) list() []*client {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[:len(p.all):len(p.all)]
}

// An Open is a run that has started and not ended.
type Open struct {
	Journey   string
	Scheduled time.Duration
	Deadline  time.Duration // when its current step should have ended; 0 between steps
}

// Open returns the runs that have started and not ended.
func (d *Driver) Open() []Open {
	var open []Open
	for _, c := range d.clients.list() {
		c.mu.Lock()
		if c.open {
			open = append(open, Open{c.current.load.name(), c.current.scheduled, c.deadline})
		}
		c.mu.Unlock()
	}
	return open
}

// Overdue counts, by journey, the runs that have not ended although their
// current step should have, or although all the time that their steps may take
// is over since the scheduled arrival. Stop conditions count them as not ok.
func (d *Driver) Overdue(now time.Duration) map[string]int {
	overdue := map[string]int{}
	for _, open := range d.Open() {
		if limit := d.limit(open.Journey); now >= open.Scheduled+limit || open.Deadline > 0 && now >= open.Deadline {
			overdue[open.Journey]++
		}
	}
	return overdue
}
