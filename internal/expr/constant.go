package expr

import (
	"slices"

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
