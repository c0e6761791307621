package expr

import "testing"

func TestConstantPart(t *testing.T) {
	t.Parallel()
	names := Names{Vars: []string{"run"}, Funcs: []Func{{Name: "age"}}}
	for src, want := range map[string]string{
		`run.dirty`:                       "",
		`!run.dirty && age("x") < 1.0`:    "",
		`1 < 2`:                           "1 < 2",
		`true`:                            "true",
		`run.dirty || true`:               "true",
		`age("x") < 1.0 && "a" == "a"`:    `"a" == "a"`,
		`run.dirty ? true : run.id == ""`: "true",
	} {
		p, err := CompileCondition(src, names)
		if err != nil {
			t.Fatal(src, err)
		}
		if got := p.ConstantPart(); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}
