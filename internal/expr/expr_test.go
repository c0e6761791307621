package expr_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/expr"
)

var errNoData = errors.New("no data")

func names() expr.Names {
	return expr.Names{
		Vars: []string{"status", "body", "id", "recovery"},
		Funcs: []expr.Func{
			{Name: "success", Call: func(args []any) (any, error) {
				if len(args) == 0 {
					return nil, errNoData
				}
				return 0.5, nil
			}},
			{Name: "echo", Call: func(args []any) (any, error) { return args, nil }},
			{Name: "uuid"},
		},
	}
}

func vars() map[string]any {
	return map[string]any{
		"status": 201,
		"body":   map[string]any{"state": "paid", "list": []any{map[string]any{"id": "a"}, map[string]any{"id": "b"}}, "none": nil},
		"uuid":   func([]any) (any, error) { return "u-1", nil },
	}
}

func TestEval(t *testing.T) {
	t.Parallel()
	tests := []struct {
		src  string
		want any
	}{
		{`status == 201`, true},
		{`status == 201.0`, true},
		{`status >= 200.5 && 1 < 1.5`, true},
		{`status`, int64(201)},
		{`success("checkout") >= 1`, false},
		{`success("checkout") < 1`, true},
		{`body.list.map(x, x.id)`, []any{"a", "b"}},
		{`body`, vars()["body"]},
		{`body.none`, nil},
		{`has(body.missing)`, false},
		{`uuid()`, "u-1"},
		{`echo(1, 2.5, "x", null, [true], {"k": 1})`, []any{int64(1), 2.5, "x", nil, []any{true}, map[string]any{"k": int64(1)}}},
		{`"a,b".split(",")`, []any{"a", "b"}},
		{`math.greatest(1, 3)`, int64(3)},
		{`[1, 2].all(x, x > 0) && sets.contains([1, 2], [2])`, true},
		{`duration("3s")`, "3s"},
		{`b"hi"`, []byte("hi")},
	}
	for _, test := range tests {
		p, err := expr.Compile(test.src, names())
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		got, err := p.Eval(t.Context(), vars())
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %#v, %v; want %#v", test.src, got, err, test.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, want string }{
		{`statsu == 1`, `1:1: no name is called "statsu" (did you mean "status"?)`},
		{"status ==\n  foo", `2:3: no name is called "foo" (allowed: body, id, recovery, status)`},
		{`1 < succes("x")`, `1:5: no function is called "succes" (did you mean "success"?)`},
		{`body.list.maap(x, x)`, `1:11: no function is called "maap" (did you mean "map"?)`},
		{`status +`, `1:9: the expression ends too early: something is missing after "+"`},
		{``, `1:1: the expression is empty`},
		{`len(body)`, `1:1: no function is called "len" (did you mean "size"?)`},
		{`math.gratest(1, 2)`, `1:1: no function is called "math.gratest" (did you mean "math.abs"?)`},
		{`body.list.map(x)`, `1:11: map is not used like this (it is written LIST.map(x, VALUE))`},
		{`has()`, `1:1: has is not used like this (it is written has(body.state))`},
		{`has(body)`, `1:5: has() asks whether a field is there, and this is none (such as has(body.state))`},
		{`body.list.all(1, true)`, `1:15: the first argument must be a name for each item (such as x in list.all(x, x > 0))`},
		{`1 == "a"`, `1:3: "==" cannot be used between an integer and a text (both must be of one type: string(x), int(x) and double(x) convert)`},
		{`1 < 2 < 3`, `1:7: "<" cannot be used between a boolean and an integer (a < b < c is written a < b && b < c)`},
		{`5 % 2.0`, `1:3: "%" cannot be used between an integer and a decimal number (it wants integers: int(x) converts)`},
		{`!5`, `1:1: "!" cannot be used on an integer (it wants true or false)`},
		{`"a" && true`, `1:1: this is a text, and must be true or false`},
		{`1 ? 2 : 3`, `1:3: what stands before ? must be true or false, and the two after it of one type`},
		{`"a" in "abc"`, `1:5: "in" looks into a list or a map, and this is a text (a text is looked into by TEXT.contains(PART))`},
		{`[1]["a"]`, `1:4: a list cannot be looked up by a text`},
		{`"a".b`, `1:4: a text has no fields`},
		{`size(1)`, `1:1: size does not take an integer (allowed: size(BYTES), size(LIST), size(MAP), size(TEXT))`},
		{`"abc".startsWith(1)`, `1:7: startsWith of a text does not take an integer (allowed: TEXT.startsWith(TEXT))`},
		{`echo(1,2,3,4,5,6,7,8,9)`, `1:1: echo has 9 arguments, and 8 is the most`},
		{`math.greatest("a")`, `1:15: "math.greatest" takes numbers, or one list of numbers`},
		{`int("x") == 1`, `1:1: a text such as this cannot be made an integer`},
		{`99999999999999999999 == 1`, `1:1: the integer does not fit 64 bits`},
		{`if status == 200`, `1:1: "if" is a reserved word (a choice is written CONDITION ? ONE : OTHER)`},
		{`status = 200`, `1:8: "=" is no operator (did you mean "=="?)`},
		{`status === 200`, `1:10: "===" is no operator (did you mean "=="?)`},
		{`status => 200`, `1:8: "=>" is no operator (did you mean ">="?)`},
		{`status <> 200`, `1:9: "<>" is no operator (did you mean "!="?)`},
		{`status == 200 & id`, `1:15: "&" is no operator (did you mean "&&"?)`},
		{`status == 200 or id == 1`, `1:15: "or" is no operator (did you mean "||"?)`},
		{`not status`, `1:5: "not" is no operator (did you mean "!"?)`},
		{`status == "a`, `1:11: the text that begins here has no closing "`},
		{`"\d" == id`, `1:1: the text that begins here cannot be read (a \ is written \\, or the text as r"…")`},
		{`status == “200”`, `1:11: “ is no quote (use " or ')`},
		{`(status == 200`, `1:15: ")" is missing at the end`},
		{`status == 200)`, `1:14: ")" cannot stand here (nothing that it could close is open, or a value is missing before it)`},
		{`true ? 1`, `1:9: ":" is missing at the end`},
		{`status 200`, `1:8: "200" cannot stand here`},
		{`5s > 1`, `1:2: a number has no unit, and "s" cannot stand here (a duration is written duration("5s"))`},
		{`95% > 1`, `1:5: "%" is the rest of a division (a share is written 0.95)`},
		{`status == 200 # why`, `1:15: "#" cannot stand here (a comment begins with //)`},
		{`body..state`, `1:6: ".." cannot be read`},
	}
	for _, test := range tests {
		_, err := expr.Compile(test.src, names())
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.src, err, test.want)
		}
		if at := (*expr.Error)(nil); err != nil && !errors.As(err, &at) {
			t.Errorf("%s: %T is no *Error", test.src, err)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ src, want string }{
		{`body.state == "a" || body.stat == "a"`, `body.state == "a" || body.stat == "a": there is no key "stat"`},
		{`body.list[7] == 1`, `body.list[7] == 1: there is no item 7 (the first is 0)`},
		{`id == 3`, `id == 3: id has no value`},
		{`status + 1.5`, `status + 1.5: the operands' types do not go together (double(x), int(x) and string(x) convert)`},
		{`{1: 2}`, `{1: 2}: key 1 of a map is a int, and must be a string`},
		{`1 / (status - 201)`, `1 / (status - 201): division by zero`},
	}
	for _, test := range tests {
		p, err := expr.Compile(test.src, names())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Eval(t.Context(), vars()); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestErrorOfFuncIsKept(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`success() > 0.5`, `status == 201 && success() > 0.5`, `[1].all(x, success() > 0.5)`} {
		p, err := expr.Compile(src, names())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Eval(t.Context(), vars()); !errors.Is(err, errNoData) {
			t.Errorf("%s: %v does not wrap the function's error", src, err)
		}
	}
}

