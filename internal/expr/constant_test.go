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

// Inside a loop stand names that nothing outside of it has.
func TestComparisonsInALoop(t *testing.T) {
	t.Parallel()
	p, err := CompileCondition(`["x"].all(n, age(n) == "old")`, Names{Funcs: []Func{{Name: "age"}}})
	if err != nil {
		t.Fatal(err)
	}
	if with, itself := p.Comparisons(); len(with) != 1 || itself != "" {
		t.Errorf("%+v %q", with, itself)
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	p, err := CompileCondition(`age("x") == "old" && "new" != age("y") && run.id == run.id`, Names{Vars: []string{"run"}, Funcs: []Func{{Name: "age"}}})
	if err != nil {
		t.Fatal(err)
	}
	with, itself := p.Comparisons()
	if len(with) != 2 || with[0] != (Comparison{"age", "old"}) || with[1] != (Comparison{"age", "new"}) || itself != "run.id == run.id" {
		t.Errorf("%+v %q", with, itself)
	}
}
