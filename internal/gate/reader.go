package gate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// A function is one that conditions may call.
type function struct {
	takes string // what its arguments name, for a reader
	read  func(r *reader, names []string) (any, error)
}

// functions are all that conditions may call.
func functions() map[string]function {
	cell := func(read func(r *reader, s []matrix.Source) any) function {
		return function{"a journey and a mode", func(r *reader, names []string) (any, error) {
			sources, err := r.cell(names[0], names[1])
			if err != nil {
				return nil, err
			}
			return read(r, sources), nil
		}}
	}
	return map[string]function{
		"verdict": cell(func(_ *reader, s []matrix.Source) any { return merged(s).String() }),
		"age_h":   cell(func(r *reader, s []matrix.Source) any { return max(0, r.f.Matrix.At.Sub(oldest(s)).Hours()) }),
		"grade": cell(func(_ *reader, s []matrix.Source) any {
			return least(evidence.Grades(), s, func(s matrix.Source) string { return s.Grade })
		}),
		"layer": cell(func(_ *reader, s []matrix.Source) any {
			return least(evidence.Layers(), s, func(s matrix.Source) string { return s.Layer })
		}),
		"sources":    cell(func(_ *reader, s []matrix.Source) any { return int64(len(s)) }),
		"count":      {"a verdict", (*reader).count},
		"result":     {"an experiment", (*reader).result},
		"recovery_s": {"an experiment", (*reader).recovery},
	}
}

// arity returns how many names a function takes.
func (f function) arity() int { return strings.Count(f.takes, " and ") + 1 }

// A reader answers what one condition reads, and notes the evidence behind each answer. It must be of the candidate, as
// strictly as the policy asks of the cells that are concerned, of the experiment as it is now, and no older than may be.
type reader struct {
	f       Facts
	cited   []Citation
	failed  error    // the first thing that could not be told
	changes []Change // that would let all be told
	lost    bool     // something cannot be told, and no change is known to help
}

// call answers a function, with nil where that cannot be told.
func (r *reader) call(name string, args []any) any {
	f := functions()[name]
	about, err := names(args, f.arity())
	var value any
	if err == nil {
		value, err = f.read(r, about)
	}
	if err != nil {
		r.fail(err)
	}
	return value
}

// fail notes what cannot be told. What came with a change is an *untold.
func (r *reader) fail(err error) {
	if r.failed == nil {
		r.failed = err
	}
	var u *untold
	if !errors.As(err, &u) || len(u.changes) == 0 {
		r.lost = true
		return
	}
	r.changes = lean(append(r.changes, missing(r.changes, u.changes)...))
}

// An untold is why something cannot be told, and what would change that.
type untold struct {
	reason  string
	changes []Change // all of them are needed
}

func (u *untold) Error() string { return u.reason }

// asked returns how strictly evidence is held to the candidate: as the strictest of the requirements that it is about is,
// or else the strictest of all. A policy that requires nothing asks for the same binaries.
func (f Facts) asked(about func(evidence.Requirement) bool) evidence.Requirement {
	var strictest []evidence.Requirement
	for _, r := range f.Declaration.Required {
		if about(r) {
			strictest = require(strictest, evidence.Requirement{Same: r.Same, MaxAge: r.MaxAge})
		}
	}
	switch {
	case len(strictest) > 0:
		return strictest[0]
	case len(f.Declaration.Required) > 0:
		return f.asked(anything)
	}
	return evidence.Requirement{Same: SameDigests}
}

// anything is about every requirement.
func anything(evidence.Requirement) bool { return true }

// unbound says what keeps a source from being of the candidate, "" for nothing, whatever it came to.
func (f Facts) unbound(r evidence.Requirement, s matrix.Source) string {
	switch age := f.Matrix.At.Sub(s.At); {
	case s.Run == "" || !s.Foreign && s.Sum == "":
		return s.Reason
	case !f.same(r.Same, s):
		return fmt.Sprintf("%s ran %s", s.Name, f.differs(r.Same, s))
	case !s.Foreign && !s.Known && !f.declares(s.Name):
		return fmt.Sprintf("the project has no experiment %s", s.Name)
	case !s.Foreign && !s.Known:
		return fmt.Sprintf("experiment %s was changed since", s.Name)
	case r.MaxAge > 0 && age > r.MaxAge:
		return fmt.Sprintf("%s is stale: %s old, and may be %s", s.Name, matrix.Age(age), days(r.MaxAge))
	}
	return ""
}

// cite notes a source once. One that is not of the candidate is unknown, whatever it says.
func (r *reader) cite(s matrix.Source, problem string) {
	v := s.Verdict
	if problem != "" {
		v = verdict.Unknown
	}
	c := cite(s, v, problem)
	if !slices.Contains(r.cited, c) {
		r.cited = append(r.cited, c)
	}
}

