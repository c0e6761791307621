package expr

import (
	"fmt"
	"strings"
	"testing"
)

func TestReads(t *testing.T) {
	t.Parallel()
	names := Names{Vars: []string{"run"}, Funcs: []Func{{Name: "age"}, {Name: "count"}}}
	for src, want := range map[string]string{
		`age("x") < 1.0 && age("x") >= -2`:         `age[x] beside [1 -2]`,
		`run.commit in ["a", "b"] || !run.dirty`:   `run.commit beside [a b]; run.dirty beside []`,
		`age("x") + 1.0 < 2.0`:                     `age[x] beside [] free`,
		`age("x") < age("y")`:                      `age[x] beside [] free; age[y] beside [] free`,
		`has(run.commit) && run.id.size() > 3`:     `run.id beside [] free; and more`,
		`["x"].all(n, age(n) < 1.0 && count(1)>0)`: `count[1] beside [0]; and more`,
		`run == 1`:         `and more`,
		`run["id"] == "x"`: `and more`,
		`(run.dirty ? age("x") : age("y")) < 3.0`: `run.dirty beside []; age[x] beside [] free; age[y] beside [] free`,
	} {
		p, err := CompileCondition(src, names)
		if err != nil {
			t.Fatal(src, err)
		}
		reads, whole := p.Reads()
		var got []string
		for _, r := range reads {
			one := fmt.Sprintf("%s%v beside %v", r.Name, r.Args, r.Beside)
			if r.Field != "" {
				one = fmt.Sprintf("%s.%s beside %v", r.Name, r.Field, r.Beside)
			}
			if r.Free {
				one += " free"
			}
			got = append(got, one)
		}
		if !whole {
			got = append(got, "and more")
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s: %s, want %s", src, text, want)
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	p, err := CompileCondition("age(\"x\") < 1.0 &&\n  !(run.dirty || \"a\" == run.id)", Names{Vars: []string{"run"}, Funcs: []Func{{Name: "age"}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, part := range p.Parts() {
		got = append(got, fmt.Sprintf("%d:%d %s", part.Line, part.Col, part))
	}
	want := []string{`1:1 age("x") < 1.0`, `2:5 run.dirty`, `2:18 "a" == run.id`, `2:5 run.dirty || "a" == run.id`, `2:3 !(run.dirty || "a" == run.id)`, `1:1 age("x") < 1.0 && !(run.dirty || "a" == run.id)`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
