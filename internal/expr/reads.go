package expr

import (
	"fmt"
	"slices"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// A Read is one thing that an expression reads: a call of a declared function, such as count("fail"), or a field of a declared name, such as run.commit.
type Read struct {
	Name  string // of the function, or of the name
	Args  []any  // of the function: constants
	Field string // of the name; "" for a function
	// Beside are the constants that it is compared with. Free says that it also stands elsewhere, as in a sum.
	Beside []any
	Free   bool
}

// Key tells a read from others.
func (r Read) Key() string { return fmt.Sprintf("%s%#v.%s", r.Name, r.Args, r.Field) }

// Reads returns all that the expression reads, in the order in which it is written. It is not whole where something is
// read that only evaluating tells: a call with an argument that is no constant, a name as such, or whether it has a field.
func (p *Program) Reads() (reads []Read, whole bool) {
	w := &readWalk{p: p, whole: true}
	w.walk(p.ast.NativeRep().Expr(), nil)
	return w.reads, w.whole
}

type readWalk struct {
	p     *Program
	reads []Read
	whole bool
}

func (w *readWalk) walk(e, parent ast.Expr) {
	if r, ok := w.read(e); ok {
		w.note(r, e, parent)
		return
	}
	switch e.Kind() {
	case ast.IdentKind:
		w.whole = w.whole && !slices.Contains(w.p.names.Vars, e.AsIdent())
	case ast.CallKind:
		call := e.AsCall()
		if w.declared(call.FunctionName()) {
			w.whole = false
		}
		if call.IsMemberFunction() {
			w.walk(call.Target(), e)
		}
		for _, arg := range call.Args() {
			w.walk(arg, e)
		}
	case ast.SelectKind:
		w.walk(e.AsSelect().Operand(), e)
	case ast.LiteralKind:
	default: // lists, maps and loops
		for _, child := range children(e) {
			w.walk(child, e)
		}
	}
}

func children(e ast.Expr) []ast.Expr {
	var all []ast.Expr
	switch e.Kind() {
	case ast.ListKind:
		all = e.AsList().Elements()
	case ast.MapKind:
		for _, entry := range e.AsMap().Entries() {
			all = append(all, entry.AsMapEntry().Key(), entry.AsMapEntry().Value())
		}
	case ast.ComprehensionKind:
		c := e.AsComprehension()
		all = append(all, c.IterRange(), c.AccuInit(), c.LoopCondition(), c.LoopStep(), c.Result())
	}
	return all
}

func (w *readWalk) declared(function string) bool {
	return slices.ContainsFunc(w.p.names.Funcs, func(f Func) bool { return f.Name == function })
}

func (w *readWalk) read(e ast.Expr) (Read, bool) {
	switch e.Kind() {
	case ast.SelectKind:
		of := e.AsSelect().Operand()
		if !e.AsSelect().IsTestOnly() && of.Kind() == ast.IdentKind && slices.Contains(w.p.names.Vars, of.AsIdent()) {
			return Read{Name: of.AsIdent(), Field: e.AsSelect().FieldName()}, true
		}
	case ast.CallKind:
		call := e.AsCall()
		args, ok := literals(call.Args())
		if w.declared(call.FunctionName()) && !call.IsMemberFunction() && ok {
			return Read{Name: call.FunctionName(), Args: args}, true
		}
	}
	return Read{}, false
}

// note adds a read, or what one that is known is compared with here.
func (w *readWalk) note(r Read, e, parent ast.Expr) {
	at := slices.IndexFunc(w.reads, func(other Read) bool { return other.Key() == r.Key() })
	if at < 0 {
		at = len(w.reads)
		w.reads = append(w.reads, r)
	}
	beside, ok := besides(e, parent)
	w.reads[at].Beside = append(w.reads[at].Beside, beside...)
	w.reads[at].Free = w.reads[at].Free || !ok
}

// besides returns the constants that an expression is compared with by its parent, and whether it is.
func besides(e, parent ast.Expr) ([]any, bool) {
	if parent == nil || parent.Kind() != ast.CallKind {
		return nil, parent == nil
	}
	call := parent.AsCall()
	switch call.FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
		return nil, true
	case operators.Conditional: // what it decides by, and not what comes out
		return nil, call.Args()[0].ID() == e.ID()
	}
	if _, ok := comparison(call.FunctionName()); !ok || len(call.Args()) != 2 {
		return nil, false
	}
	other := call.Args()[0]
	if other.ID() == e.ID() {
		other = call.Args()[1]
	}
	if call.FunctionName() == operators.In && other.Kind() == ast.ListKind {
		return literals(other.AsList().Elements())
	}
	return literals([]ast.Expr{other})
}

// literals returns the values of constants, and whether all are.
func literals(all []ast.Expr) ([]any, bool) {
	var values []any
	for _, e := range all {
		if e.Kind() != ast.LiteralKind {
			return nil, false
		}
		values = append(values, e.AsLiteral().Value())
	}
	return values, true
}

// A Part is a piece of a condition that is true or false by itself: an operand of &&, ||, ! or ?:, or the whole.
type Part struct {
	*Program
	Line, Col int // where it begins in the whole
}

// Parts returns the pieces of a condition that are true or false by themselves, each before those that it is a part of.
func (p *Program) Parts() []Part { return p.parts(p.ast.NativeRep().Expr(), nil) }

func (p *Program) parts(e ast.Expr, into []Part) []Part {
	if e.Kind() == ast.CallKind {
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.Conditional:
			for _, arg := range e.AsCall().Args() {
				into = p.parts(arg, into)
			}
		}
	}
	line, col := p.start(e)
	return append(into, Part{p.part(e), line, col})
}

// start returns where the first character of a piece is.
func (p *Program) start(e ast.Expr) (line, col int) {
	info, first := p.ast.NativeRep().SourceInfo(), -1
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		at, ok := info.GetOffsetRange(e.ID())
		if !ok {
			return
		}
		start := int(at.Start)
		if e.Kind() == ast.CallKind && !e.AsCall().IsMemberFunction() {
			if _, operator := operators.FindReverse(e.AsCall().FunctionName()); !operator {
				start -= len([]rune(e.AsCall().FunctionName())) // the position of a call is its parenthesis
			}
		}
		if first < 0 || start < first {
			first = start
		}
	}))
	at := info.GetLocationByOffset(int32(max(first, 0)))
	return max(at.Line(), 1), at.Column() + 1
}
