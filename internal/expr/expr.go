// Package expr is the one expression language, CEL, with did-you-means, plain
// Go values in and out, and templates.
//
//	p, err := expr.Compile(`status == 201 && body.state == "paid"`, expr.Names{Vars: []string{"status", "body"}})
//	...
//	holds, err := p.Eval(ctx, map[string]any{"status": 201, "body": body})
//
// Integers and floats compare with each other. A name that is not declared is
// an error when compiling; a key that a map lacks is an error when evaluating,
// so an expectation about a missing field never holds by accident.
package expr

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types/ref"
)

// A Func is a function that expressions may call with any number of arguments, up to 8.
type Func struct {
	Name string
	// Call takes and returns nil, bool, int64, float64, string, []any or
	// map[string]any. It is called concurrently when programs are. With a nil Call each
	// evaluation brings its own, as vars[Name], a func([]any) (any, error).
	Call func(args []any) (any, error)
}

// Names are what an expression may refer to. Vars are roots: "body" allows body.state.
type Names struct {
	Vars  []string
	Funcs []Func
}

// A Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	src     string
	names   Names
	env     *cel.Env
	ast     *cel.Ast
	program cel.Program
	vars    []string // declared variables that it reads
	late    []string // functions whose implementation each evaluation brings
	literal bool
}

// costLimit bounds one evaluation: about half a second of loops over large bodies.
const costLimit = 5_000_000

// Compile compiles src. Its error is an *Error.
func Compile(src string, names Names) (*Program, error) {
	if strings.TrimSpace(src) == "" {
		return nil, &Error{Line: 1, Col: 1, Msg: "the expression is empty"}
	}
	env, err := newEnv(names)
	if err != nil {
		return nil, &Error{Line: 1, Col: 1, Msg: err.Error()}
	}
	return compile(env, src, names)
}

// CompileCondition is Compile for an expression that must be true or false.
// Where the type is only known when evaluating, Holds reports another type.
func CompileCondition(src string, names Names) (*Program, error) {
	p, err := Compile(src, names)
	if err != nil {
		return nil, err
	}
	if t := p.ast.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, &Error{Line: 1, Col: 1, Msg: fmt.Sprintf("%s is %s, and must be true or false", p.src, typeName(t.String()))}
	}
	return p, nil
}

func compile(env *cel.Env, src string, names Names) (*Program, error) {
	checked, issues := env.Compile(src)
	if issues.Err() != nil {
		return nil, firstError(src, issues, env, names)
	}
	p := &Program{src: strings.TrimSpace(src), names: names, env: env, ast: checked}
	loops := p.look()
	opts := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(100)}
	if loops { // without a loop the source's length bounds the cost, and tracking would double it
		opts = append(opts, cel.CostLimit(costLimit))
	}
	var err error
	if p.program, err = env.Program(checked, opts...); err != nil {
		e := &Error{Line: 1, Col: 1}
		said(err.Error(), e, src, env)
		return nil, e
	}
	return p, nil
}

// look notes what the program reads and calls, and says whether it has a loop.
func (p *Program) look() (loops bool) {
	tree := p.ast.NativeRep()
	p.literal = tree.Expr().Kind() == ast.LiteralKind
	for _, reference := range tree.ReferenceMap() {
		if slices.Contains(p.names.Vars, reference.Name) && !slices.Contains(p.vars, reference.Name) {
			p.vars = append(p.vars, reference.Name)
		}
	}
	slices.Sort(p.vars)
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.ComprehensionKind:
			loops = true
		case ast.CallKind:
			p.noteCall(e.AsCall().FunctionName())
		}
	}))
	return loops
}

func (p *Program) noteCall(name string) {
	late := func(f Func) bool { return f.Name == name && f.Call == nil }
	if slices.ContainsFunc(p.names.Funcs, late) && !slices.Contains(p.late, name) {
		p.late = append(p.late, name)
	}
}

// String returns the expression as it was written.
func (p *Program) String() string { return p.src }

// Vars returns the declared names that the expression reads, sorted.
func (p *Program) Vars() []string { return p.vars }

// IsLiteral says whether the expression is one literal, such as 201.
func (p *Program) IsLiteral() bool { return p.literal }

// Eval returns the value as nil, bool, int64, float64, string, []byte, []any or
// map[string]any. It ends early when ctx does. An error that a Func returned is wrapped.
func (p *Program) Eval(ctx context.Context, vars map[string]any) (any, error) {
	input, err := p.input(vars)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.src, err)
	}
	out, _, err := p.program.ContextEval(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.src, explain(err))
	}
	value, err := plain(out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.src, err)
	}
	return value, nil
}

// Holds evaluates a condition. A value that is not a boolean is an error.
func (p *Program) Holds(ctx context.Context, vars map[string]any) (bool, error) {
	value, err := p.Eval(ctx, vars)
	if err != nil {
		return false, err
	}
	holds, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("%s: is %v, and must be true or false", p.src, value)
	}
	return holds, nil
}

func (p *Program) input(vars map[string]any) (any, error) {
	if len(p.late) == 0 {
		return vars, nil
	}
	bound := make(map[string]cel.LateBoundFunction, len(p.late))
	for _, name := range p.late {
		call, ok := vars[name].(func([]any) (any, error))
		if !ok {
			return nil, fmt.Errorf("%s() cannot be called here", name)
		}
		bound[name] = func(_ string, args ...ref.Val) ref.Val { return invoke(Func{name, call}, args) }
	}
	return cel.FunctionVars(vars, bound)
}

// explain puts CEL's terse runtime errors into words that name the cause.
func explain(err error) error {
	text := err.Error()
	switch {
	case strings.HasPrefix(text, "no such attribute(s): "):
		return fmt.Errorf("%s has no value", strings.TrimPrefix(text, "no such attribute(s): "))
	case strings.HasPrefix(text, "no such key: "):
		return fmt.Errorf("there is no key %q", strings.TrimPrefix(text, "no such key: "))
	case strings.HasPrefix(text, "index out of bounds: "):
		return fmt.Errorf("there is no item %s (the first is 0)", strings.TrimPrefix(text, "index out of bounds: "))
	case text == "no such overload":
		return errors.New("the operands' types do not go together (double(x), int(x) and string(x) convert)")
	case strings.Contains(text, "cost limit exceeded"):
		return fmt.Errorf("takes too long: more than %d steps", costLimit)
	}
	return err
}
