package link

import (
	"sync"
	"time"
)

// burst is how far a meter may fall behind its rate and catch up: what a timer is late, and a machine busy.
const burst = 5 * time.Millisecond

// A meter lets bytes through at a rate (a virtual clock: each byte moves the time at which the next may go). It is safe for
// concurrent use.
type meter struct {
	rate int64 // bytes per second
	mu   sync.Mutex
	next time.Duration // when the next byte may go
}

func newMeter(rate int64) *meter { return &meter{rate: rate} }

// take returns how many of n bytes may go now, and where none may, how long until some do.
func (b *meter) take(n int, now time.Duration) (int, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next = max(b.next, now-burst)
	if b.next > now {
		return 0, b.next - now
	}
	n = min(n, b.quantum())
	b.next += time.Duration(float64(n) / float64(b.rate) * 1e9)
	return n, 0
}

// back returns what was taken and did not go.
func (b *meter) back(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.next -= time.Duration(float64(n) / float64(b.rate) * 1e9)
}

// quantum is how many bytes go at once: two milliseconds' worth, and one at least.
func (b *meter) quantum() int { return int(max(b.rate/500, 1)) }
