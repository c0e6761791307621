package workload

import (
	"errors"
	"fmt"

	"github.com/assay-dev/assay/internal/expr"
)

// A Problem is a mistake in a journey, found before anything runs.
type Problem struct {
	Pos     string // "file:line:column" of the step or journey, or ""
	Journey string // "" for setup and final steps
	Step    int    // from 1; 0: the journey itself
	Field   string // such as "expect", "save.id" or "json.sku"
	Err     error  // an *expr.Error where an expression is wrong
}

// Error returns "pos: journey checkout: step 1: expect: what is wrong".
func (p *Problem) Error() string {
	text := ""
	if p.Pos != "" {
		text = p.Pos + ": "
	}
	if p.Journey != "" {
		text += "journey " + p.Journey + ": "
	}
	if p.Step > 0 {
		text += fmt.Sprintf("step %d: ", p.Step)
	}
	if p.Field != "" {
		text += p.Field + ": "
	}
	return text + p.Err.Error()
}

// Unwrap returns what is wrong.
func (p *Problem) Unwrap() error { return p.Err }

// A compiler collects problems, so that one attempt shows all of them.
type compiler struct {
	journey string
	step    int
	pos     string
	funcs   []expr.Func
	found   []error
}

func (c *compiler) fail(field, format string, args ...any) {
	c.failWith(field, fmt.Errorf(format, args...))
}

func (c *compiler) failWith(field string, err error) {
	c.found = append(c.found, &Problem{Pos: c.pos, Journey: c.journey, Step: c.step, Field: field, Err: err})
}

func (c *compiler) err() error { return errors.Join(c.found...) }

func (c *compiler) names(vars []string) expr.Names { return expr.Names{Vars: vars, Funcs: c.funcs} }

func (c *compiler) expression(field, src string, vars []string) *expr.Program {
	p, err := expr.Compile(src, c.names(vars))
	if err != nil {
		c.failWith(field, err)
		return nil
	}
	return p
}

// optional compiles src, or returns nil for "".
func (c *compiler) optional(field, src string, vars []string) *expr.Program {
	if src == "" {
		return nil
	}
	return c.expression(field, src, vars)
}

// condition compiles src, or returns nil for "".
func (c *compiler) condition(field, src string, vars []string) *expr.Program {
	if src == "" {
		return nil
	}
	p, err := expr.CompileCondition(src, c.names(vars))
	if err != nil {
		c.failWith(field, err)
		return nil
	}
	return p
}

func (c *compiler) template(field, text string, vars []string) *expr.Template {
	t, err := expr.ParseTemplate(text, c.names(vars))
	if err != nil {
		c.failWith(field, err)
		return nil
	}
	return t
}
