package expr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
)

// said puts what CEL says of an expression into words for somebody who does not know its insides: what was found, and
// what is allowed. e has the place in src.
func said(message string, e *Error, src string, env *cel.Env) {
	for _, w := range []func(string, *Error, string, *cel.Env) bool{overload, syntax, kinds} {
		if w(message, e, src, env) {
			return
		}
	}
	e.Msg = brief(message)
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

// kinds are mistakes that CEL tells in a sentence of their own.
func kinds(message string, e *Error, _ string, _ *cel.Env) bool {
	for _, k := range []struct{ pattern, msg, hint string }{
		{`^expected type '(.*)' but found '(.*)'$`, "this is $2, and must be $1", ""}, // the only type that is expected is bool
		{`^type '(.*)' does not support field selection$`, "$1 has no fields", ""},
		{`^type conversion error from '(.*)' to '(.*)'$`, "$1 such as this cannot be made $2", ""},
		{`^reserved identifier: (.*)$`, `"$1" is a reserved word`, ""},
		{`^invalid int literal$`, "the integer does not fit 64 bits", ""},
		{`^invalid argument to has\(\) macro$`, "has() asks whether a field is there, and this is none", "such as has(body.state)"},
		{`^math\.(\w+)\(\) (?:invalid|simple literal) .*$`, `"math.$1" takes numbers, or one list of numbers`, ""},
		{`^argument (?:is not an identifier|must be a simple name)$`, "the first argument must be a name for each item", "such as x in list.all(x, x > 0)"},
	} {
		m := regexp.MustCompile(k.pattern).FindStringSubmatch(message)
		if m == nil {
			continue
		}
		e.Msg, e.Hint = k.msg, k.hint
		for i := 1; i < len(m); i++ {
			word := m[i]
			switch {
			case word == "bool" && i == 1:
				word = "true or false"
			case k.msg[0] != '"':
				word = typeName(word)
			}
			e.Msg = strings.ReplaceAll(e.Msg, fmt.Sprintf("$%d", i), word)
		}
		if strings.HasPrefix(message, "reserved identifier: if") {
			e.Hint = "a choice is written CONDITION ? ONE : OTHER"
		}
		return true
	}
	return false
}

// overload explains an operator or a function whose operands are of the wrong types.
func overload(message string, e *Error, src string, env *cel.Env) bool {
	m := regexp.MustCompile(`^found no matching overload for '(.*)' applied to '(.*)'$`).FindStringSubmatch(message)
	if m == nil {
		return false
	}
	name, receiver, args := m[1], "", m[2]
	if at := strings.Index(args, ".("); at > 0 {
		receiver, args = args[:at], args[at+1:]
	}
	types := split(strings.TrimSuffix(strings.TrimPrefix(args, "("), ")"))
	if symbol, ok := operators.FindReverse(name); ok && symbol != "" || name == operators.Conditional || name == operators.Index {
		operator(e, name, symbol, types)
		return true
	}
	with := "no arguments"
	if len(types) > 0 {
		with = list(types)
	}
	e.Msg = fmt.Sprintf("%s does not take %s", name, with)
	if receiver != "" {
		e.Msg = fmt.Sprintf("%s of %s does not take %s", name, typeName(receiver), with)
	}
	e.Col = max(e.Col-len([]rune(name)), 1) // CEL points at the parenthesis
	if len(types) > maxArgs {
		e.Msg = fmt.Sprintf("%s has %d arguments, and %d is the most", name, len(types), maxArgs)
		return true
	}
	if forms := usages(env, name, receiver != ""); len(forms) > 0 {
		e.Hint = "allowed: " + strings.Join(forms, ", ")
	}
	return true
}

// operator explains an operator by its operands' types.
func operator(e *Error, name, symbol string, types []string) {
	number := func(t string) bool { return slices.Contains([]string{"int", "uint", "double"}, t) }
	switch {
	case name == operators.Conditional:
		e.Msg = "what stands before ? must be true or false, and the two after it of one type"
	case name == operators.Index:
		e.Msg = fmt.Sprintf("%s cannot be looked up by %s", typeName(types[0]), typeName(types[1]))
	case len(types) == 1:
		e.Msg = fmt.Sprintf("%q cannot be used on %s", symbol, typeName(types[0]))
		e.Hint = map[string]string{"!": "it wants true or false", "-": "it wants a number"}[symbol]
	case name == operators.In:
		e.Msg = fmt.Sprintf(`"in" looks into a list or a map, and this is %s`, typeName(types[1]))
		if types[1] == "string" {
			e.Hint = "a text is looked into by TEXT.contains(PART)"
		}
	default:
		e.Msg = fmt.Sprintf("%q cannot be used between %s", symbol, and(types))
		switch {
		case types[0] == "bool" && strings.ContainsAny(symbol, "<>"):
			e.Hint = "a < b < c is written a < b && b < c"
		case number(types[0]) && number(types[1]):
			e.Hint = "it wants integers: int(x) converts"
		case types[0] != types[1]:
			e.Hint = "both must be of one type: string(x), int(x) and double(x) convert"
		}
	}
}

// usages are how a function may be called, at most six ways.
func usages(env *cel.Env, name string, member bool) []string {
	f, ok := env.Functions()[name]
	if !ok {
		return nil
	}
	var forms []string
	for _, o := range f.OverloadDecls() {
		if o.IsMemberFunction() != member {
			continue
		}
		var words []string
		for _, t := range o.ArgTypes() {
			words = append(words, strings.ToUpper(word(t.String())))
		}
		form := fmt.Sprintf("%s(%s)", name, strings.Join(words, ", "))
		if member {
			form = fmt.Sprintf("%s.%s(%s)", words[0], name, strings.Join(words[1:], ", "))
		}
		if !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	if len(forms) > 6 {
		forms = append(forms[:5], "…")
	}
	return forms
}

// split takes "string, map(string, int)" apart.
func split(types string) []string {
	var all []string
	depth, from := 0, 0
	for i, r := range types {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				all, from = append(all, strings.TrimSpace(types[from:i])), i+1
			}
		}
	}
	if rest := strings.TrimSpace(types[from:]); rest != "" {
		all = append(all, rest)
	}
	return all
}

func and(types []string) string { return typeName(types[0]) + " and " + typeName(types[1]) }

func list(types []string) string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = typeName(t)
	}
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return names[0]
}

// typeName is a type of CEL as a noun with its article.
func typeName(t string) string {
	switch w := word(t); w {
	case "integer", "unsigned integer":
		return "an " + w
	case "bytes", "null":
		return w
	default:
		return "a " + w
	}
}

func word(t string) string {
	head, _, nested := strings.Cut(t, "(")
	known := map[string]string{"string": "text", "int": "integer", "uint": "unsigned integer", "double": "decimal number", "bool": "boolean",
		"bytes": "bytes", "null": "null", "null_type": "null", "list": "list", "map": "map", "type": "type", "timestamp": "time", "Timestamp": "time", "duration": "duration", "Duration": "duration"}
	if w, ok := known[strings.TrimPrefix(head, "google.protobuf.")]; ok {
		return w
	}
	if nested {
		return head
	}
	return "value"
}
