package expr

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
)

// syntax explains what the parser could not read.
func syntax(message string, e *Error, src string, _ *cel.Env) bool {
	text, ok := strings.CutPrefix(message, "Syntax error: ")
	if !ok {
		return false
	}
	before, here := around(src, e)
	for _, p := range []struct {
		pattern string
		explain func(found string)
	}{
		{`^token recognition error at: '([\s\S]*)'$`, func(found string) { e.Msg, e.Hint = token(strings.TrimSpace(found), before, here) }},
		{`^missing '(.*)' at '<EOF>'$`, func(found string) { e.Msg = fmt.Sprintf("%q is missing at the end", found) }},
		{`^mismatched input '<EOF>' expecting '(.*)'$`, func(found string) { e.Msg = fmt.Sprintf("%q is missing at the end", found) }},
		{`^(?:mismatched|extraneous) input '<EOF>'()`, func(string) {
			e.Msg = "the expression ends too early"
			if last := regexp.MustCompile(`(\w+|[^\w\s]+)\s*$`).FindStringSubmatch(src); last != nil {
				e.Msg += fmt.Sprintf(": something is missing after %q", last[1])
			}
		}},
		{`^(?:mismatched|extraneous) input '([\s\S]*?)'(?: expecting |$)`, func(found string) { e.Msg, e.Hint = misplaced(found, before) }},
		{`^missing '(.*)' at '`, func(found string) { e.Msg = fmt.Sprintf("%q is missing here", found) }},
		{`^no viable alternative at input '([\s\S]*)'$`, func(found string) { e.Msg = fmt.Sprintf("%q cannot be read", found) }},
	} {
		if m := regexp.MustCompile(p.pattern).FindStringSubmatch(text); m != nil {
			p.explain(m[1])
			return true
		}
	}
	return false
}

// around returns what stands before an error in its line, and what stands there.
func around(src string, e *Error) (before, here string) {
	lines := strings.Split(src, "\n")
	if e.Line > len(lines) {
		return "", ""
	}
	line := []rune(lines[e.Line-1])
	at := min(e.Col-1, len(line))
	return string(line[:at]), string(line[at:])
}

// token explains characters that are no word of the language.
func token(found, before, here string) (msg, hint string) {
	first := found
	if found != "" {
		first = string([]rune(found)[:1])
	}
	mean := func(operator string) string { return fmt.Sprintf("did you mean %q?", operator) }
	switch {
	case first == `"` || first == `'`:
		if strings.Count(here, first) > 1 {
			return "the text that begins here cannot be read", `a \ is written \\, or the text as r"…"`
		}
		return fmt.Sprintf("the text that begins here has no closing %s", first), ""
	case first == "“" || first == "”" || first == "‘" || first == "’":
		return fmt.Sprintf("%s is no quote", first), `use " or '`
	case first == "=" && strings.HasSuffix(before, "=="):
		return `"===" is no operator`, mean("==")
	case strings.HasPrefix(here, "=>"):
		return `"=>" is no operator`, mean(">=")
	case first == "=":
		return `"=" is no operator`, mean("==")
	case first == "&":
		return `"&" is no operator`, mean("&&")
	case first == "|":
		return `"|" is no operator`, mean("||")
	case first == "#":
		return `"#" cannot stand here`, "a comment begins with //"
	}
	return fmt.Sprintf("%q cannot stand here", first), ""
}

// misplaced explains a word that is known, and that stands where none is allowed.
func misplaced(found, before string) (msg, hint string) {
	msg = fmt.Sprintf("%q cannot stand here", found)
	last := strings.TrimSpace(before)
	word := regexp.MustCompile(`\w+$`).FindString(last)
	meant := map[string]string{"and": "&&", "AND": "&&", "or": "||", "OR": "||", "is": "==", "equals": "=="}
	switch {
	case meant[found] != "":
		return fmt.Sprintf("%q is no operator", found), fmt.Sprintf("did you mean %q?", meant[found])
	case found == ">" && strings.HasSuffix(before, "<"):
		return `"<>" is no operator`, `did you mean "!="?`
	case word == "not" || word == "NOT":
		return fmt.Sprintf("%q is no operator", word), `did you mean "!"?`
	case found == ")" || found == "]" || found == "}":
		return fmt.Sprintf("%q cannot stand here", found), "nothing that it could close is open, or a value is missing before it"
	case strings.HasSuffix(last, "%"):
		return `"%" is the rest of a division`, "a share is written 0.95"
	case regexp.MustCompile(`\d$`).MatchString(before) && regexp.MustCompile(`^[a-z]`).MatchString(found):
		return fmt.Sprintf("a number has no unit, and %q cannot stand here", found), `a duration is written duration("5s")`
	}
	return msg, ""
}
