package cli

import (
	"runtime"
	"slices"
	"sync"
	"testing"
)

// Tests that drive real systems mostly wait, so several run at once; but services that are short of a processor miss their limits.
// A share is a quarter of what two processors bear: a transcript or the tutorial takes one, a run of the shop two, and so do databases that
// fail over, which run two at once and beside no other test. The tickets take two processors, so TestTickets runs beside no other test.
var shares = 2 * max(2, runtime.GOMAXPROCS(0))

// machine hands out shares.
var machine = queue{free: shares}

// A queue hands out shares to one test after the other: one that wants more than are free gets them before those behind it get any.
type queue struct {
	mu      sync.Mutex
	free    int
	waiting []claim // those that take long first, each kind in the order it came
}

type claim struct {
	shares int
	long   bool
	ready  chan struct{}
}

// acquire waits for shares. The test that holds them gives them back.
func (q *queue) acquire(shares int, long bool) (release func()) {
	c := claim{shares, long, make(chan struct{})}
	q.mu.Lock()
	at := len(q.waiting)
	if i := slices.IndexFunc(q.waiting, func(other claim) bool { return !other.long }); long && i >= 0 {
		at = i
	}
	q.waiting = slices.Insert(q.waiting, at, c)
	q.serve()
	q.mu.Unlock()
	<-c.ready
	return sync.OnceFunc(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.free += shares
		q.serve()
	})
}

// serve gives to who is first, as long as there is enough.
func (q *queue) serve() {
	for len(q.waiting) > 0 && q.waiting[0].shares <= q.free {
		q.free -= q.waiting[0].shares
		close(q.waiting[0].ready)
		q.waiting = q.waiting[1:]
	}
}

// acquire waits for shares of the machine.
func acquire(n int) (release func()) { return machine.acquire(n, false) }

// acquireFirst is for what takes more than a minute: it begins before all that waits, so that it is not what runs alone in the end.
func acquireFirst(n int) (release func()) { return machine.acquire(n, true) }

// take holds shares of the machine until the test ends.
func take(t testing.TB, n int) {
	t.Helper()
	t.Cleanup(acquire(n))
}

// Never are more shares out than there are, who waits for many is not overtaken by who wants few, and who takes long comes first.
func TestShares(t *testing.T) {
	t.Parallel()
	q := &queue{free: 4}
	var mu sync.Mutex
	var order []string
	var all sync.WaitGroup
	wait := func(name string, n int, long bool) {
		before := q.count()
		got := make(chan struct{})
		all.Go(func() {
			release := q.acquire(n, long)
			close(got)
			mu.Lock()
			order = append(order, name)
			mu.Unlock()
			release()
		})
		for q.count() == before {
			select {
			case <-got:
				t.Fatalf("%s got %d shares before its turn", name, n)
			default:
				runtime.Gosched()
			}
		}
	}
	release := q.acquire(1, false)
	wait("heavy", 4, false)
	wait("light", 1, false) // though there are three
	wait("long", 4, true)
	wait("long, later", 4, true)
	if q.free != 3 {
		t.Errorf("%d are free, want 3", q.free)
	}
	release()
	release() // once more gives nothing
	all.Wait()
	if want := []string{"long", "long, later", "heavy", "light"}; !slices.Equal(order, want) || q.free != 4 {
		t.Errorf("got %q, want %q, and %d of 4 are free", order, want, q.free)
	}
}

func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
