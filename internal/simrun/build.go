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
	goroot         string

	command    func(ctx context.Context, args ...string) *exec.Cmd // of the go command
	buildFlags []string
}

type builder struct {
	o       *Options
	tc      overlay.Toolchain
	overlay overlay.Overlay
	work    string
}

// build builds the tests of each package that has simulations.
func (b *builder) build(ctx context.Context) ([]*program, error) {
	buildFlags, testFlags := splitFlags(b.o.Flags)
	pkgs, err := b.list(ctx, buildFlags)
	if err != nil {
		return nil, err
	}
	if !b.o.NoAtomics {
		if buildFlags, err = withAtomics(b.tc, buildFlags); err != nil {
			return nil, err
		}
	}
	var bins []*program
	for i, p := range pkgs {
		b.o.Story("building %s with %s", p.ImportPath, b.tc.Version)
		bin := &program{pkg: p.ImportPath, dir: p.Dir, module: p.Module.Path, flags: testFlags, work: filepath.Join(b.work, fmt.Sprintf("p%03d", i)),
			goroot: b.tc.Root, command: b.command, buildFlags: buildFlags}
		if err := os.Mkdir(bin.work, 0o777); err != nil {
			return nil, err
		}
		bin.file = filepath.Join(bin.work, "sim.test")
		args := append([]string{"test", "-c", "-overlay=" + b.overlay.File, "-o", bin.file}, buildFlags...)
		cmd := b.command(ctx, append(args, p.ImportPath)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, &BuildError{p.ImportPath, strings.TrimSpace(string(out))}
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
	args := append([]string{"list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,Module"}, onlyTags(flags)...)
	cmd := b.command(ctx, append(args, b.o.Packages...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &BuildError{strings.Join(b.o.Packages, " "), strings.TrimSpace(stderr.String())}
	}
	var pkgs []listed
	for dec := json.NewDecoder(&stdout); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		if slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), simPath) {
			pkgs = append(pkgs, p)
		}
	}
}

// splitFlags sorts go test's flags: those for the build, with the overlay's tag, and those for the binary.
func splitFlags(flags []string) (build, test []string) {
	tags := overlay.Tag
	for i := 0; i < len(flags); i++ {
		name, value, set := strings.Cut(strings.TrimLeft(flags[i], "-"), "=")
		switch name {
		case "tags":
			if !set && i+1 < len(flags) {
				i++
				value = flags[i]
			}
			tags += "," + value
		case "short", "v", "timeout", "parallel":
			if takes := name == "timeout" || name == "parallel"; takes && !set && i+1 < len(flags) {
				i++
				value, set = flags[i], true
			}
			if set {
				name += "=" + value
			}
			test = append(test, "-test."+name)
		default:
			build = append(build, flags[i])
		}
	}
	return append(build, "-tags="+tags), test
}

func onlyTags(flags []string) []string { return flags[len(flags)-1:] }
