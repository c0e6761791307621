// Package planted holds bugs of our own making, each small enough to be read in a minute and none a data race: what is wrong is the
// order of steps that are each guarded. They are what a search over orders is measured on, beside the published ones.
//
// Each function runs once and reports whether the bug struck. Mended, it does the same work and must never report it.
package planted

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A balance is a number behind a lock, with the two methods that invite to lose updates.
type balance struct {
	mu sync.Mutex
	v  int
}

func (b *balance) get() int  { b.mu.Lock(); defer b.mu.Unlock(); return b.v }
func (b *balance) set(v int) { b.mu.Lock(); b.v = v; b.mu.Unlock() }
func (b *balance) add(n int) { b.mu.Lock(); b.v += n; b.mu.Unlock() }

func (b *balance) deposit(mended bool) {
	if mended {
		b.add(1)
		return
	}
	b.set(b.get() + 1)
}

// LostUpdate lets two deposits read the same balance. Two orders of four steps lose one.
func LostUpdate(mended bool) bool {
	var account balance
	var tellers sync.WaitGroup
	for range 2 {
		tellers.Go(func() { account.deposit(mended) })
	}
	tellers.Wait()
	return account.get() != 2
}

// HiddenUpdate is LostUpdate among 240 steps that harm nobody: of six tellers, two make one deposit each, at different points.
func HiddenUpdate(mended bool) bool {
	var account, audit balance
	var tellers sync.WaitGroup
	for teller := range 6 {
		tellers.Go(func() {
			for step := range 40 {
				audit.add(1)
				if teller == 1 && step == 11 || teller == 4 && step == 31 {
					account.deposit(mended)
				}
			}
		})
	}
	tellers.Wait()
	return account.get() != 2
}

// AtomicUpdate is LostUpdate with nothing but atomic operations: no lock and no channel marks where to switch.
func AtomicUpdate(mended bool) bool {
	var account atomic.Int64
	var tellers sync.WaitGroup
	for range 2 {
		tellers.Go(func() {
			if mended {
				account.Add(1)
				return
			}
			account.Store(account.Load() + 1)
		})
	}
	tellers.Wait()
	return account.Load() != 2
}

// A session is opened, closed in two steps, and opened again.
type session struct {
	mu     sync.Mutex
	open   bool
	ready  bool // the buffer is there
	number int
}

func (s *session) locked(f func()) { s.mu.Lock(); f(); s.mu.Unlock() }

// Reopened needs three orderings: a user checks the session, somebody begins to close it, somebody else opens it again because it
// is closed and its buffer is still there, the closer then takes the buffer of the new session, and the user uses it.
func Reopened(mended bool) bool {
	s := session{open: true, ready: true, number: 1}
	var struck bool
	var noise balance
	work := func(n int) {
		for range n {
			noise.add(1)
		}
	}
	var all sync.WaitGroup
	all.Go(func() { // the user
		work(6)
		seen := 0
		s.locked(func() {
			if s.open {
				seen = s.number
			}
		})
		s.locked(func() { struck = seen != 0 && seen != s.number && s.open && !s.ready })
	})
	all.Go(func() { // closes, the flag first and the buffer second
		work(4)
		if mended {
			s.locked(func() { s.open, s.ready = false, false })
			return
		}
		s.locked(func() { s.open = false })
		s.locked(func() { s.ready = false })
	})
	all.Go(func() { // opens again
		work(5)
		s.locked(func() {
			if !s.open && s.ready {
				s.open = true
				s.number++
			}
		})
	})
	all.Wait()
	return struck
}

// LockOrder moves money both ways between two accounts, each locked while the other is. It reports nothing: where the bug strikes, it
// does not return.
func LockOrder(mended bool) bool {
	var left, right balance
	move := func(from, to *balance) {
		from.mu.Lock()
		defer from.mu.Unlock()
		to.add(1)
		from.v--
	}
	var movers sync.WaitGroup
	movers.Go(func() { move(&left, &right) })
	movers.Go(func() {
		if !mended {
			move(&right, &left)
			return
		}
		left.mu.Lock()
		defer left.mu.Unlock()
		right.add(-1)
		left.v++
	})
	movers.Wait()
	return left.get()+right.get() != 0
}

// AnswerTimeout asks six questions over one connection, each with a deadline of 10 ms. The third takes the server as long as that:
// given up, its answer may be taken for that of the fourth.
func AnswerTimeout(mended bool) bool {
	questions, answers := make(chan int, 8), make(chan int, 8)
	go func() {
		defer close(answers)
		for q := range questions {
			if q == 3 {
				time.Sleep(10 * time.Millisecond)
			}
			answers <- q
		}
	}()
	struck := false
	for q := range 6 {
		questions <- q
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	waiting:
		for {
			select {
			case a := <-answers:
				if mended && a != q {
					continue
				}
				struck = struck || a != q
				break waiting
			case <-ctx.Done():
				break waiting
			}
		}
		cancel()
	}
	close(questions)
	for range answers { // the server has ended
	}
	return struck
}
