package experiment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/check/slo"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/verdict"
)

// signals answers the names of expressions from records.
type signals struct {
	ctx      context.Context
	in       check.Input // the window that is judged
	whole    check.Input // the whole experiment, for checkers of objects
	t        timeline
	journeys []string
	// Of the clause under evaluation: what checkers concluded, how many signals
	// gave a value, and the first error of one.
	results []check.Result
	reads   int
	failed  error
}

// undecided is the error of a checker that reached no verdict.
type undecided struct{ result check.Result }

func (u *undecided) Error() string { return u.result.Reason }

// SignalVars are the variables of an experiment's expressions.
func SignalVars() []string { return []string{"recovery"} }

// signalNames are the names of expressions, without what answers them: each
// evaluation brings its records. docs/files.md lists them.
func signalNames() expr.Names {
	names := expr.Names{Vars: SignalVars()}
	for name := range (&signals{}).functions() {
		names.Funcs = append(names.Funcs, expr.Func{Name: name})
	}
	slices.SortFunc(names.Funcs, func(a, b expr.Func) int { return strings.Compare(a.Name, b.Name) })
	return names
}

// functions answer the functions of expressions from the records.
func (s *signals) functions() map[string]any {
	funcs := map[string]any{}
	add := func(name string, params int, call func(args []string) (any, error)) {
		funcs[name] = func(args []any) (any, error) { return s.read(callStrings(name, params, params, args, call)) }
	}
	for name, measure := range measures() {
		add(name, 1, func(args []string) (any, error) { return measure(s.in, args[0]) })
	}
	for name, measure := range linkMeasures() {
		add(name, 2, func(args []string) (any, error) { return measure(s.in, args[0], args[1]) })
	}
	for name, checker := range checkers() {
		add(name, 1, func(args []string) (any, error) { return s.check(checker(args[0])) })
	}
	for name, checker := range modelCheckers() {
		funcs[name] = func(args []any) (any, error) {
			return s.read(callStrings(name, 1, 2, args, func(args []string) (any, error) { return s.check(checker(args)) }))
		}
	}
	return funcs
}

// read notes that a signal was read. An operator may swallow its error, as || does; the clause may not.
func (s *signals) read(value any, err error) (any, error) {
	if err != nil && s.failed == nil {
		s.failed = err
	}
	if err == nil {
		s.reads++
	}
	return value, err
}

// callStrings calls a function of at least and at most so many names.
func callStrings(name string, least, most int, args []any, call func([]string) (any, error)) (any, error) {
	if len(args) < least || len(args) > most {
		takes := fmt.Sprint(least)
		if least < most {
			takes = fmt.Sprintf("%d to %d", least, most)
		}
		return nil, fmt.Errorf("%s takes %s names, not %d", name, takes, len(args))
	}
	texts := make([]string, len(args))
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("%s takes a name in quotes, not %v", name, arg)
		}
		texts[i] = text
	}
	return call(texts)
}

// measures are the numbers of one journey, or of one service.
func measures() map[string]func(check.Input, string) (any, error) {
	quantile := func(q float64) func(check.Input, string) (any, error) {
		return func(in check.Input, journey string) (any, error) {
			d, err := slo.Quantile(in, journey, q)
			return milliseconds(d), err
		}
	}
	return map[string]func(check.Input, string) (any, error){
		"success": func(in check.Input, journey string) (any, error) {
			ratio, err := slo.Success(in, journey)
			return ratio.Share(), err
		},
		"degraded": func(in check.Input, journey string) (any, error) { return slo.Degraded(in, journey) },
		"count":    func(in check.Input, journey string) (any, error) { return slo.Count(in, journey) },
		"failures": func(in check.Input, journey string) (any, error) { return slo.Failures(in, journey) },
		"rate":     func(in check.Input, journey string) (any, error) { return slo.Rate(in, journey) },
		"p50_ms":   quantile(0.50), "p90_ms": quantile(0.90), "p95_ms": quantile(0.95), "p99_ms": quantile(0.99), "max_ms": quantile(1),
		"cpu_cores": func(in check.Input, service string) (any, error) { return slo.Cores(in, service) },
		"rss_mb": func(in check.Input, service string) (any, error) {
			bytes, err := slo.PeakRSS(in, service)
			return bytes / 1e6, err
		},
	}
}

// linkMeasures are the numbers of the links from one service to another, and of those from a journey to a service.
func linkMeasures() map[string]func(check.Input, string, string) (any, error) {
	return map[string]func(check.Input, string, string) (any, error){
		"attempts_max": func(in check.Input, from, to string) (any, error) {
			n, err := slo.AttemptsMax(in, from, to)
			return int64(n), err
		},
		"retries":       func(in check.Input, from, to string) (any, error) { return slo.Retries(in, from, to) },
		"amplification": func(in check.Input, journey, to string) (any, error) { return slo.Amplification(in, journey, to) },
	}
}

// checkers conclude on one object, or on one service.
func checkers() map[string]func(string) check.Checker {
	all := consistency.Isolations()
	maps.Copy(all, consistency.Sessions())
	maps.Copy(all, map[string]func(string) check.Checker{
		"no_lost":   consistency.NoLost,
		"once":      consistency.Once,
		"ordered":   consistency.Ordered,
		"converged": consistency.Converged,
	})
	return all
}

// modelCheckers conclude on one object, of the model that its operations imply or that a second name says.
func modelCheckers() map[string]func(args []string) check.Checker {
	may := func(implied func(string) check.Checker, as func(object, model string) check.Checker) func(args []string) check.Checker {
		return func(args []string) check.Checker {
			if len(args) == 1 {
				return implied(args[0])
			}
			return as(args[0], args[1])
		}
	}
	return map[string]func(args []string) check.Checker{
		"linearizable": may(consistency.Linearizable, consistency.LinearizableAs),
		"sequential":   may(consistency.Sequential, consistency.SequentialAs),
	}
}