// cell returns the sources that speak of a cell for the candidate, the one that decides first.
func (r *reader) cell(journey, mode string) ([]matrix.Source, error) {
	f := r.f
	cell, ok := f.Matrix.Cell(journey, mode)
	if !ok {
		u := &untold{reason: fmt.Sprintf("the matrix has no cell %s: %s", journey, mode)}
		if f.hasJourney(journey) {
			u.changes = []Change{f.write(mode)}
		}
		return nil, u
	}
	asked := f.asked(func(r evidence.Requirement) bool { return r.Journey == journey && r.Mode == mode })
	var sources []matrix.Source
	var u untold
	for _, s := range cell.Sources {
		if s.FromFiles && s.Verdict == verdict.Pass {
			continue // terms that declare a mode prove nothing of it
		}
		problem := f.unbound(asked, s)
		if f.astray(asked, s) {
			continue // it is of something else, and nobody asks for it to be repeated
		}
		sources = append(sources, s)
		r.cite(s, problem)
		if problem != "" {
			u.reason = first(u.reason, problem)
			u.changes = append(u.changes, f.mend(asked, s, verdict.Unknown, problem))
		}
	}
	switch {
	case len(sources) == 0:
		return nil, &untold{fmt.Sprintf("%s: %s has no evidence", journey, mode), []Change{f.write(mode)}}
	case u.reason != "":
		return nil, &u
	}
	return sources, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// oldest returns the time of the oldest source: an answer about all of them is as good as the worst.
func oldest(sources []matrix.Source) time.Time {
	return slices.MinFunc(sources, func(a, b matrix.Source) int { return a.At.Compare(b.At) }).At
}

// least returns what comes first in order of what the sources say.
func least(order []string, sources []matrix.Source, of func(matrix.Source) string) string {
	return of(slices.MinFunc(sources, func(a, b matrix.Source) int {
		return cmp.Compare(slices.Index(order, of(a)), slices.Index(order, of(b)))
	}))
}

func merged(sources []matrix.Source) verdict.Verdict {
	var all []verdict.Verdict
	for _, s := range sources {
		all = append(all, s.Verdict)
	}
	return verdict.Merge(all...)
}

// count counts cells. A failure counts whatever it is of, and a pass only if it is of the candidate; all else is unknown.
func (r *reader) count(names []string) (any, error) {
	want, err := verdict.Parse(names[0])
	if err != nil {
		return nil, err
	}
	var n int64
	for _, row := range r.f.Matrix.Rows {
		for _, cell := range row.Cells {
			if !cell.Asked() {
				continue
			}
			got := cell.Verdict
			if got == verdict.Pass {
				if _, err := (&reader{f: r.f}).cell(cell.Journey, cell.Mode); err != nil {
					got = verdict.Unknown
				}
			}
			if got == want {
				n++
				r.citeAll(cell)
			}
		}
	}
	return n, nil
}

// citeAll notes what a cell that was counted rests on.
func (r *reader) citeAll(cell matrix.Cell) {
	for _, s := range cell.Sources {
		if s.Run != "" {
			r.cite(s, "")
		}
	}
}

// experiment returns the newest word of an experiment, if that is of the candidate.
func (r *reader) experiment(name string) (matrix.Result, error) {
	f := r.f
	again := Change{Key: runOne + name, Text: fmt.Sprintf("run %s on the candidate", name), Command: f.Command("run", f.Path, "--experiment", name), Rerun: name}
	result, ok := f.Matrix.Results[name]
	switch {
	case !f.declares(name):
		again = Change{Key: "write experiment " + name, Text: fmt.Sprintf("write the experiment %s, and run it on the candidate", name), Command: again.Command}
		return result, &untold{fmt.Sprintf("the project has no experiment %s", name), []Change{again}}
	case !ok:
		return result, &untold{fmt.Sprintf("experiment %s has left no evidence", name), []Change{again}}
	}
	asked := f.asked(func(r evidence.Requirement) bool {
		return slices.Contains(f.Declaration.Cells, evidence.Cell{Journey: r.Journey, Mode: r.Mode, Experiment: name})
	})
	problem := f.unbound(asked, result.Source)
	r.cite(result.Source, problem)
	if problem != "" {
		return result, &untold{problem, []Change{f.mend(asked, result.Source, verdict.Unknown, problem)}}
	}
	return result, nil
}

func (r *reader) result(names []string) (any, error) {
	result, err := r.experiment(names[0])
	return result.Verdict.String(), err
}

func (r *reader) recovery(names []string) (any, error) {
	result, err := r.experiment(names[0])
	switch {
	case err != nil:
		return nil, err
	case result.Verdict == verdict.Unknown:
		return nil, fmt.Errorf("experiment %s is unknown: %s", names[0], result.Reason)
	case result.Recovery == nil:
		return nil, fmt.Errorf("experiment %s broke nothing, so nothing recovered", names[0])
	case !result.Recovery.Recovered:
		return nil, fmt.Errorf("experiment %s: %s", names[0], result.Recovery.Text)
	}
	return result.Recovery.FromInject.Seconds(), nil
}

// run returns the fields of the newest whole run, if that is of the candidate.
func (r *reader) run() map[string]any {
	f := r.f
	if f.Newest == nil {
		r.fail(&untold{"no whole run is in the store", []Change{f.runAny()}})
		return nil
	}
	s := matrix.NewSource(f.Matrix.At, *f.Newest, evidence.CardResult{Name: "run " + f.Newest.ID, Sum: f.Newest.ID})
	s.Known = true
	s.Verdict = f.Newest.Verdict()
	problem := f.unbound(f.asked(anything), s)
	if problem != "" {
		r.fail(&untold{problem, []Change{f.runAny()}})
	}
	fields := map[string]any{"id": f.Newest.ID, "age_h": max(0, f.Matrix.At.Sub(s.At).Hours()), "verdict": s.Verdict.String(),
		"commit": s.Commit, "dirty": s.Dirty, "seed": int64(s.Seed)}
	s.Name, s.Sum = "", ""
	r.cite(s, problem)
	return fields
}

// names reads n names.
func names(args []any, n int) ([]string, error) {
	var all []string
	for _, arg := range args {
		name, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("it takes a name in quotes, not %v", arg)
		}
		all = append(all, name)
	}
	if len(all) != n {
		return nil, fmt.Errorf("it takes %d names, not %d", n, len(all))
	}
	return all, nil
}
