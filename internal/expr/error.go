package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
)

// An Error says what is wrong with an expression or a template, and where.
type Error struct {
	Line, Col int // from 1, within the source
	Msg       string
	Hint      string // such as `did you mean "status"?`, or ""
}

// Error returns "line:col: what is wrong (hint)".
func (e *Error) Error() string {
	text := fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg)
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

func firstError(src string, issues *cel.Issues, env *cel.Env, names Names) *Error {
	first := issues.Errors()[0]
	e := &Error{Line: max(first.Location.Line(), 1), Col: max(first.Location.Column()+1, 1)}
	undeclared := regexp.MustCompile(`^undeclared reference to '([^']*)'`).FindStringSubmatch(first.Message)
	if undeclared == nil {
		said(first.Message, e, src, env)
		return e
	}
	name := undeclared[1]
	switch {
	case isCalled(src, e):
		e.Col = max(e.Col-len([]rune(name)), 1)
		e.noFunction(name, functionNames(env, names))
	case namespace(name, functionNames(env, names)):
		_, here := around(src, e)
		e.noFunction(regexp.MustCompile(`^[\w.]+`).FindString(here), functionNames(env, names))
	default:
		e.noName(name, names.Vars)
	}
	return e
}

func (e *Error) noName(name string, known []string) {
	e.Msg = fmt.Sprintf("no name is called %q", name)
	switch near := Suggest(name, known); {
	case near != "":
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	case len(known) > 0 && len(known) <= 20:
		e.Hint = "allowed: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	}
}

// noFunction says that there is none of that name, or that one which reads its arguments in a way of its own was not given them.
func (e *Error) noFunction(name string, known []string) {
	if how := macro(name); how != "" {
		e.Msg, e.Hint = name+" is not used like this", "it is written "+how
		return
	}
	e.Msg = fmt.Sprintf("no function is called %q", name)
	elsewhere := map[string]string{"len": "size", "length": "size", "count": "size", "lower": "lowerAscii", "upper": "upperAscii", "abs": "math.abs", "max": "math.greatest",
		"min": "math.least", "round": "math.round", "floor": "math.floor", "ceil": "math.ceil", "float": "double", "str": "string", "any": "exists", "some": "exists"}[name]
	near := Suggest(name, known)
	if slices.Contains(known, elsewhere) && !slices.Contains(known, name) && (near == "" || len(name) <= 5) {
		near = elsewhere
	}
	if near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
}

// macro is how one of CEL's macros is written, "" for what is none.
func macro(name string) string {
	return map[string]string{"has": "has(body.state)", "all": "LIST.all(x, CONDITION)", "exists": "LIST.exists(x, CONDITION)", "exists_one": "LIST.exists_one(x, CONDITION)",
		"filter": "LIST.filter(x, CONDITION)", "map": "LIST.map(x, VALUE)"}[name]
}

// namespace says whether functions are called NAME.something.
func namespace(name string, known []string) bool {
	return slices.ContainsFunc(known, func(f string) bool { return strings.HasPrefix(f, name+".") })
}

// isCalled says whether the error is about a function: CEL reports unknown
// variables and functions in the same words, but points at a call's parenthesis.
func isCalled(src string, e *Error) bool {
	lines := strings.Split(src, "\n")
	if e.Line > len(lines) {
		return false
	}
	line := []rune(lines[e.Line-1])
	return e.Col <= len(line) && line[e.Col-1] == '('
}

func functionNames(env *cel.Env, names Names) []string {
	var known []string
	for _, f := range names.Funcs {
		known = append(known, f.Name)
	}
	for _, macro := range env.Macros() {
		known = append(known, macro.Function())
	}
	for name := range env.Functions() {
		if unicode.IsLetter(rune(name[0])) {
			known = append(known, name)
		}
	}
	return known
}
