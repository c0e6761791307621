package cli

import (
	"runtime"
	"sync"
	"testing"
)

// Tests that drive real systems mostly wait, so several run at once; but services that are short of a processor miss their limits.
// A share is half of what two processors bear: one run of the shop takes one. The tickets take two processors, so TestTickets runs beside no
// other test: one that waited for all shares would keep those idle that it has already.
var shares = max(2, runtime.GOMAXPROCS(0))

// machine hands out shares, to one test after the other.
var machine = struct {
	order sync.Mutex // whoever wants more than one gets them before others get any
	free  chan struct{}
}{free: make(chan struct{}, shares)}

// acquire waits for shares of the machine. The test that holds them gives them back.
func acquire(n int) (release func()) {
	machine.order.Lock()
	defer machine.order.Unlock()
	for range n {
		machine.free <- struct{}{}
	}
	return func() {
		for range n {
			<-machine.free
		}
	}
}

// take holds shares of the machine until the test ends.
func take(t testing.TB, n int) {
	t.Helper()
	t.Cleanup(acquire(n))
}
