package simtest

import (
	"context"
	crand "crypto/rand"
	"hash/maphash"
	"math/rand"
	randv2 "math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A bit of everything: channels, locks, select, maps, timers, contexts, random numbers, pools.
func TestMix(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		m := mix{s: s, ch: make(chan int), buf: make(chan int, 3), done: make(chan struct{}), shared: map[string]int{}}
		m.pool.New = func() any { return new([64]byte) }
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() { m.worker(i) })
		}
		go m.reader()
		for i := range 4 {
			wg.Go(func() { m.ticker(i) })
		}
		time.AfterFunc(2*time.Millisecond, func() { m.rw.Lock(); s.Event("after"); m.rw.Unlock() })
		wg.Wait()
		close(m.done)
		for k, v := range m.shared {
			s.Event("map %s %d", k, v)
		}
		randoms(s)
	})
}

type mix struct {
	s         *sim.Sim
	mu        sync.Mutex
	rw        sync.RWMutex
	shared    map[string]int
	ch, buf   chan int
	done      chan struct{}
	pool      sync.Pool
	processed atomic.Int64
}

func (m *mix) worker(i int) {
	for k := range 20 {
		m.mu.Lock()
		m.shared["k"+strconv.Itoa((i*7+k)%23)] += i
		m.s.Event("worker %d locks %d", i, k)
		m.mu.Unlock()
		b := m.pool.Get().(*[64]byte)
		b[0] = byte(i)
		m.pool.Put(b)
		m.processed.Add(1)
		select {
		case m.ch <- i:
			m.s.Event("worker %d sent", i)
		case m.buf <- i:
			m.s.Event("worker %d sent to the buffer", i)
		case v := <-m.buf:
			m.s.Event("worker %d took %d", i, v)
		case <-time.After(time.Duration(randv2.IntN(5)) * time.Millisecond):
			m.s.Event("worker %d had enough", i)
		}
		if k%5 == 0 {
			time.Sleep(time.Duration(rand.Intn(3)) * time.Millisecond)
		}
	}
}

func (m *mix) reader() {
	for {
		select {
		case v := <-m.ch:
			m.s.Event("read %d", v)
		case v := <-m.buf:
			m.s.Event("read %d from the buffer", v)
		case <-m.done:
			return
		}
	}
}

func (m *mix) ticker(i int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i+1)*3*time.Millisecond)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.s.Event("ticker %d: %v", i, ctx.Err())
			return
		case <-tick.C:
			m.rw.RLock()
			m.s.Event("ticker %d", i)
			m.rw.RUnlock()
		}
	}
}

func randoms(s *sim.Sim) {
	big := map[int]int{}
	for i := range 200 {
		big[i] = i
	}
	for k := range big {
		s.Event("big %d", k)
	}
	var b [8]byte
	crand.Read(b[:])
	s.Event("crypto/rand %x", b)
	var h maphash.Hash
	h.WriteString("x")
	s.Event("maphash %x at %v", h.Sum64(), time.Now())
}

type node struct {
	v int
	_ *node
	_ [100]byte
}

// Maps keyed by pointers, and addresses: they depend on where the heap puts things while the collector runs.
func TestPtr(t *testing.T) {
	sim.RunWith(t, sim.Options{Quantum: -1}, func(s *sim.Sim) {
		m := map[*node]int{}
		var wg sync.WaitGroup
		var mu sync.Mutex
		garbage := make([][]byte, 6)
		for i := range 6 {
			wg.Go(func() {
				for k := range 3000 {
					n := &node{v: i*10000 + k}
					garbage[i] = make([]byte, 4096)
					if k%100 == 0 {
						mu.Lock()
						m[n] = n.v
						mu.Unlock()
						time.Sleep(time.Microsecond)
					}
				}
			})
		}
		wg.Wait()
		var last *node
		for k, v := range m {
			s.Event("pointer to %d", v)
			last = k
		}
		if s.Seeded() {
			s.Event("%p", last)
		}
	})
}
