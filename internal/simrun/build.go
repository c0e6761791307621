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
	var bins []*program
	for i, p := range pkgs {
		b.o.Story("building %s with %s", p.ImportPath, b.tc.Version)
		bin := &program{pkg: p.ImportPath, dir: p.Dir, module: p.Module.Path, flags: flags.binary, work: filepath.Join(b.work, fmt.Sprintf("p%03d", i)),
			goroot: b.tc.Root, command: b.command, listFlags: flags.list}
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
	var pkgs []listed
	some := false
	for dec := json.NewDecoder(&stdout); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) && some {
			return pkgs, nil
		} else if errors.Is(err, io.EOF) {
			return nil, &InputError{fmt.Sprintf("no package matches %s", strings.Join(b.o.Packages, " "))}
		} else if err != nil {
			return nil, err
		}
		some = true
		if slices.Contains(slices.Concat(p.Imports, p.TestImports, p.XTestImports), simPath) {
			pkgs = append(pkgs, p)
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
