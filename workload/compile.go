package workload

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/expr"
)

// defaultTimeout bounds one try of a step, and defaultEvery is the pause between tries.
const (
	defaultTimeout = 5 * time.Second
	defaultEvery   = 100 * time.Millisecond
)

// A Compiled is a journey whose expressions and templates are compiled. It is
// safe for concurrent use.
type Compiled struct {
	journey Journey
	data    []datum
	steps   []*step
}

// Journey returns what was compiled.
func (c *Compiled) Journey() Journey { return c.journey }

// Compile checks a journey and compiles its expressions. The error joins one
// *Problem for each mistake.
func Compile(j Journey, funcs ...expr.Func) (*Compiled, error) {
	c := &compiler{journey: j.Name, pos: j.Pos, funcs: slices.Concat(runFuncs(), funcs)}
	switch {
	case j.Name == "":
		c.fail("", "a journey has no name")
	case j.Func != nil && len(j.Steps) > 0:
		c.fail("", "has both steps and a Go function (allowed: one of them)")
	case j.Func == nil && len(j.Steps) == 0:
		c.fail("", "has no steps")
	case j.Func == nil && !slices.ContainsFunc(j.Steps, expects):
		c.fail("", "expects nothing: no step has an expect")
	}
	compiled := &Compiled{journey: j, data: c.data(j.Data)}
	names := append(slices.Sorted(maps.Keys(j.Data)), ordinalName)
	compiled.steps = c.steps(j.Steps, names)
	if err := c.err(); err != nil {
		return nil, err
	}
	return compiled, nil
}

func expects(s Step) bool { return s.Expect != "" }

// CheckSteps reports mistakes in setup and final steps, which need no expect:
// a step without one expects its call to succeed.
func CheckSteps(steps []Step, funcs ...expr.Func) error {
	_, err := compileSteps(steps, funcs)
	return err
}

func compileSteps(steps []Step, funcs []expr.Func) (*Compiled, error) {
	c := &compiler{funcs: slices.Concat(runFuncs(), funcs)}
	compiled := &Compiled{steps: c.steps(steps, []string{ordinalName})}
	return compiled, c.err()
}

// ordinalName is the name of a run's ordinal, from 0, in expressions.
const ordinalName = "n"

// A step is a Step whose expressions are compiled.
type step struct {
	Step
	number   int // from 1
	name     string
	call     caller
	expect   *expr.Program
	clauses  []expr.Clause
	degraded *expr.Program
	failed   *expr.Program
	save     []saved
	records  []record
	answers  []string // names that an answer gives values to
}

type saved struct {
	name  string
	value *expr.Program
}

func (c *compiler) steps(steps []Step, names []string) []*step {
	var compiled []*step
	for i, s := range steps {
		c.step, c.pos = i+1, s.Pos
		done := c.one(s, names)
		compiled = append(compiled, done)
		for _, name := range slices.Sorted(maps.Keys(s.Save)) {
			if !slices.Contains(names, name) {
				names = append(slices.Clip(names), name)
			}
		}
	}
	return compiled
}

func (c *compiler) one(s Step, names []string) *step {
	s.Timeout = cmpOr(s.Timeout, defaultTimeout)
	s.Every = cmpOr(s.Every, defaultEvery)
	done := &step{Step: s, number: c.step}
	c.durations(s)
	kind := c.kind(s)
	if kind == nil {
		return done
	}
	done.name, done.answers = kind.title(s), kind.answers
	done.call = kind.compile(c, s, names)
	for name := range s.Save {
		if slices.Contains(kind.answers, name) {
			c.fail("save."+name, "%q is what the step itself answers, so it cannot be saved over", name)
		}
	}
	for _, name := range names {
		if slices.Contains(kind.answers, name) {
			c.fail("", "%q names a value of the journey and what this step answers; rename the value", name)
		}
	}
	c.expectations(done, kind, append(slices.Clip(names), kind.answers...))
	return done
}

