package spec

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"go.yaml.in/yaml/v3"

	"github.com/assay-dev/assay/check/consistency"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/system"
)

// expectation reads a condition over an experiment's signals.
func (x *experimentLoader) expectation(at place, name string, n *yaml.Node) (experiment.Expectation, bool) {
	before := len(x.errs)
	var text string
	x.src.text(&text)(name, n)
	if text == "" {
		return experiment.Expectation{}, false
	}
	program, err := expr.CompileCondition(text, SignalNames())
	if err != nil {
		x.src.expression(n, "", err)
		return experiment.Expectation{}, false
	}
	x.checkSignals(at, n, text)
	if len(x.errs) == before && isDecided(program) {
		x.src.wrongAt(n, 0, "", "%s is decided before any signal is read, so it says nothing about the system", text)
	}
	return experiment.Expectation{Text: text, Pos: x.src.pos(n)}, len(x.errs) == before
}

// checkSignals looks at what a valid expression reads: a journey that is not
// there would be unknown in every run, and what needs no signal would pass in every run.
func (x *experimentLoader) checkSignals(at place, n *yaml.Node, text string) {
	parsed, issues := x.syntax().Parse(text)
	if issues.Err() != nil {
		x.src.wrongAt(n, 0, "", "%s cannot be taken apart: %v", text, issues.Err())
		return
	}
	w := &signalWalk{x: x, n: n, place: at, tree: parsed.NativeRep(), signals: Signals()}
	whole := w.tree.Expr()
	ast.PreOrderVisit(whole, ast.NewExprVisitor(w.visit))
	if !w.reads(whole) {
		x.src.wrongAt(n, 0, "such as success(\"checkout\") >= 0.99", "%s reads no signal, so it says nothing about the system", text)
		return
	}
	w.decide(whole)
}

// syntax returns an environment that parses, made once.
func (l *loader) syntax() *cel.Env {
	if l.cel == nil {
		env, err := cel.NewEnv(ext.Lists(), cel.EnableMacroCallTracking()) // its sortBy is a loop
		if err != nil {
			panic("spec: CEL with lists: " + err.Error())
		}
		l.cel = env
	}
	return l.cel
}

// A signalWalk visits the calls of one expression.
type signalWalk struct {
	x       *experimentLoader
	n       *yaml.Node
	tree    *ast.AST
	place   place
	signals []Signal
}

func (w *signalWalk) visit(e ast.Expr) {
	switch e.Kind() {
	case ast.SelectKind:
		w.visitSelect(e)
	case ast.CallKind:
		if signal, ok := w.signal(e.AsCall()); ok {
			w.checkPlace(e, signal.Name, signal.isChecker(), signal.isMeasure())
			w.visitSignal(e, signal, e.AsCall().Args())
		}
	}
}

func (w *signalWalk) visitSelect(e ast.Expr) {
	of := e.AsSelect()
	if of.Operand().Kind() != ast.IdentKind || of.Operand().AsIdent() != recoveryName {
		return
	}
	w.checkPlace(e, recoveryName, true, false)
	if slices.Contains(recoveryFields(), of.FieldName()) {
		return
	}
	// The position of a selection is its dot.
	w.wrong(e, 1, hint(of.FieldName(), recoveryFields()), "recovery has no %q", of.FieldName())
}

func (w *signalWalk) visitSignal(e ast.Expr, s Signal, args []ast.Expr) {
	params := slices.Concat(s.Params, s.More)
	if len(args) < len(s.Params) || len(args) > len(params) {
		takes := plural(len(s.Params), "name")
		if len(s.More) > 0 {
			takes = fmt.Sprintf("%d or %s", len(s.Params), plural(len(params), "name"))
		}
		// The position of a call is its parenthesis.
		w.wrong(e, -len(s.Name), s.usage(), "%s takes %s, not %d", s.Name, takes, len(args))
		return
	}
	for i, arg := range args {
		if arg.Kind() != ast.LiteralKind {
			continue // computed: known only when judging
		}
		name, ok := arg.AsLiteral().(types.String)
		if !ok {
			w.wrong(arg, 0, s.usage(), "%s takes a name in quotes", s.Name)
			continue
		}
		if allowed, msg := w.x.allowed(params[i], string(name)); msg != "" {
			w.wrong(arg, 1, hint(string(name), allowed), "%s", msg)
		}
	}
}

func (w *signalWalk) wrong(e ast.Expr, shift int, hint, format string, args ...any) {
	at := w.tree.SourceInfo().GetStartLocation(e.ID())
	offset := offsetOf([]rune(w.n.Value), at.Line(), at.Column()+1+shift)
	w.x.src.wrongAt(w.n, max(offset, 0), hint, format, args...)
}

// usage returns "success(journey)", and "linearizable(object[, model])" where an argument may be left out.
func (s Signal) usage() string {
	params := make([]string, len(s.Params))
	for i, p := range s.Params {
		params[i] = string(p)
	}
	usage := s.Name + "(" + strings.Join(params, ", ")
	for _, p := range s.More {
		usage += "[, " + string(p) + "]"
	}
	return usage + ")"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// allowed returns the names that a parameter may have, and what is wrong with name.
func (x *experimentLoader) allowed(p Param, name string) (names []string, msg string) {
	project := x.project
	switch p {
	case JourneyParam:
		names, msg = project.journeyNames(), fmt.Sprintf("no journey is called %q", name)
		if slices.Contains(names, name) && len(x.loaded) > 0 && !slices.Contains(x.loaded, name) {
			return x.loaded, fmt.Sprintf("journey %s has no load in this experiment", name)
		}
	case ObjectParam:
		names, msg = project.objects(), fmt.Sprintf("no step records on an object %q", name)
	case ModelParam:
		names, msg = consistency.Models(), fmt.Sprintf("no model is called %q", name)
	case PositionParam:
		names, msg = project.serviceNames(), fmt.Sprintf("no service is called %q", name)
		if service, ok := project.System.Service(name); ok {
			if _, ok := service.Probes["position"]; !ok {
				return x.positioned(), fmt.Sprintf("service %s declares no probe \"position\"", name)
			}
		}
	case CallerParam:
		names, msg = append(project.serviceNames(), system.Client), fmt.Sprintf("no service is called %q", name)
	case ServiceParam:
		names, msg = project.serviceNames(), fmt.Sprintf("no service is called %q", name)
	}
	if !slices.Contains([]Param{JourneyParam, ObjectParam, ModelParam}, p) && len(project.System.Services) == 0 || slices.Contains(names, name) {
		return nil, "" // without a topology its own mistakes are shown
	}
	return names, msg
}

// positioned are the services that can be asked for their position.
func (x *experimentLoader) positioned() []string {
	var names []string
	for _, s := range x.project.System.Services {
		if _, ok := s.Probes["position"]; ok {
			names = append(names, s.Name)
		}
	}
	return names
}
