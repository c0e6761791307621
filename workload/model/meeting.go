package model

import (
	"context"
	"sync"
	"time"
)

// A Meeting makes clients act at the same time: each that comes waits until another one is there, and both go on. So what happens
// between a client's read and its write need not be left to luck. The zero value works. It is safe for concurrent use.
type Meeting struct {
	// Patience is how long a client waits for another one before it goes on alone, 20 ms if zero: one may hold a lock that all
	// others need.
	Patience time.Duration

	mu    sync.Mutex
	first chan struct{} // closed when the second one comes; nil while nobody waits
}

// Meet waits for another client, and says whether one came. It ends when ctx does. Of a nil Meeting it does nothing.
func (m *Meeting) Meet(ctx context.Context) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	if m.first != nil {
		close(m.first)
		m.first = nil
		m.mu.Unlock()
		return true
	}
	came := make(chan struct{})
	m.first = came
	patience := m.Patience
	m.mu.Unlock()
	if patience == 0 {
		patience = 20 * time.Millisecond
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-came:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return m.leave(came)
}

// leave stops waiting, and says whether somebody came at the last moment.
func (m *Meeting) leave(came chan struct{}) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.first == came {
		m.first = nil
		return false
	}
	return true
}
