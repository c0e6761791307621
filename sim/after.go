package sim

import "testing"

// chosen says whether this is the simulation of its test that is recorded and replayed.
func (r *run) chosen() bool { return r.number == r.settings.run }

// failed says whether this simulation failed its test. Of one that had failed before, the simulation's own word alone counts.
func (s *Sim) failed(t *testing.T) bool {
	return s.t.Failed() || s.broke.Load() || t.Failed() && !s.run.late
}

// after has the test's last word on this iteration reported: it may fail in what follows its simulations, and in its Cleanup.
// Cleanup functions that were registered before are not seen; what these say is in the test binary's output alone.
func (r *run) after(t *testing.T, it *iteration) {
	t.Cleanup(func() {
		defer process.turns.take(t)() // another test's simulation may be running
		process.Lock()
		last := it.last
		process.Unlock()
		rep := Report{Test: t.Name(), Seed: last.config.seed, Run: last.number, Failed: t.Failed()}
		if rep.Failed && last.sim.t != nil {
			rep.Events, rep.Hosts = last.sim.eventLines(), names(last.sim.world.hosts)
			rep.FailedAt, rep.FailedBy = failedAt(t)
		}
		last.write(map[string]any{"after": rep})
	})
}

// skipInner ends a simulation whose test was skipped within it: the test that it sees would else be found to have ended by itself.
func (s *Sim) skipInner(t *testing.T) {
	if t.Skipped() && !t.Failed() && !s.t.Skipped() {
		s.t.SkipNow()
	}
}

// skipped is why the simulation was skipped, "" where it was not.
func (s *Sim) skipped() string {
	if s.skip == "" && s.t.Skipped() {
		return "it skipped itself (t.Skip)"
	}
	return s.skip
}

// skipOuter skips the test of a simulation that was skipped.
func (s *Sim) skipOuter(t *testing.T) {
	switch {
	case t.Failed() || s.t == nil:
	case s.skip != "":
		t.Skip(s.skip)
	case s.t.Skipped():
		t.SkipNow()
	}
}