// check runs a checker over the whole experiment. Unknown is an error, which
// decides the clause whatever operators stand around it.
func (s *signals) check(c check.Checker) (any, error) {
	result := c.Check(s.ctx, s.whole)
	s.results = append(s.results, result)
	switch result.Verdict {
	case verdict.Pass:
		return true, nil
	case verdict.Fail:
		return false, nil
	}
	return nil, &undecided{result}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// vars computes recovery only when it is asked for: a run without faults has none.
func (s *signals) vars(clause expr.Clause) (map[string]any, error) {
	vars := s.functions()
	vars["recovery"] = map[string]any{}
	if !slices.Contains(clause.Program().Vars(), "recovery") {
		return vars, nil
	}
	s.reads++
	inject, ok := s.t.firstInject()
	if !ok {
		return nil, fmt.Errorf("%w: no fault was injected, so nothing recovered", slo.ErrNoData)
	}
	heal, ok := s.t.lastHeal()
	if !ok {
		return nil, fmt.Errorf("%w: not every fault was healed", slo.ErrNoData)
	}
	if end := s.t.whole().to; heal > end { // a control
		return nil, fmt.Errorf("%w: nothing was healed while the load ran", slo.ErrNotRecovered)
	}
	recovery, err := slo.Recover(s.whole, s.journeys, inject, heal, s.t.whole().to)
	if err != nil {
		return nil, err
	}
	vars["recovery"] = map[string]any{"from_inject_s": recovery.FromInject.Seconds(), "from_heal_s": recovery.FromHeal.Seconds()}
	return vars, nil
}

// A question is an expectation, compiled once and asked of many records.
type question struct {
	text    string
	clauses []expr.Clause
	err     error
}

func ask(e Expectation) question {
	program, err := expr.Compile(e.Text, signalNames())
	if err != nil {
		return question{text: e.Text, err: err}
	}
	return question{text: e.Text, clauses: program.Clauses()}
}

// answer evaluates an expectation, clause by clause.
func (s *signals) answer(q question) []check.Result {
	if q.err != nil {
		return []check.Result{{Check: q.text, Reason: fmt.Sprintf("cannot be evaluated: %v", q.err)}}
	}
	var results []check.Result
	for _, clause := range q.clauses {
		results = append(results, s.clause(clause))
	}
	return results
}

func (s *signals) clause(clause expr.Clause) check.Result {
	s.results, s.reads, s.failed = nil, 0, nil
	result := check.Result{Check: clause.Text}
	vars, err := s.vars(clause)
	holds := false
	if err == nil {
		holds, err = clause.Eval(s.ctx, vars)
	}
	if err == nil {
		err = s.failed
	}
	switch {
	case err != nil:
		s.excuse(&result, err)
	case s.reads == 0:
		result.Reason = fmt.Sprintf("%s is %v without reading any signal, which decides nothing", clause.Text, holds)
	default:
		s.conclude(&result, clause, vars, holds)
	}
	return result
}

// excuse turns an error into a verdict: only a system that did not recover has failed.
func (s *signals) excuse(result *check.Result, err error) {
	var open *undecided
	switch {
	case errors.Is(err, slo.ErrNotRecovered):
		result.Verdict = verdict.Fail
		result.Measured = "never recovered"
		result.Reason = err.Error()
	case errors.As(err, &open):
		result.Reason, result.Witness, result.Model = open.result.Reason, open.result.Witness, open.result.Model
	default:
		result.Reason = err.Error()
	}
}

func (s *signals) conclude(result *check.Result, clause expr.Clause, vars map[string]any, ok bool) {
	result.Verdict = verdict.Fail
	if ok {
		result.Verdict = verdict.Pass
	}
	if clause.Left != nil {
		s.compare(result, clause, vars, ok)
		return
	}
	for _, r := range s.results {
		if r.Verdict == result.Verdict {
			result.Reason, result.Witness, result.Model = r.Reason, r.Witness, r.Model
			return
		}
	}
	result.Reason = fmt.Sprintf("%s is %v", clause.Text, ok)
}

// compare puts the measured value and the limit side by side.
func (s *signals) compare(result *check.Result, clause expr.Clause, vars map[string]any, ok bool) {
	left, errLeft := clause.Left.Eval(s.ctx, vars)
	right, errRight := clause.Right.Eval(s.ctx, vars)
	if errLeft != nil || errRight != nil {
		result.Reason = fmt.Sprintf("%s is %v", clause.Text, ok)
		return
	}
	result.Measured, result.Limit = number(left), clause.Op+" "+number(right)
	result.Reason = fmt.Sprintf("%s was %s, limit %s", clause.Left, result.Measured, result.Limit)
	a, okA := toFloat(left)
	b, okB := toFloat(right)
	if !ok && okA && okB {
		result.Reason += fmt.Sprintf(" (missed by %s)", number(max(a-b, b-a)))
	}
}

func toFloat(x any) (float64, bool) {
	switch x := x.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	}
	return 0, false
}

// number has four decimals, and of a small number, which these would make zero, four digits.
func number(x any) string {
	if f, ok := x.(float64); ok {
		decimals := 4
		if a := math.Abs(f); a > 1e-12 && a < 1e-3 { // what is less comes of rounding
			decimals = 3 - int(math.Floor(math.Log10(a)))
		}
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.*f", decimals, f), "0"), ".")
	}
	return fmt.Sprint(x)
}
