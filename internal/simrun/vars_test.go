package simrun

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVariables(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	o := options()
	o.Tests, o.Seeds = "^(TestCounts|TestMapOfPackage|TestDeepInPackage|TestSeeded)$", 2
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.variables(t.Context()); err != nil {
		t.Fatal(err)
	}
	for test, want := range map[string]string{"TestCounts": "counted", "TestMapOfPackage": "seen", "TestDeepInPackage": "deep", "TestSeeded": ""} {
		got := x.tests[test]
		if got == nil {
			t.Errorf("%s did not run", test)
			continue
		}
		var all []string
		if want != "" {
			all = []string{bin.pkg + "." + want}
		}
		if !slices.Equal(got.Vars, all) {
			t.Errorf("%s: got %q, want %q", test, got.Vars, all)
		}
		var b strings.Builder
		got.varsText(&b)
		if has := strings.Contains(b.String(), "bugs."+want); has != (want != "") {
			t.Errorf("%s: the text is %q", test, b.String())
		}
	}
	if std := x.tests["TestCounts"].StdVars; slices.ContainsFunc(std, func(name string) bool { return strings.HasPrefix(name, "runtime.") }) {
		t.Errorf("of the standard library: %q", std)
	}
}

// What is no ELF file has no variables to watch, and that is no error.
func TestVariablesElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(file, []byte("MZ"), 0o666); err != nil {
		t.Fatal(err)
	}
	if n, err := writeVariables(file, file+".vars"); n != 0 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestCutSymbol(t *testing.T) {
	for symbol, want := range map[string][2]string{
		"net/http.DefaultTransport": {"net/http", "DefaultTransport"}, "gopkg.in/yaml%2ev3.x": {"gopkg.in/yaml.v3", "x"}, "example.com/a.b": {"example.com/a", "b"},
		"example.com/a_test.b": {"example.com/a_test", "b"}, "main..stmp_1": {"main", ".stmp_1"}, "_cgo_x": {"", "_cgo_x"},
	} {
		if pkg, name := cutSymbol(symbol); pkg != want[0] || name != want[1] {
			t.Errorf("%s: got %q %q, want %q", symbol, pkg, name, want)
		}
	}
}

// Tests that share a process with one that needs its own have each seed once, and the doubt names what was left.
func TestSeedsAreCountedOnce(t *testing.T) {
	res := explored(t, "TestFine$|^TestGlobal$|^TestCounts", 20)
	if len(res.Tests) != 3 {
		t.Fatalf("got %d tests", len(res.Tests))
	}
	for _, test := range res.Tests {
		if test.Seeds != 20 {
			t.Errorf("%s: %d seeds, want 20", test.Name, test.Seeds)
		}
	}
	test := Test{Name: "T", Seeds: 20, Carried: 7, Vars: []string{"example.com/a/b.left"}}
	if doubts := test.Doubts(true); len(doubts) != 1 || !strings.Contains(doubts[0], "package variables (b.left)") {
		t.Errorf("got %q", doubts)
	}
}