func TestConditionMustBeBool(t *testing.T) {
	t.Parallel()
	for _, src := range []string{`"paid"`, `1 + 1`, `[true]`, `body.list.size()`} {
		if _, err := expr.CompileCondition(src, names()); err == nil {
			t.Errorf("%s was taken for a condition", src)
		}
	}
	p, err := expr.CompileCondition(`body.state`, names())
	if err != nil {
		t.Fatal(err)
	}
	if holds, err := p.Holds(t.Context(), vars()); err == nil || holds {
		t.Errorf("a text held as a condition: %v, %v", holds, err)
	}
}

func TestLateFunctionMissing(t *testing.T) {
	t.Parallel()
	p, err := expr.Compile(`uuid() == ""`, names())
	if err != nil {
		t.Fatal(err)
	}
	if v, err := p.Eval(t.Context(), map[string]any{}); err == nil {
		t.Errorf("a function without implementation gave %v", v)
	}
}

func TestEvaluationIsBounded(t *testing.T) {
	t.Parallel()
	list := make([]any, 3000)
	for i := range list {
		list[i] = int64(i)
	}
	p, err := expr.Compile(`body.all(a, body.all(b, body.all(c, a + b + c >= 0)))`, names())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Eval(t.Context(), map[string]any{"body": list}); err == nil {
		t.Error("27 billion steps were taken")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := p.Eval(ctx, map[string]any{"body": list}); err == nil {
		t.Error("an evaluation outlived its context")
	}
}

func TestClauses(t *testing.T) {
	t.Parallel()
	p, err := expr.Compile(`status == 200 && (body.state == 'paid' && has(body.list)) && (status < 3 || true)`, names())
	if err != nil {
		t.Fatal(err)
	}
	type clause struct {
		text, op, left, right string
		holds                 bool
	}
	var got []clause
	for _, c := range p.Clauses() {
		holds, err := c.Eval(t.Context(), vars())
		if err != nil {
			t.Fatal(err)
		}
		g := clause{text: c.Text, op: c.Op, holds: holds}
		if c.Left != nil {
			g.left, g.right = c.Left.String(), c.Right.String()
		}
		got = append(got, g)
	}
	want := []clause{
		{`status == 200`, "==", "status", "200", false},
		{`body.state == "paid"`, "==", "body.state", `"paid"`, true},
		{`has(body.list)`, "", "", "", true},
		{`status < 3 || true`, "", "", "", true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestVars(t *testing.T) {
	t.Parallel()
	p, err := expr.Compile(`body.list.all(x, x != id) && recovery.from_inject_s < 3.0 && recovery.from_heal_s < 3.0`, names())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.Vars(), []string{"body", "id", "recovery"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want any
	}{
		{"x", "x"},
		{"", ""},
		{"a {{status}} b {{body.state}}", "a 201 b paid"},
		{"{{status}}", int64(201)},
		{" {{status}}", " 201"},
		{`{{ {"a": {"b": 1}} }}`, map[string]any{"a": map[string]any{"b": int64(1)}}},
		{`{{{"a":{"b":1}}}}`, map[string]any{"a": map[string]any{"b": int64(1)}}},
		{`{{"}}"}}`, "}}"},
		{`[{{body.list}}]`, `[[{"id":"a"},{"id":"b"}]]`},
	}
	for _, test := range tests {
		tmpl, err := expr.ParseTemplate(test.text, names())
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		got, err := tmpl.Render(t.Context(), vars())
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %#v, %v; want %#v", test.text, got, err, test.want)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"a {{id}} b {{ statsu }}", `1:15: no name is called "statsu" (did you mean "status"?)`},
		{"a\nb {{ id +\n foo }}", `3:2: no name is called "foo" (allowed: body, id, recovery, status)`},
		{"{{id", `1:3: {{ has no }}`},
		{"{{ }}", `1:3: the expression between {{ and }} is empty`},
		{"{{id + }} {{id}}", `1:8: the expression ends too early: something is missing after "+"`},
	}
	for _, test := range tests {
		if _, err := expr.ParseTemplate(test.text, names()); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
	}
	tmpl, err := expr.ParseTemplate("x{{body.none}}", names())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := tmpl.RenderString(t.Context(), vars()); err == nil {
		t.Errorf("null was written as %q", text)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	tests := []struct{ word, want string }{
		{"dealy", "delay"}, {"delya", "delay"}, {"Delay", "delay"}, {"cutt", "cut"}, {"kil", "kill"}, {"zzz", ""}, {"", ""},
	}
	for _, test := range tests {
		if got := expr.Suggest(test.word, []string{"kill", "delay", "cut", "refuse"}); got != test.want {
			t.Errorf("%q: got %q, want %q", test.word, got, test.want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{`status == 201 && body.state == "paid"`, `body.list.map(x, x.id)`, `a {{id}} b`, `{{ {"a": {}} }}`, `r"\d" in ['''x''']`, `[1].exists(x, x == status) && -1 < 2u`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if p, err := expr.Compile(src, names()); err == nil {
			for _, c := range p.Clauses() {
				_, _ = c.Eval(t.Context(), vars())
			}
			_, _ = p.Eval(t.Context(), vars())
		}
		if tmpl, err := expr.ParseTemplate(src, names()); err == nil {
			_, _ = tmpl.Render(t.Context(), vars())
		}
	})
}

func BenchmarkEval(b *testing.B) {
	p, err := expr.Compile(`status == 201 && body.state == "paid"`, names())
	if err != nil {
		b.Fatal(err)
	}
	for in := vars(); b.Loop(); {
		if holds, err := p.Holds(b.Context(), in); !holds || err != nil {
			b.Fatal(holds, err)
		}
	}
}
