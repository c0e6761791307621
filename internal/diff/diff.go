// Package diff compares runs of the same experiments, number by number, and says of each whether it regressed,
// improved, is the same, or whether there is not enough data to say.
//
//	base, err := diff.Read(older, nil, seed)
//	candidate, err := diff.Read(newer, nil, seed)
//	report, err := diff.Compare([]*diff.Run{base}, []*diff.Run{candidate}, diff.Options{})
//	report.Verdict // of the whole: the worst
//
// A verdict is where the interval of a difference lies. Beyond the tolerance in the bad direction is regressed,
// beyond it in the good direction improved, within it on both sides same; anything else is not enough
// data, which is never taken for same. docs/diff.md says how intervals are computed, and how often they err.
package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Verdict is what is said of one number, or of all.
type Verdict string

const (
	NotEnough Verdict = "not enough data"
	Same      Verdict = "same"
	Improved  Verdict = "improved"
	Regressed Verdict = "regressed"
)

// DefaultAlpha is the chance that a comparison of two runs of the same thing says regressed anywhere.
const DefaultAlpha = 0.01

// Options decide a comparison. The zero value compares everything with the default tolerances.
type Options struct {
	Alpha       float64 // default DefaultAlpha
	Seed        uint64  // of permutations, where there are too many to try all
	Tolerances  map[string]Tolerance
	Experiments []string // only these; nil for all
	Metrics     []string // only these; nil for all
}

func (o Options) alpha() float64 {
	if o.Alpha > 0 {
		return o.Alpha
	}
	return DefaultAlpha
}

func (o Options) tolerance(name string) Tolerance {
	if t, ok := o.Tolerances[name]; ok {
		return t
	}
	return metricOf(name).tolerance
}

