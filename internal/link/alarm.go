package link

import (
	"container/heap"
	"sync"
	"time"
)

// maxLead bounds how much earlier than asked the timer is set.
const maxLead = 60 * time.Microsecond

// An alarm wakes many sleepers with one timer. Go's own timers are up to a
// millisecond late, as its poller waits in whole milliseconds; the kernel's timer
// behind a ticker is not. As a processor that sleeps needs its time to wake, the timer is set earlier, by what
// most wakes have been late, and what is too early then is waited for awake.
type alarm struct {
	start time.Time
	mu    sync.Mutex
	calls calls
	lead  time.Duration // how much earlier the timer is set
	set   time.Duration // to when it is set
	timer ticker
	wg    sync.WaitGroup
}

// A ticker is a timer for one deadline.
type ticker interface {
	set(d time.Duration) // replaces the deadline
	wait() bool          // returns at the deadline, and false when closed
	close()
}

type call struct {
	due  time.Duration
	wake chan<- struct{}
}

type calls []call

func (c calls) Len() int           { return len(c) }
func (c calls) Less(i, j int) bool { return c[i].due < c[j].due }
func (c calls) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *calls) Push(x any)        { *c = append(*c, x.(call)) }
func (c *calls) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

func newAlarm() *alarm {
	a := &alarm{start: time.Now(), timer: newTicker()}
	a.wg.Go(a.run)
	return a
}

// after sends on wake once d has passed, unless wake is full.
func (a *alarm) after(d time.Duration, wake chan<- struct{}) {
	due := time.Since(a.start) + d
	a.mu.Lock()
	defer a.mu.Unlock()
	heap.Push(&a.calls, call{due, wake})
	if a.calls[0].due == due {
		a.wind(due, due-d)
	}
}

// wind sets the timer for a call. The caller holds mu.
func (a *alarm) wind(due, now time.Duration) {
	a.set = max(due-a.lead, now+1)
	a.timer.set(a.set - now)
}

func (a *alarm) run() {
	for a.timer.wait() {
		a.ring()
	}
}

func (a *alarm) ring() {
	a.awake()
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Since(a.start)
	for len(a.calls) > 0 && a.calls[0].due <= now {
		select {
		case heap.Pop(&a.calls).(call).wake <- struct{}{}:
		default:
		}
	}
	if len(a.calls) > 0 {
		a.wind(a.calls[0].due, now)
	}
}

// awake learns from how late the timer woke, and waits for the call that it was set for.
func (a *alarm) awake() {
	a.mu.Lock()
	now, due := time.Since(a.start), time.Duration(0)
	if late := now - a.set; late < a.lead {
		a.lead -= (a.lead - max(late, 0)) / 4
	} else { // slowly, since to be early costs processor time
		a.lead = min(a.lead+(late-a.lead)/32, maxLead)
	}
	if len(a.calls) > 0 && a.calls[0].due-now < maxLead {
		due = a.calls[0].due
	}
	a.mu.Unlock()
	for now < due {
		now = time.Since(a.start)
	}
}

func (a *alarm) close() {
	a.timer.close()
	a.wg.Wait()
}

// goTicker is the ticker of systems without a better one.
type goTicker struct {
	timer *time.Timer
	done  chan struct{}
}

func newGoTicker() *goTicker {
	t := &goTicker{timer: time.NewTimer(time.Hour), done: make(chan struct{})}
	t.timer.Stop()
	return t
}

func (t *goTicker) set(d time.Duration) { t.timer.Reset(d) }

func (t *goTicker) wait() bool {
	select {
	case <-t.timer.C:
		return true
	case <-t.done:
		return false
	}
}

func (t *goTicker) close() { close(t.done) }
