package expr

import (
	"context"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// A Clause is one of the conditions that && joins at the top of an expression.
type Clause struct {
	Text string // in CEL's canonical spelling
	Op   string // "<", "<=", ">", ">=", "==", "!=", "in", or "" when it is no comparison
	// Left and Right are the sides of the comparison, nil without one. They let a
	// report show the measured value and the limit side by side.
	Left, Right *Program
	whole       *Program
}

// Eval says whether the clause holds.
func (c Clause) Eval(ctx context.Context, vars map[string]any) (bool, error) {
	return c.whole.Holds(ctx, vars)
}

// Program returns the clause as a program of its own.
func (c Clause) Program() *Program { return c.whole }

// Clauses returns the conditions that all must hold. An expression without &&
// at its top is one clause.
func (p *Program) Clauses() []Clause {
	var clauses []Clause
	for _, e := range conjuncts(p.ast.NativeRep().Expr(), nil) {
		clauses = append(clauses, p.clause(e))
	}
	return clauses
}

func conjuncts(e ast.Expr, into []ast.Expr) []ast.Expr {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.LogicalAnd {
		return append(into, e)
	}
	for _, arg := range e.AsCall().Args() {
		into = conjuncts(arg, into)
	}
	return into
}

func (p *Program) clause(e ast.Expr) Clause {
	whole := p.part(e)
	c := Clause{Text: whole.src, whole: whole}
	if e.Kind() != ast.CallKind {
		return c
	}
	call := e.AsCall()
	op, ok := comparison(call.FunctionName())
	if !ok || len(call.Args()) != 2 {
		return c
	}
	c.Op, c.Left, c.Right = op, p.part(call.Args()[0]), p.part(call.Args()[1])
	return c
}

func comparison(function string) (string, bool) {
	switch function {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Equals, operators.NotEquals, operators.In:
		return operators.FindReverse(function)
	}
	return "", false
}

// part compiles a piece of the expression by itself, from its printed form.
func (p *Program) part(e ast.Expr) *Program {
	text, err := cel.ExprToString(e, p.ast.NativeRep().SourceInfo())
	if err != nil {
		panic("expr: a checked expression cannot be printed: " + err.Error())
	}
	part, err := compile(p.env, text, p.names)
	if err != nil {
		panic("expr: a piece of a checked expression does not compile: " + text + ": " + err.Error())
	}
	return part
}
