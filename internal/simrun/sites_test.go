package simrun

import (
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Names of assertions, and which tests come to a simulation, as a source has them.
func TestReader(t *testing.T) {
	t.Parallel()
	const text = `package p

import s "github.com/assay-dev/assay/sim"

const half = "half"

var table = []func(*testing.T){viaTable}

func viaTable(t *testing.T) { s.Run(t, nil) }
func begin(t *testing.T)    { s.RunWith(t, s.Options{}, nil) }
func (x thing) run()        { s.Run(nil, nil) }

func TestDirect(t *testing.T)   { s.Run(t, func(*s.Sim) { s.Reachable("a" + half) }) }
func TestHelper(t *testing.T)   { begin(t) }
func TestTable(t *testing.T)    { for _, f := range table { f(t) } }
func TestMethod(t *testing.T)   { thing{}.run() }
func TestSubtest(t *testing.T)  { t.Run("x", func(t *testing.T) { t.Skip() }) }
func Testing(t *testing.T)      { begin(t) }
func TestMain(m *testing.M)     { s.Run(nil, nil) }
func FuzzX(f *testing.F)        { begin(nil) }

func helper(name string) {
	s.Sometimes(false, half)
	s.Sometimes(false, name)
	s.Always(false, "no such")
	other.Reachable("no such")
}
`
	r := &reader{fset: token.NewFileSet(), consts: map[string]string{}, calls: map[string]map[string]bool{}, pkg: "p"}
	f, err := parser.ParseFile(r.fset, "p_test.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	r.constants(f)
	r.file(file{f, "p_test.go", true})
	if got, want := slices.Sorted(maps.Keys(r.begin())), []string{"TestDirect", "TestHelper", "TestTable"}; !slices.Equal(got, want) {
		t.Errorf("tests with simulations: %q, want %q", got, want)
	}
	want := []site{{"ahalf", "p", "p_test.go:13", "TestDirect"}, {"half", "p", "p_test.go:23", ""}}
	if !slices.Equal(r.sites, want) {
		t.Errorf("sites: %+v, want %+v", r.sites, want)
	}
	if !r.skips {
		t.Error("a Skip is not seen")
	}
}

// After a dot import they have no prefix.
func TestReaderOfDotImport(t *testing.T) {
	t.Parallel()
	const text = `package p

import . "github.com/assay-dev/assay/sim"

func TestDirect(t *testing.T) { Run(t, func(*Sim) { Reachable("a") }) }
func TestValue(t *testing.T)  { begin := RunWith; begin(t, Options{}, nil) }
func TestOther(t *testing.T)  { t.Run("x", nil); other.Reachable("no such"); t.Sometimes(false, "no such") }
func helper()                 { Sometimes(false, "b") }
`
	r := &reader{fset: token.NewFileSet(), consts: map[string]string{}, calls: map[string]map[string]bool{}, pkg: "p"}
	f, err := parser.ParseFile(r.fset, "p_test.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	r.file(file{f, "p_test.go", true})
	if got, want := slices.Sorted(maps.Keys(r.begin())), []string{"TestDirect", "TestValue"}; !slices.Equal(got, want) {
		t.Errorf("tests with simulations: %q, want %q", got, want)
	}
	if want := []site{{"a", "p", "p_test.go:5", "TestDirect"}, {"b", "p", "p_test.go:8", ""}}; !slices.Equal(r.sites, want) {
		t.Errorf("sites: %+v, want %+v", r.sites, want)
	}
}

func TestSilentTests(t *testing.T) {
	t.Parallel()
	output := strings.Join([]string{
		"=== RUN   TestA", "    a_test.go:5: no database", "--- SKIP: TestA (0.00s)",
		"=== RUN   TestB", "=== RUN   TestB/one", "    a_test.go:9: no disk", "--- PASS: TestB (0.00s)", "    --- SKIP: TestB/one (0.00s)",
		"=== RUN   TestC", "--- SKIP: TestC (0.00s)", "=== RUN   TestD", "--- PASS: TestD (0.00s)", "PASS",
	}, "\n")
	want := []quiet{{"TestA", true, "a_test.go:5: no database"}, {"TestB", false, ""}, {"TestB/one", true, "a_test.go:9: no disk"}, {"TestC", true, ""}, {"TestD", false, ""}}
	if got := silentTests(output); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
