package overlay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Toolchain is a Go whose sources can be overlaid.
type Toolchain struct {
	Version string // go1.26.8
	Root    string // GOROOT; below the cache where the go command would refuse to replace its files
	Command string // its go command
	Env     []string
}

// Find returns the toolchain that the go command uses in dir.
//
// A toolchain that Go downloaded lies in the module cache, whose files an overlay must not replace. It is used
// through a link below cache, with GOTOOLCHAIN=local.
func Find(ctx context.Context, command, dir, cache string) (Toolchain, error) {
	cmd := exec.CommandContext(ctx, command, "env", "-json", "GOROOT", "GOVERSION", "GOMODCACHE", "GOOS", "GOARCH")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return Toolchain{}, fmt.Errorf("simulations are built by the go command, of %s: %w; install it, or put its folder into PATH", Supported, err)
	}
	if err != nil {
		return Toolchain{}, fmt.Errorf("%s env: %w: %s", command, err, strings.TrimSpace(stderr.String()))
	}
	var env struct{ GOROOT, GOVERSION, GOMODCACHE, GOOS, GOARCH string }
	if err := json.Unmarshal(out, &env); err != nil {
		return Toolchain{}, fmt.Errorf("%s env: %w", command, err)
	}
	if env.GOOS != "linux" {
		return Toolchain{}, fmt.Errorf("simulations run on linux; here GOOS is %s", env.GOOS)
	}
	if _, err := os.Stat(filepath.Join(env.GOROOT, "src", "runtime", "proc.go")); err != nil {
		return Toolchain{}, fmt.Errorf("the sources of Go's standard library are not in GOROOT: %w", err)
	}
	tc := Toolchain{Version: env.GOVERSION, Root: env.GOROOT}
	if within(env.GOROOT, env.GOMODCACHE) {
		if tc.Root, err = linked(env.GOROOT, cache, env.GOVERSION); err != nil {
			return Toolchain{}, err
		}
	}
	tc.Command = filepath.Join(tc.Root, "bin", "go")
	tc.Env = []string{"GOROOT=" + tc.Root, "GOTOOLCHAIN=local"}
	return tc, nil
}

func within(dir, parent string) bool {
	rel, err := filepath.Rel(parent, dir)
	return err == nil && parent != "" && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// linked returns the name of a symbolic link to a GOROOT.
func linked(root, cache, version string) (string, error) {
	sum := sha256.Sum256([]byte(root))
	link := filepath.Join(cache, "goroot-"+version+"-"+hex.EncodeToString(sum[:4]))
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	if to, err := os.Readlink(link); err == nil && to == root {
		return link, nil
	}
	tmp := fmt.Sprintf("%s.%d", link, os.Getpid())
	defer os.Remove(tmp)
	if err := os.Symlink(root, tmp); err != nil {
		return "", err
	}
	return link, os.Rename(tmp, link)
}
