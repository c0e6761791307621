package broker

import (
	"sync"
	"time"
)

// pulse decides when a server has answered nothing for so long that another is worth a try.
type pulse struct {
	mu     sync.Mutex
	lastOK time.Time // the last answer, or the last change of server: a new one gets as long to prove itself
}

func newPulse(now time.Time) *pulse { return &pulse{lastOK: now} }

// beat notes one attempt and reports whether to change servers.
func (p *pulse) beat(now time.Time, answered bool) (leave bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := now.Sub(p.lastOK)
	if answered || idle > quiet {
		p.lastOK = now
	}
	// An attempt after a long pause in which nobody asked says nothing about the server.
	return !answered && idle > quiet && idle < 2*quiet
}
