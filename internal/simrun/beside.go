package simrun

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/sim"
)

// Plain is a test that failed though no simulation says so: one beside simulations that has none, or one that fails when its own
// are over and nobody of them can tell, as in the parent of subtests.
type Plain struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	From    uint64 `json:"from"` // seeds of the process that it failed in
	To      uint64 `json:"to"`
	Replay  string `json:"replay"`
	Output  string `json:"output"`
}

// failedTests are the tests of which a test binary said that they failed, whose simulations did not.
func (p *process) failedTests() (names []string) {
	if !p.failed {
		return nil
	}
	for _, m := range regexp.MustCompile(`(?m)^ *--- FAIL: (\S+) \(`).FindAllStringSubmatch(p.output, -1) {
		told := func(r sim.Report) bool { return r.Failed && (r.Test == m[1] || strings.HasPrefix(r.Test, m[1]+"/")) }
		if !slices.ContainsFunc(p.all(), told) && !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { // a parent fails with its subtests
		return slices.ContainsFunc(names, func(other string) bool { return strings.HasPrefix(other, n+"/") })
	})
}

// plain keeps tests that failed beside simulations, each once. Those that have simulations prove nothing.
func (x *explorer) plain(names []string, p *process) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range names {
		if slices.ContainsFunc(x.res.Plain, func(q *Plain) bool { return q.Package == x.bin.pkg && q.Test == name }) {
			continue
		}
		q := &Plain{Package: x.bin.pkg, Test: name, From: x.o.Seed, To: x.o.Seed, Output: tail(p.output)}
		if all := p.all(); len(all) > 0 {
			q.From, q.To = all[0].Seed, p.last(all[0].Seed)
		}
		q.Replay = x.replayCommand(&Failure{Package: q.Package, Test: name, Seed: q.From})
		if n := q.To - q.From + 1; n > 1 {
			q.Replay = strings.Replace(q.Replay, "--seeds 1", fmt.Sprintf("--seeds %d", n), 1)
		}
		x.res.Plain = append(x.res.Plain, q)
		for _, t := range x.tests {
			if t.Name == name || strings.HasPrefix(t.Name, name+"/") {
				t.Late = fmt.Sprintf("%s fails when its simulations are over, in a process with %s", name, q.seeds())
			}
		}
	}
	x.stop = x.stop || !x.o.All
}

func (q *Plain) seeds() string {
	if q.From == q.To {
		return fmt.Sprintf("seed %d", q.From)
	}
	return fmt.Sprintf("seeds %d to %d", q.From, q.To)
}

func (q *Plain) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s %s\n  fails, and none of its simulations does: in a process with %s\n  replay: %s\n", q.Package, q.Test, q.seeds(), q.Replay)
	writeOutput(b, q.Output)
}
