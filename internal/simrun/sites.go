package simrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A seed that comes to no Sometimes and no Reachable reports none. So where they stand is read from the sources.

// A site is a Sometimes or a Reachable with a constant name.
type site struct {
	name  string
	pkg   string
	where string // file:line
	test  string // the test function that it is in, "" for any other function
}

// promises are what the sources of a test binary say of its simulations.
type promises struct {
	sites  []site
	begin  map[string]bool // test functions that have a simulation, themselves or in functions of their package that they call
	others map[string]bool // packages of the module that have simulations of their own
	skips  bool            // some test of the package may skip
}

type sourcePackage struct {
	ImportPath, Dir                                                         string
	Standard                                                                bool
	Module                                                                  struct{ Path string }
	GoFiles, CgoFiles, TestGoFiles, XTestGoFiles, TestImports, XTestImports []string
}

// sources reads the packages of the module that a test binary is made of.
func (x *explorer) sources(ctx context.Context) (*promises, error) {
	args := append([]string{"list", "-deps", "-test", "-json=ImportPath,Dir,Standard,Module,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,TestImports,XTestImports"}, x.bin.listFlags...)
	out, err := x.bin.command(ctx, append(args, x.bin.pkg)...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: go list: %w", x.bin.pkg, err)
	}
	w := &promises{begin: map[string]bool{}, others: map[string]bool{}}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p sourcePackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return w, nil
		} else if err != nil {
			return nil, err
		}
		if p.Standard || p.Module.Path != x.bin.module || strings.ContainsAny(p.ImportPath, " ") || strings.HasSuffix(p.ImportPath, ".test") || p.ImportPath == simPath {
			continue
		}
		if slices.Contains(slices.Concat(p.TestImports, p.XTestImports), simPath) {
			w.others[p.ImportPath] = true
		}
		if err := w.read(p, p.ImportPath == x.bin.pkg, x.o.Dir); err != nil {
			return nil, err
		}
	}
}

// read reads a package, its tests only where they are the binary's.
func (w *promises) read(p sourcePackage, tests bool, from string) error {
	groups := [][]string{slices.Concat(p.GoFiles, p.CgoFiles)}
	if tests {
		groups[0] = append(groups[0], p.TestGoFiles...)
		groups = append(groups, p.XTestGoFiles)
	}
	for _, files := range groups {
		r := &reader{fset: token.NewFileSet(), consts: map[string]string{}, calls: map[string]map[string]bool{}, pkg: p.ImportPath}
		for _, name := range files {
			path := filepath.Join(p.Dir, name)
			f, err := parser.ParseFile(r.fset, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err // it was compiled a moment ago
			}
			r.files = append(r.files, file{f, relativeTo(path, from), strings.HasSuffix(name, "_test.go")})
			r.constants(f)
		}
		for _, f := range r.files {
			r.file(f)
		}
		w.sites = append(w.sites, r.sites...)
		w.skips = w.skips || tests && r.skips
		if tests {
			maps.Copy(w.begin, r.begin())
		}
	}
	return nil
}

type file struct {
	*ast.File
	path string
	test bool
}

// A reader reads the files of one package.
type reader struct {
	fset   *token.FileSet
	pkg    string
	files  []file
	consts map[string]string
	calls  map[string]map[string]bool // of functions and variables: names in them, and simBegins
	sites  []site
	skips  bool
}

const simBegins = "sim.Run" // no name of a function is like this

// constants notes the package's constant texts.
func (r *reader) constants(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, name := range v.Names {
				if i < len(v.Values) {
					if text, ok := r.constant(v.Values[i]); ok {
						r.consts[name.Name] = text
					}
				}
			}
		}
	}
}

// constant is the text that an expression is, where it is a plain one.
func (r *reader) constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok := r.consts[e.Name]
		return text, ok
	case *ast.ParenExpr:
		return r.constant(e.X)
	case *ast.BinaryExpr:
		a, okA := r.constant(e.X)
		b, okB := r.constant(e.Y)
		return a + b, okA && okB && e.Op == token.ADD
	}
	return "", false
}

// file reads each declaration of a file.
func (r *reader) file(f file) {
	simName := importedAs(f.File)
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name, test := d.Name.Name, ""
			if d.Recv != nil {
				name = "" // who calls a method is not known
			}
			if f.test && isTest(name) {
				test = name
			}
			r.within(f, d, simName, name, test)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok && d.Tok == token.VAR {
					for _, name := range v.Names {
						r.within(f, v, simName, name.Name, "")
					}
				}
			}
		}
	}
}

// within notes the sites in a declaration, and what it calls.
func (r *reader) within(f file, n ast.Node, simName, name, test string) {
	calls, methods := map[string]bool{}, map[*ast.Ident]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			calls[n.Name] = calls[n.Name] || !methods[n]
			calls[simBegins] = calls[simBegins] || !methods[n] && begins(n, simName)
		case *ast.SelectorExpr:
			methods[n.Sel] = true // and no function of the package
			r.skips = r.skips || f.test && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, n.Sel.Name)
			calls[simBegins] = calls[simBegins] || begins(n, simName)
		case *ast.CallExpr:
			if text, ok := r.reached(n, simName); ok {
				where := fmt.Sprintf("%s:%d", f.path, r.fset.Position(n.Pos()).Line)
				r.sites = append(r.sites, site{text, r.pkg, where, test})
			}
		}
		return true
	})
	if name != "" {
		r.calls[name] = calls
	}
}

// reached is the name in a call of Sometimes or Reachable.
func (r *reader) reached(call *ast.CallExpr, simName string) (string, bool) {
	if name := ofSim(call.Fun, simName); name != "Sometimes" && name != "Reachable" || len(call.Args) == 0 {
		return "", false
	}
	return r.constant(call.Args[len(call.Args)-1])
}

// begins says whether an expression is sim.Run, or sim.RunWith.
func begins(e ast.Expr, simName string) bool {
	name := ofSim(e, simName)
	return name == "Run" || name == "RunWith"
}

// ofSim is what an expression names in package sim, "" where it is of another. After a dot import nothing else of the file's package has that name.
func ofSim(e ast.Expr, simName string) string {
	switch f := e.(type) {
	case *ast.Ident:
		if simName == "." {
			return f.Name
		}
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == simName {
			return f.Sel.Name
		}
	}
	return ""
}

// begin are the test functions from which one comes to sim.Run.
func (r *reader) begin() map[string]bool {
	reach := map[string]bool{simBegins: true}
	for more := true; more; {
		more = false
		for name, calls := range r.calls {
			for call, made := range calls {
				if made && reach[call] && !reach[name] {
					reach[name], more = true, true
				}
			}
		}
	}
	maps.DeleteFunc(reach, func(name string, _ bool) bool { return !isTest(name) || strings.HasPrefix(name, "Fuzz") })
	return reach
}

// isTest says whether a function of a test file is run by go test.
func isTest(name string) bool {
	for _, prefix := range []string{"Test", "Fuzz"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && name != "TestMain" && (rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}

// importedAs is the name that a file gives package sim, "" where it has none.
func importedAs(f *ast.File) string {
	for _, i := range f.Imports {
		if path, err := strconv.Unquote(i.Path.Value); err == nil && path == simPath {
			if i.Name != nil {
				return i.Name.Name
			}
			return "sim"
		}
	}
	return ""
}