func cmpOr(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

func (c *compiler) durations(s Step) {
	for field, d := range map[string]time.Duration{"timeout": s.Timeout, "eventually": s.Eventually, "every": s.Every} {
		if d < 0 {
			c.fail(field, "%v is negative", d)
		}
	}
}

func (c *compiler) expectations(s *step, kind *stepKind, answers []string) {
	text := s.Expect
	if text == "" {
		text = kind.success
	}
	s.expect = c.judging("expect", text, kind, answers)
	s.degraded = c.judging("degraded", s.Degraded, kind, answers)
	s.failed = c.judging("failed", s.Failed, kind, answers)
	if s.expect != nil {
		s.clauses = s.expect.Clauses()
	}
	known := answers
	for _, name := range slices.Sorted(maps.Keys(s.Save)) {
		s.save = append(s.save, saved{name, c.expression("save."+name, s.Save[name], answers)})
		known = append(slices.Clip(known), name)
	}
	for i, r := range s.Record {
		s.records = append(s.records, c.record(fmt.Sprintf("record[%d]", i), s, r, known))
	}
}

// judging compiles a condition on the answer. One that comes out the same whatever
// the system answers is a mistake: an expectation of that kind passes silently.
func (c *compiler) judging(field, src string, kind *stepKind, names []string) *expr.Program {
	p := c.condition(field, src, names)
	if p == nil {
		return nil
	}
	answered := func(name string) bool { return slices.Contains(kind.answers, name) }
	hint := "such as " + kind.success + "; the answer is " + strings.Join(kind.answers, ", ")
	switch {
	case !slices.ContainsFunc(p.Vars(), answered):
		c.failWith(field, &expr.Error{Line: 1, Col: 1, Msg: p.String() + " does not read the answer, so it says nothing about the system", Hint: hint})
	case c.isDecided(p):
		c.failWith(field, &expr.Error{Line: 1, Col: 1, Msg: p.String() + " comes out the same whatever the answer is", Hint: hint})
	}
	return p
}

// isDecided says whether a condition has a value though no name has one, as
// "status == 200 || true" does. Functions that were passed in are not called for it.
func (c *compiler) isDecided(p *expr.Program) bool {
	if slices.ContainsFunc(c.funcs, func(f expr.Func) bool { return f.Call != nil }) {
		return false
	}
	_, err := p.Holds(context.Background(), map[string]any{})
	return err == nil
}

// A stepKind is one of the ways a step can call.
type stepKind struct {
	field   string // the field that chooses it
	set     func(Step) bool
	title   func(Step) string
	answers []string // names that expressions on the answer may read
	success string   // the expectation of a step that states none
	compile func(c *compiler, s Step, names []string) caller
}

func stepKinds() []stepKind {
	return []stepKind{
		{"call", func(s Step) bool { return s.Call != "" }, func(s Step) string { return s.Call },
			[]string{"status", "body", "headers", "elapsed_ms"}, `status < 400`, (*compiler).httpCall},
		{"grpc", func(s Step) bool { return s.GRPC != "" }, func(s Step) string { return "grpc " + s.GRPC },
			[]string{"code", "message", "body", "headers", "elapsed_ms"}, `code == "OK"`, (*compiler).grpcCall},
		{"exec", func(s Step) bool { return len(s.Exec) > 0 }, execTitle,
			[]string{"exit", "stdout", "stderr", "elapsed_ms"}, `exit == 0`, (*compiler).execCall},
		{"sql", func(s Step) bool { return s.SQL != "" }, sqlTitle,
			[]string{"rows", "sqlstate", "elapsed_ms"}, `sqlstate == ""`, (*compiler).sqlCall},
	}
}

func (c *compiler) kind(s Step) *stepKind {
	var chosen []string
	var kind *stepKind
	for _, k := range stepKinds() {
		if k.set(s) {
			chosen, kind = append(chosen, k.field), &k
		}
	}
	switch len(chosen) {
	case 0:
		c.fail("", "calls nothing (one of call, grpc, exec and sql is required)")
		return nil
	case 1:
		c.misplaced(s, kind.field)
		return kind
	}
	c.fail("", "has %v (exactly one of call, grpc, exec and sql is allowed)", chosen)
	return nil
}

// misplaced reports fields that the chosen kind would ignore.
func (c *compiler) misplaced(s Step, kind string) {
	fields := []struct {
		name string
		set  bool
		fits []string
	}{
		{"headers", len(s.Headers) > 0, []string{"call", "grpc"}},
		{"json", s.JSON != nil, []string{"call"}},
		{"body", s.Body != "", []string{"call"}},
		{"message", s.Message != nil, []string{"grpc"}},
		{"protoset", s.Protoset != "", []string{"grpc"}},
		{"query", s.Query != "", []string{"sql"}},
	}
	for _, f := range fields {
		if f.set && !slices.Contains(f.fits, kind) {
			c.fail(f.name, "has no meaning in a step with %s (it belongs to %v)", kind, f.fits)
		}
	}
	if s.JSON != nil && s.Body != "" {
		c.fail("body", "the step also has json (allowed: one of them)")
	}
}
