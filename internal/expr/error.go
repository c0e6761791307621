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
	e := &Error{Line: max(first.Location.Line(), 1), Col: max(first.Location.Column()+1, 1), Msg: brief(first.Message)}
	undeclared := regexp.MustCompile(`^undeclared reference to '([^']*)'`).FindStringSubmatch(first.Message)
	if undeclared == nil {
		return e
	}
	name := undeclared[1]
	known, what := slices.Clone(names.Vars), "no name is"
	if isCalled(src, e) {
		known, what = functionNames(env, names), "no function is"
		e.Col = max(e.Col-len([]rune(name)), 1)
	}
	e.Msg = fmt.Sprintf("%s called %q", what, name)
	switch near := Suggest(name, known); {
	case near != "":
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	case what == "no name is" && len(known) > 0 && len(known) <= 20:
		slices.Sort(known)
		e.Hint = "allowed: " + strings.Join(known, ", ")
	}
	return e
}

// brief cuts the parser's list of every token that it would have taken.
func brief(message string) string {
	message, _, _ = strings.Cut(message, " expecting {")
	message = strings.ReplaceAll(message, "'<EOF>'", "its end")
	if rest, ok := strings.CutPrefix(message, "Syntax error: "); ok {
		return "syntax error: " + rest
	}
	return message
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
