// Package simcover turns what simulations came to into evidence: a result of the layer component for each test
// that says which cells it covers (sim.Covers).
//
//	cover, err := simcover.Of(res, project, false)
//	id, err := cover.Store(ctx, store, simcover.Run{Version: "v1", Seed: 1})
//
// A cell is proved where every seed held, the test is a function of its seed, and all that it says is
// sometimes true was true in some seed. Everything else is unknown, or a failure with the seed that shows it.
package simcover

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/simrun"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// Tool is what evidence calls the command that ran simulations.
const Tool = "assay sim"

// Prefix begins the names of results of simulated tests.
const Prefix = "sim-"

// A Cover is what the tests that cover cells of a project came to.
type Cover struct {
	project *spec.Project
	res     *simrun.Result
	tests   []*simrun.Test
	Results []evidence.ExperimentResult
}

// Asked says whether any test covers a cell.
func Asked(res *simrun.Result) bool {
	return slices.ContainsFunc(res.Tests, func(t *simrun.Test) bool { return len(t.Covers) > 0 })
}

// Of judges the tests that cover cells. All says that the search went on after failures: else it ended at the first one, and
// nothing is said of tests that did not have their seeds. A cell that the project cannot have is an error.
func Of(res *simrun.Result, project *spec.Project, all bool) (*Cover, error) {
	c := &Cover{project: project, res: res}
	for _, t := range res.Tests {
		if len(t.Covers) == 0 {
			continue
		}
		if err := c.known(t); err != nil {
			return nil, err
		}
		failure := failureOf(res, t)
		if failure == nil && t.Failed == 0 && len(res.Failures) > 0 && !all {
			continue
		}
		c.tests = append(c.tests, t)
		c.Results = append(c.Results, c.result(t, failure))
	}
	return c, nil
}

// known refuses cells whose names nobody can mean.
func (c *Cover) known(t *simrun.Test) error {
	var journeys []string
	for _, j := range c.project.Journeys {
		journeys = append(journeys, j.Name)
	}
	for _, cell := range t.Covers {
		for _, word := range []struct {
			what, name string
			allowed    []string
		}{{"journey", cell.Journey, journeys}, {"mode", cell.Mode, experiment.Modes()}} {
			if slices.Contains(word.allowed, word.name) {
				continue
			}
			hint := ""
			if near := expr.Suggest(word.name, word.allowed); near != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", near)
			}
			return fmt.Errorf("%s covers the %s %q, and %s knows none of that name%s: there are %s",
				t.Short(), word.what, word.name, c.project.File, hint, strings.Join(word.allowed, ", "))
		}
	}
	return nil
}

// failureOf is a test's failure, the certain one before others.
func failureOf(res *simrun.Result, t *simrun.Test) (first *simrun.Failure) {
	for _, f := range res.Failures {
		if f.Package == t.Package && f.Test == t.Name && (first == nil || f.Certified && !first.Certified) {
			first = f
		}
	}
	return first
}

func (c *Cover) result(t *simrun.Test, f *simrun.Failure) evidence.ExperimentResult {
	r := evidence.ExperimentResult{Name: Prefix + strings.ReplaceAll(t.Short(), "/", "--"), Title: "Simulated: " + t.Short(), Layer: "component"}
	r.Checks = c.checks(t, f)
	var parts []verdict.Verdict
	for _, one := range r.Checks {
		parts = append(parts, one.Verdict)
	}
	r.Verdict = verdict.Merge(parts...)
	tried := fmt.Sprintf("simulated: %s of %s hold (%s)", plural(t.Seeds, "seed"), t.Short(), schedules(t))
	r.Reason = tried
	if i := slices.IndexFunc(r.Checks, func(one evidence.Checked) bool { return one.Verdict == r.Verdict }); r.Verdict != verdict.Pass {
		r.Reason = "simulated: " + r.Checks[i].Reason
		if !strings.Contains(r.Reason, t.Short()) {
			r.Reason = fmt.Sprintf("simulated: %s: %s", t.Short(), r.Checks[i].Reason)
		}
	}
	if f != nil {
		r.Replay = f.Replay
	}
	if t.Seeds > 0 && t.Last-t.First == uint64(t.Seeds-1) {
		r.Seeds = &evidence.Seeds{First: t.First, Last: t.Last, Mode: c.res.Mode}
	}
	if f != nil && f.Certified {
		if r.Seeds == nil { // it was saved by a search before
			r.Seeds = &evidence.Seeds{First: f.Seed, Last: f.Seed, Mode: c.res.Mode}
		}
		r.Seeds.Failed = &f.Seed
	}
	r.Modes = map[string][]evidence.Mode{}
	for _, cell := range t.Covers {
		m := evidence.Mode{Name: cell.Mode, Proved: r.Verdict == verdict.Pass, Text: r.Reason}
		if m.Proved {
			m.Text = fmt.Sprintf("%s; %s", tried, reached(t))
		}
		r.Modes[cell.Journey] = append(r.Modes[cell.Journey], m)
	}
	return r
}

