package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// Names are what conditions may read.
//
//	verdict(J, M)    "pass", "fail" or "unknown" of a cell, as the matrix has it
//	age_h(J, M)      hours since the evidence that decides the cell
//	grade(J, M)      "claimed", "stream" or "packet"
//	layer(J, M)      "component", "contract", "integration", …
//	sources(J, M)    how many experiments and imports speak of it
//	count(V)         how many cells that anybody asks for have the verdict V
//	result(X)        verdict of experiment X's newest evidence
//	recovery_s(X)    seconds from the first inject until all was well again
//	run              the newest whole run: id, age_h, verdict, commit, dirty, seed
func Names() expr.Names {
	names := expr.Names{Vars: []string{"run"}}
	for name := range (&reader{}).functions() {
		names.Funcs = append(names.Funcs, expr.Func{Name: name})
	}
	slices.SortFunc(names.Funcs, func(a, b expr.Func) int { return strings.Compare(a.Name, b.Name) })
	return names
}

// Compile compiles a condition. One that reads nothing decides nothing, and is an error.
func Compile(src string) (*expr.Program, error) {
	p, err := expr.CompileCondition(src, Names())
	if err != nil {
		return nil, err
	}
	if part := p.ConstantPart(); part != "" {
		return nil, &expr.Error{Line: 1, Col: 1, Msg: part + " reads nothing of the evidence, so it comes out the same whatever that is"}
	}
	with, itself := p.Comparisons()
	if itself != "" {
		return nil, &expr.Error{Line: 1, Col: 1, Msg: itself + " compares a thing with itself, so it decides nothing"}
	}
	for _, c := range with {
		if known := answers()[c.Func]; known != nil && !slices.Contains(known, c.Text) {
			return nil, &expr.Error{Line: 1, Col: 1, Msg: fmt.Sprintf("%s never is %q", c.Func, c.Text), Hint: "it is one of " + strings.Join(known, ", ")}
		}
	}
	return p, nil
}

// answers are the texts that functions of conditions can give.
func answers() map[string][]string {
	verdicts := []string{verdict.Pass.String(), verdict.Fail.String(), verdict.Unknown.String()}
	return map[string][]string{"verdict": verdicts, "result": verdicts, "grade": evidence.Grades(), "layer": evidence.Layers()}
}

// conditions evaluates each. Whatever cannot be told is unknown: a name that nothing has, a figure that nobody measured.
func (f Facts) conditions(ctx context.Context) []Clause {
	var clauses []Clause
	for _, condition := range f.Policy.Conditions {
		c := Clause{Name: condition.Name, Kind: KindCondition, Condition: condition.Name, Owner: condition.Owner, Pos: condition.Pos, Verdict: verdict.Fail, Reason: "it does not hold: " + condition.Expect}
		r := &reader{f: f}
		holds, err := r.holds(ctx, condition.Expect)
		switch {
		case r.failed != nil: // an operator may have swallowed it
			c.Verdict, c.Reason = verdict.Unknown, r.failed.Error()
		case err != nil:
			c.Verdict, c.Reason = verdict.Unknown, err.Error()
		case holds:
			c.Verdict, c.Reason = verdict.Pass, "it holds: "+condition.Expect
		}
		if c.Verdict != verdict.Pass {
			c.Ways = [][]Change{{{Key: "condition " + condition.Name, Text: fmt.Sprintf("make %s hold", condition.Expect)}}}
		}
		clauses = append(clauses, c)
	}
	return clauses
}

// holds evaluates a condition.
func (r *reader) holds(ctx context.Context, src string) (bool, error) {
	p, err := Compile(src)
	if err != nil {
		return false, err
	}
	vars := r.functions()
	vars["run"] = r.f.run()
	return p.Holds(ctx, vars)
}

func (f Facts) run() map[string]any {
	if f.Newest == nil {
		return map[string]any{} // a key that is not there is an error, and so unknown
	}
	meta := f.Newest.Meta
	v := verdict.Unknown
	if f.Newest.End != nil {
		v = f.Newest.End.Verdict
	}
	return map[string]any{"id": f.Newest.ID, "age_h": f.Matrix.At.Sub(meta.Started).Hours(), "verdict": v.String(),
		"commit": meta.Commit, "dirty": meta.Dirty, "seed": int64(meta.Seed)}
}

// A reader answers the functions of one condition.
type reader struct {
	f      Facts
	failed error // the first thing that could not be told
}

func (r *reader) functions() map[string]any {
	cell := func(read func(matrix.Cell, matrix.Source) any) any {
		return func(args []any) (any, error) { return r.note(r.cell(args, read)) }
	}
	experiment := func(read func(name string) (any, error)) any {
		return func(args []any) (any, error) {
			name, err := texts(args, 1)
			if err != nil {
				return r.note(nil, err)
			}
			return r.note(read(name[0]))
		}
	}
	return map[string]any{
		"verdict": cell(func(c matrix.Cell, _ matrix.Source) any { return c.Verdict.String() }),
		"age_h":   cell(func(_ matrix.Cell, s matrix.Source) any { return r.f.Matrix.At.Sub(s.At).Hours() }),
		"grade":   cell(func(_ matrix.Cell, s matrix.Source) any { return s.Grade }),
		"layer":   cell(func(_ matrix.Cell, s matrix.Source) any { return s.Layer }),
		"sources": cell(func(c matrix.Cell, _ matrix.Source) any { return int64(len(c.Sources)) }),
		"count": experiment(func(name string) (any, error) {
			v, err := verdict.Parse(name)
			return int64(r.f.Matrix.Count()[v]), err
		}),
		"result":     experiment(r.result),
		"recovery_s": experiment(r.recovery),
	}
}

func (r *reader) note(value any, err error) (any, error) {
	if err != nil && r.failed == nil {
		r.failed = err
	}
	return value, err
}

func (r *reader) cell(args []any, read func(matrix.Cell, matrix.Source) any) (any, error) {
	names, err := texts(args, 2)
	if err != nil {
		return nil, err
	}
	c, ok := r.f.Matrix.Cell(names[0], names[1])
	if !ok {
		return nil, fmt.Errorf("the matrix has no cell %s: %s", names[0], names[1])
	}
	s, ok := c.Decisive()
	if !ok || s.Run == "" {
		return nil, fmt.Errorf("%s: %s has no evidence", names[0], names[1])
	}
	return read(c, s), nil
}

func (r *reader) result(name string) (any, error) {
	result, ok := r.f.Results[name]
	if !ok {
		return nil, fmt.Errorf("experiment %s has left no evidence", name)
	}
	return result.Verdict.String(), nil
}

func (r *reader) recovery(name string) (any, error) {
	result, ok := r.f.Results[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("experiment %s has left no evidence", name)
	case result.Recovery == nil:
		return nil, fmt.Errorf("experiment %s broke nothing, so nothing recovered", name)
	case !result.Recovery.Recovered:
		return nil, fmt.Errorf("experiment %s: %s", name, result.Recovery.Text)
	}
	return result.Recovery.FromInject.Seconds(), nil
}

// texts reads n names.
func texts(args []any, n int) ([]string, error) {
	var names []string
	for _, arg := range args {
		name, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("it takes a name in quotes, not %v", arg)
		}
		names = append(names, name)
	}
	if len(names) != n {
		return nil, fmt.Errorf("it takes %d names, not %d", n, len(names))
	}
	return names, nil
}
