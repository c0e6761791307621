package simrun

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/overlay"
)

const simPath = "github.com/assay-dev/assay/sim"

// A program is one package's tests, built with the overlay.
type program struct {
	pkg, dir, file string
	module         string
	flags          []string // of the binary
	work           string
	temp           string // what its processes call their folders for temporary files; "" for their own names
	goroot         string
	overlay        string // file

	command   func(ctx context.Context, args ...string) *exec.Cmd // of the go command
	listFlags []string
}

type builder struct {
	o       *Options
	tc      overlay.Toolchain
	overlay overlay.Overlay
	work    string
}

// build builds the tests of each package that has simulations.
func (b *builder) build(ctx context.Context) ([]*program, error) {
	all, err := b.withDefaults(ctx, b.o.Flags)
	if err != nil {
		return nil, err
	}
	flags, err := sortFlags(all)
	if err != nil {
		return nil, err
	}
	pkgs, err := b.list(ctx, flags.list)
	if err != nil {
		return nil, err
	}
	if !b.o.NoAtomics {
		if flags.build, err = withAtomics(b.tc, flags.build); err != nil {
			return nil, err
		}
	}
	temp := tempName(b.o.Cache)
	var bins []*program
	for i, p := range pkgs {
		b.o.Story("building %s with %s", p.ImportPath, b.tc.Version)
		bin := &program{pkg: p.ImportPath, dir: p.Dir, module: p.Module.Path, flags: flags.binary, work: filepath.Join(b.work, fmt.Sprintf("p%03d", i)),
			temp: temp, goroot: b.tc.Root, overlay: b.overlay.File, command: b.command, listFlags: flags.list}
		if err := os.Mkdir(bin.work, 0o777); err != nil {
			return nil, err
		}
		bin.file = filepath.Join(bin.work, "sim.test")
		args := append([]string{"test", "-c", "-overlay=" + b.overlay.File, "-o", bin.file}, flags.build...)
		cmd := b.command(ctx, append(args, p.ImportPath)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &BuildError{p.ImportPath, strings.TrimSpace(string(out)) + versions(string(out))}
		}
		if _, err := os.Stat(bin.file); err == nil { // else it has no tests for this machine
			bins = append(bins, bin)
		}
	}
	return bins, nil
}

func (b *builder) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, b.tc.Command, args...)
	cmd.Dir = b.o.Dir
	cmd.Env = append(os.Environ(), b.tc.Env...)
	return cmd
}

type listed struct {
	ImportPath, Dir                    string
	Imports, TestImports, XTestImports []string
	Module                             struct{ Path string }
}

// list finds the packages whose tests import package sim.
func (b *builder) list(ctx context.Context, flags []string) ([]listed, error) {
	args := append([]string{"list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,Module"}, flags...)
	cmd := b.command(ctx, append(args, b.o.Packages...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &InputError{fmt.Sprintf("go list %s: %s", strings.Join(b.o.Packages, " "), strings.TrimSpace(stderr.String()))}
	}
	var pkgs, others []listed
	some := false
	for dec := json.NewDecoder(&stdout); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) && some {
			more, err := b.byHelpers(ctx, flags, others)
			return append(pkgs, more...), err
		} else if errors.Is(err, io.EOF) {
			return nil, &InputError{fmt.Sprintf("no package matches %s", strings.Join(b.o.Packages, " "))}
		} else if err != nil {
			return nil, err
		}
		some = true
		if slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), simPath) {
			pkgs = append(pkgs, p)
		} else {
			others = append(others, p)
		}
	}
}

// versions tells of a package sim that asks Go's runtime for what this command does not put there, or not by that name.
func versions(out string) string {
	if !strings.Contains(out, "relocation target "+simPath+".") {
		return ""
	}
	return "\nthis command and the package " + simPath + " that the tests import are of different versions: go get the version of the command, or install that of the package"
}

// byHelpers are the packages whose tests import a package for tests that imports package sim.
func (b *builder) byHelpers(ctx context.Context, flags []string, pkgs []listed) (found []listed, err error) {
	if len(pkgs) == 0 {
		return nil, nil
	}
	args := append([]string{"list", "-deps", "-test", "-json=ImportPath,Imports,Standard"}, flags...)
	for _, p := range pkgs {
		args = append(args, p.ImportPath)
	}
	out, err := b.command(ctx, args...).Output()
	if err != nil {
		return nil, nil // one of them cannot be listed with its tests, and the build says why
	}
	imports := map[string][]string{}
	helper := map[string]bool{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
			Standard   bool
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if !p.Standard {
			imports[p.ImportPath] = p.Imports
			helper[p.ImportPath] = slices.Contains(p.Imports, simPath) && slices.Contains(p.Imports, "testing") && !strings.HasPrefix(p.ImportPath, simPath)
		}
	}
	for _, p := range pkgs {
		if reaches(p.ImportPath+".test", imports, helper, map[string]bool{}) {
			found = append(found, p)
		}
	}
	return found, nil
}

func reaches(pkg string, imports map[string][]string, target, seen map[string]bool) bool {
	if seen[pkg] {
		return false
	}
	seen[pkg] = true
	return target[pkg] || slices.ContainsFunc(imports[pkg], func(p string) bool { return reaches(p, imports, target, seen) })
}