// checks are what a verdict follows from.
func (c *Cover) checks(t *simrun.Test, f *simrun.Failure) []evidence.Checked {
	all := []evidence.Checked{seeds(t, f), c.tried(t)}
	for _, doubt := range t.Doubts(false) {
		all = append(all, checked("a function of its seed", t.Short()+doubt, verdict.Unknown))
	}
	if len(all) == 2 {
		all = append(all, checked("a function of its seed", "two processes with one seed had the same trace, and nothing came from outside", verdict.Pass))
	}
	sometimes := 0
	for _, p := range t.Points {
		one := checked(fmt.Sprintf("%s %q", p.Kind, p.Name), fmt.Sprintf("true %d of %s", p.True, plural(p.Hits, "time")), verdict.Pass)
		switch {
		case p.Kind == "sometimes":
			sometimes++
			if p.True == 0 {
				one.Verdict, one.Reason = verdict.Unknown, fmt.Sprintf("%q was never true in %s: what the test covers was not met", p.Name, plural(t.Seeds, "seed"))
			}
		case p.Kind == "undecided":
			continue // among the doubts
		case p.True < p.Hits:
			one.Witness = p.Witness
			one.Verdict, one.Reason = broken(f), strings.TrimSuffix(fmt.Sprintf("%q does not hold: %s", p.Name, p.Broken), ": ")
		}
		all = append(all, one)
	}
	if sometimes == 0 {
		all = append(all, checked("met", fmt.Sprintf("nothing in %s says that what it covers was met (sim.Sometimes or sim.Reachable where it is)", t.Short()), verdict.Unknown))
	}
	return all
}

// broken is what an assertion that did not hold comes to: a failure, if it is one of the seed.
func broken(f *simrun.Failure) verdict.Verdict {
	if f != nil && f.Certified {
		return verdict.Fail
	}
	return verdict.Unknown
}

// tried says by what, and how long.
func (c *Cover) tried(t *simrun.Test) evidence.Checked {
	return checked("tried", fmt.Sprintf("%s in package %s: %s; %s of simulated time; %s, overlay %s", plural(t.Seeds, "seed"), t.Package, schedules(t),
		time.Duration(t.SimNS).Round(time.Millisecond), c.res.Go, c.res.Overlay), verdict.Pass)
}

// seeds says how many there were, and of the first that failed how.
func seeds(t *simrun.Test, f *simrun.Failure) evidence.Checked {
	one := checked("seeds", fmt.Sprintf("none of %s fails", plural(t.Seeds, "seed")), verdict.Pass)
	one.Measured, one.Limit = fmt.Sprintf("%d failed", t.Failed), "0 failed"
	switch {
	case f != nil && f.Certified:
		one.Verdict, one.Reason = verdict.Fail, fmt.Sprintf("seed %d fails: %s", f.Seed, how(f))
	case f != nil:
		one.Verdict, one.Reason = verdict.Unknown, fmt.Sprintf("seed %d failed, and that is not certain: %s", f.Seed, f.Doubt)
	case t.Failed > 0:
		one.Verdict, one.Reason = verdict.Unknown, fmt.Sprintf("%s failed, and no run of its own says that it is the seed's doing", plural(t.Failed, "seed"))
	case t.Seeds == 0:
		one.Verdict, one.Reason = verdict.Unknown, "no seed was tried"
	}
	return one
}

// how says in a few words how a seed failed.
func how(f *simrun.Failure) string {
	for _, p := range f.Points {
		if p.Broken != "" || p.Kind == "always" && p.True < p.Hits {
			return strings.TrimSuffix(fmt.Sprintf("%q does not hold: %s", p.Name, p.Broken), ": ")
		}
	}
	if f.Failure != "" {
		return f.Failure
	}
	return "the test fails"
}

// schedules are the ways that schedules were drawn, such as "fifo 3, pos 4".
func schedules(t *simrun.Test) string {
	var parts []string
	for _, mode := range slices.Sorted(maps.Keys(t.Modes)) {
		parts = append(parts, fmt.Sprintf("%s %d", mode, t.Modes[mode]))
	}
	return strings.Join(parts, ", ")
}

// reached is what was sometimes true.
func reached(t *simrun.Test) string {
	var parts []string
	for _, p := range t.Points {
		if p.Kind == "sometimes" {
			parts = append(parts, fmt.Sprintf("%q was true %d of %s", p.Name, p.True, plural(p.Hits, "time")))
		}
	}
	return strings.Join(parts, ", ")
}

func checked(name, reason string, v verdict.Verdict) evidence.Checked {
	return evidence.Checked{Phase: "simulation", Result: check.Result{Check: name, Verdict: v, Reason: reason}}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
