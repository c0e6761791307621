package gate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/verdict"
)

// Names are what conditions may read.
//
//	verdict(J, M)    "pass", "fail" or "unknown" of a cell
//	age_h(J, M)      hours since the evidence that decides the cell, never below 0
//	grade(J, M)      "claimed", "stream" or "packet"
//	layer(J, M)      "component", "contract", "integration", …
//	sources(J, M)    how many experiments and imports speak of it
//	count(V)         how many cells that anybody asks for have the verdict V
//	result(X)        verdict of experiment X's newest evidence
//	recovery_s(X)    seconds from the first inject until all was well again
//	run              the newest whole run: id, age_h, verdict, commit, dirty, seed
//
// What is read must be of the candidate, as that of required cells must; see reader.
func Names() expr.Names {
	names := expr.Names{Vars: []string{runName}}
	for _, name := range slices.Sorted(maps.Keys(functions())) {
		names.Funcs = append(names.Funcs, expr.Func{Name: name})
	}
	return names
}

// runName is the one variable of conditions.
const runName = "run"

// conditions evaluates each. Whatever cannot be told is unknown: a name that nothing has, a figure that nobody measured, evidence of something else.
func (f Facts) conditions(ctx context.Context) []Clause {
	var clauses []Clause
	for _, condition := range f.Policy.Conditions {
		r := &reader{f: f}
		holds, err := r.holds(ctx, condition.Expect)
		c := Clause{Name: condition.Name, Kind: KindCondition, Condition: condition.Name, Owner: condition.Owner, Pos: condition.Pos,
			Verdict: verdict.Fail, Reason: "it does not hold: " + condition.Expect, Evidence: r.cited}
		switch {
		case r.failed != nil: // an operator may have swallowed it
			c.Verdict, c.Reason = verdict.Unknown, r.failed.Error()
		case err != nil:
			c.Verdict, c.Reason = verdict.Unknown, err.Error()
		case holds:
			c.Verdict, c.Reason = verdict.Pass, "it holds: "+condition.Expect
		}
		if c.Owner == "" && len(r.cited) > 0 {
			c.Owner = r.cited[0].Owner
		}
		if c.Verdict != verdict.Pass {
			c.Ways = [][]Change{r.changes}
			if r.failed == nil || r.lost {
				c.Ways = [][]Change{append(r.changes, r.hold(condition))}
			}
		}
		clauses = append(clauses, c)
	}
	return clauses
}

// hold is the change of whoever cannot be told more: the system, or the condition.
func (r *reader) hold(condition Condition) Change {
	again := []string{"run", r.f.Path}
	for _, e := range r.cited {
		if r.f.declares(e.Experiment) {
			again = append(again, "--experiment", e.Experiment)
		}
	}
	return Change{Key: "condition " + condition.Name, Text: fmt.Sprintf("make %s hold", condition.Expect), Command: r.f.Command(again...)}
}

// declares says whether the project has an experiment.
func (f Facts) declares(experiment string) bool {
	return slices.ContainsFunc(f.Declaration.Experiments, func(d evidence.Defined) bool { return d.Name == experiment })
}

// holds evaluates a condition. All that stands in it is read first, so that what cannot be told is found on either side of an operator.
func (r *reader) holds(ctx context.Context, src string) (bool, error) {
	p, err := expr.CompileCondition(src, Names())
	if err != nil {
		return false, err
	}
	reads, whole := p.Reads()
	if !whole { // Compile refuses it
		return false, errors.New("it reads what only evaluating tells")
	}
	vars := map[string]any{}
	answers := map[string]any{}
	for _, read := range reads {
		switch {
		case read.Name != runName:
			answers[read.Key()] = r.call(read.Name, read.Args)
		case vars[runName] == nil:
			vars[runName] = r.run()
		}
	}
	if r.failed != nil {
		return false, r.failed
	}
	for name := range functions() {
		vars[name] = func(args []any) (any, error) { return answers[expr.Read{Name: name, Args: args}.Key()], nil }
	}
	return p.Holds(ctx, vars)
}