// An Interval is a range of the difference, candidate minus base.
type Interval struct {
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// A Line is one number of both sides.
type Line struct {
	Key
	Unit      string    `json:"unit"`
	Verdict   Verdict   `json:"verdict"`
	Base      *Value    `json:"base,omitempty"`      // nil where it was not measured
	Candidate *Value    `json:"candidate,omitempty"` // as Base
	Change    float64   `json:"change"`              // candidate minus base, in the unit; 0 where either is missing
	Tolerance float64   `json:"tolerance"`           // in the unit, for these values
	Severity  float64   `json:"severity"`            // how many tolerances it changed to the worse; below 0 to the better
	Reason    string    `json:"reason"`              // one sentence
	More      string    `json:"more,omitempty"`      // how much more data would decide, roughly
	Interval  *Interval `json:"interval,omitempty"`  // of the change, by itself, each end with the chance alpha to be wrong
	// Simultaneous is the interval that allows for all numbers that are tested. Regressed and
	// improved are by this one.
	Simultaneous *Interval `json:"simultaneous,omitempty"`
	P            float64   `json:"p,omitempty"` // of a single number: how often runs that are dealt at random differ as much, in any number
}

// A Value is what one side measured, over its runs.
type Value struct {
	Value   float64 `json:"value"`
	Runs    int     `json:"runs"`
	N       int64   `json:"n"`                 // operations, requests, or single numbers
	Seconds int     `json:"seconds,omitempty"` // of the phase, in all runs
	AtLeast bool    `json:"at_least,omitempty"`
}

// A Gap is an experiment that could not be compared.
type Gap struct {
	Experiment string `json:"experiment,omitempty"` // "" for a whole run
	Reason     string `json:"reason"`
	Unknown    bool   `json:"unknown"` // its records could not be used; else it is another experiment on one side
}

// A Report is a comparison.
type Report struct {
	Verdict    Verdict         `json:"verdict"` // the worst: regressed, then not enough data, then improved, then same
	Counts     map[Verdict]int `json:"counts"`
	Base       []string        `json:"base"`
	Candidate  []string        `json:"candidate"`
	Alpha      float64         `json:"alpha"`
	Tested     int             `json:"tested"`                // numbers that could have been said to have regressed
	Lines      []Line          `json:"lines"`                 // worst first
	LooksWorse []string        `json:"looks_worse,omitempty"` // shares that changed much to the worse, and are not decided
	Gaps       []Gap           `json:"gaps,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
}

// Unknown says whether records that were asked for could not be used, or nothing at all could be decided.
func (r Report) Unknown() bool {
	decided := r.Counts[Same] + r.Counts[Improved] + r.Counts[Regressed]
	return decided == 0 || slices.ContainsFunc(r.Gaps, func(g Gap) bool { return g.Unknown })
}

// An IncomparableError says that two sides have nothing that can be compared, by what they planned.
type IncomparableError struct{ Msg string }

// Error says what differs.
func (e *IncomparableError) Error() string { return e.Msg }

// Compare compares the candidate runs with the base runs, neither empty. It fails with an *IncomparableError where they
// are runs of different things.
func Compare(base, candidate []*Run, opts Options) (Report, error) {
	c := &comparison{base: base, candidate: candidate, opts: opts}
	for _, run := range slices.Concat(base, candidate) {
		if why := elsewhere(candidate[0].Meta, run.Meta); why != "" && run.broken == "" && candidate[0].broken == "" {
			return Report{}, &IncomparableError{fmt.Sprintf("runs %s and %s cannot be compared: the second %s", candidate[0].ID, run.ID, strings.Replace(why, "it has", "has", 1))}
		}
	}
	c.collect()
	if c.shared == 0 && !slices.ContainsFunc(c.gaps, func(g Gap) bool { return g.Unknown }) {
		return Report{}, &IncomparableError{"nothing can be compared: " + reasons(c.gaps)}
	}
	return c.report(), nil
}

func reasons(gaps []Gap) string {
	if len(gaps) == 0 {
		return "no experiment of that name is in both"
	}
	var all []string
	for _, g := range gaps {
		all = append(all, g.String())
	}
	return strings.Join(all, "; ")
}

// report decides every pair and puts the worst first.
func (c *comparison) report() Report {
	r := Report{Counts: map[Verdict]int{}, Base: ids(c.base), Candidate: ids(c.candidate), Alpha: c.opts.alpha(), Gaps: c.gaps}
	r.Lines, r.Tested = c.decide()
	for _, line := range r.Lines {
		r.Counts[line.Verdict]++
	}
	r.LooksWorse = looksWorse(r.Lines)
	order := []Verdict{Regressed, Improved, NotEnough, Same}
	slices.SortStableFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Verdict), slices.Index(order, b.Verdict)), cmp.Compare(b.Severity, a.Severity),
			compareKeys(a.Key, b.Key))
	})
	switch {
	case r.Counts[Regressed] > 0:
		r.Verdict = Regressed
	case r.Unknown() || r.Counts[NotEnough] > 0:
		r.Verdict = NotEnough
	case r.Counts[Improved] > 0:
		r.Verdict = Improved
	default:
		r.Verdict = Same
	}
	if len(c.base) == 1 && len(c.candidate) == 1 && len(r.Lines) > 0 {
		r.Notes = append(r.Notes, "one run on each side: how much runs differ by themselves is in no interval; --last N puts it in")
	}
	return r
}

func ids(runs []*Run) []string {
	var all []string
	for _, run := range runs {
		all = append(all, run.ID)
	}
	return all
}

func compareKeys(a, b Key) int {
	phases := []string{"before", "fault", "after", wholePhase}
	return cmp.Or(cmp.Compare(a.Experiment, b.Experiment), cmp.Compare(slices.Index(phases, a.Phase), slices.Index(phases, b.Phase)),
		cmp.Compare(a.Subject, b.Subject), cmp.Compare(slices.Index(Metrics(), a.Metric), slices.Index(Metrics(), b.Metric)))
}
