package expr

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// ConstantPart returns the first operand of &&, || and ?:, or the whole expression, that reads no declared
// name and calls no declared function, so that it comes out the same whatever those say; "" for none.
func (p *Program) ConstantPart() string { return p.constant(p.ast.NativeRep().Expr()) }

func (p *Program) constant(e ast.Expr) string {
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		if slices.Contains([]string{operators.LogicalAnd, operators.LogicalOr, operators.Conditional, operators.LogicalNot}, call.FunctionName()) {
			for _, arg := range call.Args() {
				if text := p.constant(arg); text != "" {
					return text
				}
			}
			return ""
		}
	}
	if p.reads(e) {
		return ""
	}
	return p.part(e).src
}

// reads says whether an expression reads a declared name or calls a declared function.
func (p *Program) reads(e ast.Expr) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			found = found || slices.Contains(p.names.Vars, e.AsIdent())
		case ast.CallKind:
			name := e.AsCall().FunctionName()
			found = found || slices.ContainsFunc(p.names.Funcs, func(f Func) bool { return f.Name == name })
		}
	}))
	return found
}

// A Comparison is a call of a declared function beside a text, such as verdict("a", "b") == "pass".
type Comparison struct{ Func, Text string }

// Comparisons returns what calls are compared with texts, and the first comparison of an expression with itself, "" for none.
func (p *Program) Comparisons() (with []Comparison, itself string) {
	ast.PreOrderVisit(p.ast.NativeRep().Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		if e.Kind() != ast.CallKind {
			return
		}
		call := e.AsCall()
		if _, ok := comparison(call.FunctionName()); !ok || len(call.Args()) != 2 {
			return
		}
		left, right := call.Args()[0], call.Args()[1]
		if text := p.text(left); text != "" && text == p.text(right) && itself == "" {
			itself = p.text(e)
		}
		for _, sides := range [][2]ast.Expr{{left, right}, {right, left}} {
			if text, ok := textOf(sides[1]); ok && sides[0].Kind() == ast.CallKind {
				with = append(with, Comparison{sides[0].AsCall().FunctionName(), text})
			}
		}
	}))
	return with, itself
}

// text prints a piece of the expression, "" for one that only a loop's expansion has.
func (p *Program) text(e ast.Expr) string {
	text, err := cel.ExprToString(e, p.ast.NativeRep().SourceInfo())
	if err != nil {
		return ""
	}
	return text
}

func textOf(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	text, ok := e.AsLiteral().Value().(string)
	return text, ok
}
