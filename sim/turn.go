package sim

import (
	"sync"
	"testing"
)

// turns let the simulations of one process come one after the other, also those of parallel tests: they share the process's
// settings, and what package variables hold.
type turns struct {
	sync.Mutex
	of      sync.Mutex // guards running
	running string     // test
}

// take waits for the turn of a test. A simulation within one has none: testing/synctest says what is wrong with it.
func (q *turns) take(t *testing.T) (done func()) {
	if q.name("", false) == t.Name() {
		return func() {}
	}
	q.Lock()
	q.name(t.Name(), true)
	return func() {
		q.name("", true)
		q.Unlock()
	}
}

func (q *turns) name(test string, set bool) string {
	q.of.Lock()
	defer q.of.Unlock()
	if set {
		q.running = test
	}
	return q.running
}
