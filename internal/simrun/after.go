package simrun

import (
	"slices"

	"github.com/assay-dev/assay/sim"
)

// A test may fail when its simulation is over: in what follows sim.Run, or in its Cleanup. That is a failure of the seed, too, and of the
// last simulation that the test had with it.

// after takes what a test said when all of it was over.
func (p *process) after(last sim.Report) {
	mine := func(r sim.Report) bool { return r.Test == last.Test && r.Seed == last.Seed }
	p.ended = slices.DeleteFunc(p.ended, mine)
	p.over = last
	if !last.Failed || slices.ContainsFunc(p.reports, func(r sim.Report) bool { return mine(r) && r.Failed }) {
		return
	}
	p.blame(last)
}

// blame makes the report of a simulation one of a failure.
func (p *process) blame(last sim.Report) {
	if r := p.of(about(last)); r != nil {
		r.Failed, r.Events, r.Hosts, r.FailedAt, r.FailedBy = true, last.Events, last.Hosts, last.FailedAt, last.FailedBy
	}
}

// cutShort finds the simulation whose test took the process with it after the simulation's end: the last of those that ended and whose test did not.
func (p *process) cutShort() {
	failed := func(r sim.Report) bool { return r.Failed }
	if !p.failed || slices.ContainsFunc(p.all(), failed) {
		return
	}
	switch {
	case len(p.ended) > 0:
		p.blame(p.ended[len(p.ended)-1])
	case p.over.Test != "" && p.died() && slices.Contains(p.failedTests(), p.over.Test): // a test that panics has not failed yet in its Cleanup
		p.blame(p.over)
	}
}
