package archtest

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	module = "github.com/assay-dev/assay"
	root   = "../.."

	maxFileLines     = 500
	maxFunctionLines = 80
)

// A source is one Go file of the module.
type source struct {
	path  string // below the module's root, with slashes
	pkg   string // its directory, "" for the root
	lines int
	set   *token.FileSet
	file  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// generated files are as long as their generator makes them.
func (s source) generated() bool { return ast.IsGenerated(s.file) }

// sources parses the module's Go files below dir, without testdata and without modules nested in it.
//
// It parses in this process, and does not run "go list": the test cache sees
// the files a test opens but not those a child process opens, so a test built
// on "go list" keeps passing, cached, after someone breaks the rules.
func sources(t *testing.T, dir string) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file that went while we looked
		}
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(dir, path)
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := parse(dir, path)
		all = append(all, src)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skip(root, path string) error {
	name := filepath.Base(path)
	if path == root {
		return nil
	}
	if name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parse(root, path string) (source, error) {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return source{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return source{}, err
	}
	rel = filepath.ToSlash(rel)
	src := source{path: rel, set: token.NewFileSet(), lines: strings.Count(string(text), "\n")}
	if i := strings.LastIndex(rel, "/"); i >= 0 {
		src.pkg = rel[:i]
	}
	src.file, err = parser.ParseFile(src.set, path, text, parser.ParseComments|parser.SkipObjectResolution)
	return src, err
}

// ours returns the packages of this module that the file imports.
func (s source) ours() []string {
	var pkgs []string
	for _, spec := range s.file.Imports {
		imp := strings.Trim(spec.Path.Value, `"`)
		if imp == module {
			pkgs = append(pkgs, "")
		}
		if rest, ok := strings.CutPrefix(imp, module+"/"); ok {
			pkgs = append(pkgs, rest)
		}
	}
	return pkgs
}

// importViolations returns one sentence for each broken rule.
func importViolations(all []source) []string {
	var broken []string
	unruled := map[string]bool{}
	for _, src := range all {
		allowed, ok := ruleOf(src.pkg)
		if !ok && !unruled[src.pkg] {
			unruled[src.pkg] = true
			broken = append(broken, fmt.Sprintf("package %q has no rule: add it with a reason, to rules in internal/archtest/rules.go", src.pkg))
		}
		if !ok || src.isTest() { // a test may import anything
			continue
		}
		for _, imported := range src.ours() {
			if !allows(allowed, imported) {
				broken = append(broken, fmt.Sprintf("%s imports %s, but may import only: %s", src.path, imported, strings.Join(allowed, " ")))
			}
		}
	}
	return broken
}

// shapeViolations returns one sentence for each init function and each file or function that is too long.
func shapeViolations(all []source) []string {
	var broken []string
	for _, src := range all {
		if src.isTest() || src.generated() {
			continue
		}
		if src.lines > maxFileLines {
			broken = append(broken, fmt.Sprintf("%s has %d lines, more than %d: split it by what it holds", src.path, src.lines, maxFileLines))
		}
		for _, decl := range src.file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok {
				broken = append(broken, src.functionViolations(f)...)
			}
		}
	}
	return broken
}

func (s source) functionViolations(f *ast.FuncDecl) []string {
	var broken []string
	from, to := s.set.Position(f.Pos()).Line, s.set.Position(f.End()).Line
	if n := to - from + 1; n > maxFunctionLines {
		broken = append(broken, fmt.Sprintf("%s:%d: %s has %d lines, more than %d", s.path, from, f.Name.Name, n, maxFunctionLines))
	}
	if f.Name.Name == "init" && f.Recv == nil {
		broken = append(broken, fmt.Sprintf("%s:%d: func init: nothing happens at import", s.path, from))
	}
	return broken
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, sentence := range importViolations(sources(t, root)) {
		t.Error(sentence)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	for _, sentence := range shapeViolations(sources(t, root)) {
		t.Error(sentence)
	}
}
