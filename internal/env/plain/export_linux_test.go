package plain

import "time"

// Tend looks after who leads so many times, as if every instance that is gone had been gone for that much longer.
func Tend(e *Env, rounds int, longer time.Duration) {
	e.whole <- struct{}{} // as tend does, and waits
	defer func() { <-e.whole }()
	for _, g := range e.groups {
		for _, n := range g.nodes {
			n.mu.Lock()
			n.seen = n.seen.Add(-longer)
			n.mu.Unlock()
		}
		for range rounds {
			g.round()
		}
	}
}

// LookForBench returns one look at what instances use.
func LookForBench(e *Env) func() error {
	s := newSampler(e)
	return func() error { _, err := s.look(); return err }
}
