package plain

// LookForBench returns one look at what instances use.
func LookForBench(e *Env) func() error {
	s := newSampler(e)
	return func() error { _, err := s.look(); return err }
}
