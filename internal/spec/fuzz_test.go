package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// shop returns a loader of the good project, and its folder.
func shop(t testing.TB) (*loader, string) {
	t.Helper()
	dir, err := filepath.Abs("testdata/shop")
	if err != nil {
		t.Fatal(err)
	}
	return &loader{host: FakeHost(), project: &Project{File: filepath.Join(dir, FileName), Dir: dir, Seed: 1, Files: map[string][]byte{}}}, dir
}

func addFiles(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no file matches %s: %v", pattern, err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
}

// checkErrors says that every mistake points into a file and says something.
func checkErrors(t *testing.T, errs Errors) {
	t.Helper()
	for _, e := range errs.sorted() {
		if e.File == "" || e.Line < 1 || e.Col < 1 || e.Msg == "" {
			t.Fatalf("mistake without a place or a text: %+v", e)
		}
	}
}

func FuzzAssay(f *testing.F) {
	addFiles(f, "testdata/shop/assay.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		l, _ := shop(t)
		l.load(content)
		checkErrors(t, l.errs)
	})
}

func FuzzCompose(f *testing.F) {
	addFiles(f, "testdata/shop/compose.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		l, dir := shop(t)
		path := filepath.Join(dir, "compose.yaml")
		l.composeSource(l.source(path, content, true), path)
		checkErrors(t, l.errs)
		if len(l.errs) == 0 && len(l.project.System.Services) == 0 && !strings.Contains(string(content), "profiles") {
			t.Fatal("a topology without services, and no mistake")
		}
	})
}

func FuzzExperiment(f *testing.F) {
	good, err := LoadOn(FakeHost(), "testdata/shop")
	if err != nil {
		f.Fatal(err)
	}
	addFiles(f, "testdata/shop/experiments/*.yaml")
	f.Fuzz(func(t *testing.T, content []byte) {
		l, dir := shop(t)
		project := *good
		project.Files, project.Experiments = map[string][]byte{}, nil
		l.project = &project
		path := filepath.Join(dir, "experiments", "fuzzed.yaml")
		if src := l.source(path, content, false); src.root != nil {
			l.experiment(src, path)
		}
		checkErrors(t, l.errs)
	})
}

// Whatever way a scalar is written, a character of its value is found where it stands.
func FuzzPosition(f *testing.F) {
	for _, text := range []string{"a: plain text\n", "a: 'it''s'\n", "a: \"x\\ty\\u00e9z \\\" q\"\n", "a: |\n  one\n  two\n", "a: >-\n    one\n    two\n\n    three\n",
		"a: &x !!str words\n", "a: plain\n  goes on\n", "- a: \"folded\n    twice\"\n", "é: ö ü\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var errs Errors
		src := parse("f", "f", []byte(text), false, &errs)
		if src.root != nil {
			checkPositions(t, src, src.root)
		}
	})
}

func checkPositions(t *testing.T, src *source, n *yaml.Node) {
	for _, item := range n.Content {
		checkPositions(t, src, item)
	}
	if n.Kind != yaml.ScalarNode {
		return
	}
	for offset, r := range []rune(n.Value) {
		line, col := src.position(n, offset)
		if line < 1 || col < 1 || line > len(src.lines)+1 {
			t.Fatalf("%q: character %d of %q stands at %d:%d", src.content, offset, n.Value, line, col)
		}
		escaped := n.Style&yaml.DoubleQuotedStyle != 0 && strings.Contains(string(src.content), `\`)
		if offset > 200 || unicode.IsSpace(r) || escaped || strings.ContainsAny(string(src.content), "\ufeff\r\u0085\u2028\u2029") {
			continue
		}
		if got := src.lines[line-1]; col > len(got) || got[col-1] != r {
			t.Fatalf("%q: character %d (%q) of %q is said to stand at %d:%d", src.content, offset, r, n.Value, line, col)
		}
	}
}
