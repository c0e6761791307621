package hold

import (
	"context"
	"sync/atomic"
	"time"
)

// A lease is the owner's word that it lives, given again with each message.
type lease struct {
	limit atomic.Int64 // a time.Duration
	heard atomic.Bool  // since the last look
}

func newLease(limit time.Duration) *lease {
	l := &lease{}
	l.limit.Store(int64(limit))
	return l
}

// renew notes that the owner was heard.
func (l *lease) renew() { l.heard.Store(true) }

// watch returns the silence when the owner was silent for over the limit, and 0 when ctx ended.
//
// Silence counts in time that this process was running: after the whole machine
// was asleep, or the holder itself was stopped, the owner's pings lie unread in
// the socket, and it is not the owner who was silent.
func (l *lease) watch(ctx context.Context) time.Duration {
	const tick = 50 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	var silent time.Duration
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return 0
		case <-ticker.C:
		}
		now := time.Now()
		silent += min(now.Sub(last), 2*tick)
		last = now
		if l.heard.Swap(false) {
			silent = 0
		}
		if silent > time.Duration(l.limit.Load()) {
			return silent
		}
	}
}
