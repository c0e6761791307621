package spec

import (
	"context"
	"errors"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/assay-dev/assay/internal/expr"
)

// A place is the key under which an expectation stands: it decides what the expectation may read.
type place string

const (
	steady place = "steady"
	during place = "during"
	expect place = "expect"
	guard  place = "guard" // as expect
	stop   place = "stop.when"
)

// isChecker says whether the signal is a checker, which judges the whole experiment.
func (s Signal) isChecker() bool {
	return slices.Equal(s.Params, []Param{ObjectParam}) || slices.Equal(s.Params, []Param{PositionParam})
}

// isMeasure says whether the signal measures one journey, which can be watched while the load runs.
func (s Signal) isMeasure() bool { return slices.Equal(s.Params, []Param{JourneyParam}) }

func measureNames() []string {
	var names []string
	for _, s := range Signals() {
		if s.isMeasure() {
			names = append(names, s.Name)
		}
	}
	return names
}

// checkPlace reports a signal that has no value where it is read.
func (w *signalWalk) checkPlace(e ast.Expr, name string, checker, measure bool) {
	switch {
	case w.place == stop && !measure:
		w.wrongPart(e, "allowed: "+strings.Join(measureNames(), ", "), "%s reads %s, which has no value while the load runs, so it would never stop the experiment", w.place, name)
	case (w.place == steady || w.place == during) && checker:
		w.wrongPart(e, "put it under expect", "%s reads %s, which judges the whole experiment", w.place, name)
	}
}

// decide reports the parts of an expression that make it come out the same
// whatever the system does: an expectation that cannot fail passes silently.
func (w *signalWalk) decide(e ast.Expr) {
	switch e.Kind() {
	case ast.ComprehensionKind:
		w.wrongPart(e, "write one expectation for each", "an expectation has no loops: of an empty list it would hold without reading anything")
	case ast.ListKind, ast.MapKind:
		w.wrongPart(e, "compare the signals themselves", "an expectation has no lists of signals")
	case ast.IdentKind:
		w.wrongPart(e, "allowed: recovery."+strings.Join(recoveryFields(), ", recovery."), "recovery by itself is no measure")
	case ast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			w.wrongPart(e, "compare it", "has() asks whether there is a signal, and not what it measured")
		}
	case ast.CallKind:
		w.decideCall(e)
	}
}

func (w *signalWalk) decideCall(e ast.Expr) {
	call := e.AsCall()
	switch call.FunctionName() {
	case operators.LogicalAnd, operators.LogicalOr, operators.Conditional:
		w.decideOperands(call.Args())
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Equals, operators.NotEquals:
		if side := w.text(call.Args()[0]); side == w.text(call.Args()[1]) {
			w.wrongPart(e, "", "%s stands on both sides, so it decides nothing", side)
			return
		}
	case "type", "size":
		w.wrongPart(e, "compare the signal itself", "%s() says nothing of what a signal measured", call.FunctionName())
		return
	}
	for _, part := range append(slices.Clip(call.Args()), call.Target()) {
		if part != nil && w.reads(part) {
			w.decide(part)
		}
	}
}

// decideOperands reports the operands of &&, || and ?: that are the same in every run.
func (w *signalWalk) decideOperands(args []ast.Expr) {
	for _, arg := range args {
		if !w.reads(arg) {
			w.wrongPart(arg, "each part of &&, || and ?: reads one", "%s reads no signal, so it decides without the system", brief(w.text(arg)))
		}
	}
}

// reads says whether a part of the expression reads a signal.
func (w *signalWalk) reads(e ast.Expr) bool {
	found := false
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind:
			found = found || e.AsIdent() == recoveryName
		case ast.CallKind:
			_, is := w.signal(e.AsCall())
			found = found || is
		}
	}))
	return found
}

// signal returns the signal that a call reads.
func (w *signalWalk) signal(call ast.CallExpr) (Signal, bool) {
	i := slices.IndexFunc(w.signals, func(s Signal) bool { return s.Name == call.FunctionName() })
	if i < 0 || call.IsMemberFunction() {
		return Signal{}, false
	}
	return w.signals[i], true
}

// text returns a part of the expression in CEL's spelling.
func (w *signalWalk) text(e ast.Expr) string {
	text, err := cel.ExprToString(e, w.tree.SourceInfo())
	if err != nil {
		return "this part" // inside of an expanded loop
	}
	return text
}

// wrongPart reports a mistake at the first character of a part.
func (w *signalWalk) wrongPart(e ast.Expr, hint, format string, args ...any) {
	first := len([]rune(w.n.Value))
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		at, ok := w.tree.SourceInfo().GetOffsetRange(e.ID())
		if !ok {
			return
		}
		start := int(at.Start)
		if e.Kind() == ast.CallKind && isName(e.AsCall()) {
			start -= len(e.AsCall().FunctionName()) // the position of a call is its parenthesis
		}
		first = min(first, start)
	}))
	w.x.src.wrongAt(w.n, max(first, 0), hint, format, args...)
}

// isName says whether the call is written as name(arguments).
func isName(call ast.CallExpr) bool {
	_, operator := operators.FindReverse(call.FunctionName())
	return !operator && !call.IsMemberFunction()
}

var errNoSignal = errors.New("nothing was measured")

// isDecided says whether an expression has a value though no signal has one.
func isDecided(p *expr.Program) bool {
	vars := map[string]any{}
	for _, s := range Signals() {
		vars[s.Name] = func([]any) (any, error) { return nil, errNoSignal }
	}
	_, err := p.Eval(context.Background(), vars)
	return err == nil
}
