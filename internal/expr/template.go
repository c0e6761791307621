package expr

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
)

// A Template is text with {{cel}} in it. It is safe for concurrent use.
type Template struct {
	parts []part
}

type part struct {
	text    string
	program *Program // nil: text as it is
}

// ParseTemplate parses "a {{cel}} b". Its error is an *Error with a position in text.
// An expression ends at the first }} with which it is whole, so a map literal needs no escape.
func ParseTemplate(text string, names Names) (*Template, error) {
	t := &Template{}
	var env *cel.Env
	for rest := 0; ; {
		open := strings.Index(text[rest:], "{{")
		if open < 0 {
			return t.add(text[rest:]), nil
		}
		start := rest + open + len("{{")
		t.add(text[rest : start-len("{{")])
		if env == nil {
			var err error
			if env, err = newEnv(names); err != nil {
				return nil, &Error{Line: 1, Col: 1, Msg: err.Error()}
			}
		}
		length, err := expression(env, text[start:])
		if err != nil {
			return nil, shift(err, text[:start])
		}
		src := text[start : start+length]
		if strings.TrimSpace(src) == "" {
			return nil, shift(&Error{Line: 1, Col: 1, Msg: "the expression between {{ and }} is empty"}, text[:start])
		}
		p, failed := compile(env, src, names)
		if failed != nil {
			return nil, shift(failed, text[:start])
		}
		t.parts = append(t.parts, part{program: p})
		rest = start + length + len("}}")
	}
}

func (t *Template) add(text string) *Template {
	if text != "" {
		t.parts = append(t.parts, part{text: text})
	}
	return t
}

// maxEnds bounds how many }} are tried as the end of one expression.
const maxEnds = 64

// expression returns the length of the expression that text starts with and }} ends.
func expression(env *cel.Env, text string) (int, error) {
	first := strings.Index(text, "}}")
	if first < 0 {
		return 0, &Error{Line: 1, Col: 1, Msg: "{{ has no }}"}
	}
	for end, tried := first, 0; end >= 0 && tried < maxEnds; tried++ {
		if _, issues := env.Parse(text[:end]); issues.Err() == nil {
			return end, nil
		}
		next := strings.Index(text[end+1:], "}}")
		if next < 0 {
			break
		}
		end += 1 + next
	}
	return first, nil // which does not compile, and its error is the one to show
}

// shift moves an error's position from the text after before to the whole.
func shift(err error, before string) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	moved := *e
	lines := strings.Count(before, "\n")
	if e.Line == 1 {
		moved.Col += len([]rune(before[strings.LastIndex(before, "\n")+1:]))
	}
	moved.Line += lines
	return &moved
}

// Constant returns the text and true for a template without expressions.
func (t *Template) Constant() (string, bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].program == nil:
		return t.parts[0].text, true
	}
	return "", false
}

// Vars returns the declared names that the template reads.
func (t *Template) Vars() []string {
	var vars []string
	for _, p := range t.parts {
		if p.program != nil {
			vars = append(vars, p.program.Vars()...)
		}
	}
	return vars
}

// Render returns the text with its expressions filled in. A template that is
// exactly one {{cel}} returns the value with its type.
func (t *Template) Render(ctx context.Context, vars map[string]any) (any, error) {
	if len(t.parts) == 1 && t.parts[0].program != nil {
		return t.parts[0].program.Eval(ctx, vars)
	}
	return t.RenderString(ctx, vars)
}

// RenderString returns the text with its expressions filled in. Lists and maps
// are written as JSON.
func (t *Template) RenderString(ctx context.Context, vars map[string]any) (string, error) {
	if text, ok := t.Constant(); ok {
		return text, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.text)
			continue
		}
		value, err := p.program.Eval(ctx, vars)
		if err != nil {
			return "", err
		}
		if err := write(&b, value); err != nil {
			return "", fmt.Errorf("%s: %w", p.program, err)
		}
	}
	return b.String(), nil
}

func write(b *strings.Builder, value any) error {
	switch value := value.(type) {
	case nil:
		return fmt.Errorf("is null, and cannot be put into text")
	case string:
		b.WriteString(value)
	case []byte:
		b.Write(value)
	case []any, map[string]any:
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		b.Write(text)
	default:
		fmt.Fprint(b, value)
	}
	return nil
}
