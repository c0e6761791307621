package planted

import (
	"sync"
	"time"
)

// A write goes to the replicas, and comes back as an acknowledgement.
type write struct{ round, replica int }

// LateAck writes four values to three replicas, each acknowledged by two before the next. An acknowledgement of the round before, come
// late, counts for this one: then fewer than two replicas hold the value that is called written.
func LateAck(mended bool) bool {
	const replicas = 3
	acks := make(chan write, 64)
	var held [replicas]balance
	var inbox [replicas]chan int
	var running sync.WaitGroup
	for i := range inbox {
		inbox[i] = make(chan int, 8)
		running.Go(func() {
			for round := range inbox[i] {
				held[i].set(round)
				acks <- write{round, i}
			}
		})
	}
	struck := false
	for round := 1; round <= 4; round++ {
		for i := range inbox {
			inbox[i] <- round
		}
		got := map[int]bool{}
		for len(got) < 2 {
			if a := <-acks; !mended || a.round == round {
				got[a.replica] = true
			}
		}
		holders := 0
		for i := range held {
			if held[i].get() >= round {
				holders++
			}
		}
		struck = struck || holders < 2
	}
	for i := range inbox {
		close(inbox[i])
	}
	running.Wait()
	return struck
}

// A voter grants one vote in a term.
type voter struct {
	mu    sync.Mutex
	term  int
	disk  balance // what it has written down
	quick bool    // it writes down within its lock
}

func (v *voter) ask(term int) bool {
	v.mu.Lock()
	granted := term > v.term
	if v.quick {
		defer v.mu.Unlock()
	} else {
		v.mu.Unlock()
		v.disk.add(1) // the term is written down before it is promised
		v.mu.Lock()
		defer v.mu.Unlock()
	}
	if granted {
		v.term = term
	}
	return granted
}

// SplitVote lets two of three nodes stand for election within the same millisecond. The third looks whether it has voted, lets go of
// its lock to write its vote down, and votes: for both, if both asked meanwhile. Then a term has two leaders.
func SplitVote(mended bool) bool {
	third := voter{quick: mended}
	var votes [2]balance
	var requests sync.WaitGroup
	for candidate := range votes {
		votes[candidate].add(1) // its own
		requests.Go(func() {
			time.Sleep(time.Millisecond) // the way there
			if third.ask(1) {
				time.Sleep(time.Millisecond) // and back
				votes[candidate].add(1)
			}
		})
	}
	requests.Wait()
	return votes[0].get() > 1 && votes[1].get() > 1
}
