// Package overlay changes Go's runtime and standard library for one build, without touching them.
//
// "go build -overlay" takes some files from elsewhere. Which and how is data: files of
// anchored patches in patches/, and files that are added to packages in files/. They are applied to the
// sources of the user's own toolchain, so that a fix release of Go is built with its fixes:
//
//	tc, err := overlay.Find(ctx, "go", dir, cache)
//	o, err := overlay.Make(tc, cache, overlay.Groups()...)
//	cmd := exec.Command(tc.Command, "test", "-overlay", o.File, "-tags", overlay.Tag, "./...")
//
// An anchor that does not occur exactly once in its function is an error which names it: nothing is guessed.
package overlay

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Tag is the build tag of code that needs the overlay.
const Tag = "assaysim"

// Supported are the versions of Go that simulations were run with.
const Supported = "go1.26 and go1.27 on linux"

// Groups of patches.
const (
	Runtime = "runtime" // the schedule, time and randomness of a bubble
	Yield   = "yield"   // preemption before operations on what goroutines share
	Atomic  = "atomic"  // the same before operations of sync/atomic
	Net     = "net"     // the simulated network below package net
	OS      = "os"      // the simulated disk below package os
	Lazy    = "lazy"    // what is made ready once in a process, outside of any seed
	Testing = "testing" // where a test failed
	Outside = "outside" // what comes from the real world is noted
)

// Groups are those that a simulation needs, in the order in which they are applied.
func Groups() []string { return []string{Runtime, Yield, Atomic, Net, OS, Lazy, Testing, Outside} }

//go:embed patches/*.patch
var patchFiles embed.FS

//go:embed files
var addedFiles embed.FS

// An Overlay is written and ready for "go build -overlay".
type Overlay struct {
	File    string // overlay.json
	Digest  string // of all that it changes: two overlays of one digest build the same
	Patches int
	Files   int
}

// An AnchorError is a toolchain whose sources are not as the patches expect.
type AnchorError struct {
	Version string
	Root    string
	Failed  []error
}

func (e *AnchorError) Error() string {
	return fmt.Sprintf("the standard library of %s (%s) is not as the patches expect; supported are %s: another toolchain runs with GOTOOLCHAIN=go1.26.8\n  %s",
		e.Version, e.Root, Supported, strings.ReplaceAll(errors.Join(e.Failed...).Error(), "\n", "\n  "))
}

// Make writes the overlay of some groups for a toolchain below a cache folder. What is there already is left:
// its name is the digest of its content. Several processes may do it at once.
func Make(tc Toolchain, cache string, groups ...string) (Overlay, error) {
	files, n, err := patched(tc, groups)
	if err != nil {
		return Overlay{}, err
	}
	o := Overlay{Digest: digest(tc, files), Patches: n, Files: len(files)}
	dir := filepath.Join(cache, "overlay-"+tc.Version+"-"+o.Digest[:16])
	o.File = filepath.Join(dir, "overlay.json")
	if _, err := os.Stat(o.File); err == nil {
		return o, nil
	}
	if err := write(dir, tc, files); err != nil {
		return Overlay{}, fmt.Errorf("the overlay of Go's sources cannot be written: %w", err)
	}
	return o, nil
}

// patched returns the new text of each file, by its path below src, and how many patches were applied.
func patched(tc Toolchain, groups []string) (map[string]string, int, error) {
	files := map[string]string{}
	failed := &AnchorError{Version: tc.Version, Root: tc.Root}
	n := 0
	for _, group := range groups {
		patches, err := read(group)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range patches {
			n++
			if err := p.into(files, filepath.Join(tc.Root, "src")); err != nil {
				failed.Failed = append(failed.Failed, err)
			}
		}
	}
	if len(failed.Failed) > 0 {
		return nil, 0, failed
	}
	return files, n, add(files, groups)
}

func read(group string) ([]patch, error) {
	text, err := patchFiles.ReadFile("patches/" + group + ".patch")
	if err != nil {
		return nil, fmt.Errorf("no group of patches is called %q", group)
	}
	return parse(group, string(text))
}

// into applies the patch to the file's text so far.
func (p *patch) into(files map[string]string, src string) error {
	text, ok := files[p.file]
	if !ok {
		b, err := os.ReadFile(filepath.Join(src, filepath.FromSlash(p.file)))
		if p.optional && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w (%s.patch:%d)", p.file, err, p.group, p.line)
		}
		text = string(b)
	}
	text, err := p.apply(text)
	if err == nil {
		files[p.file] = text
	}
	return err
}

// add puts the added files in: those of a group with it, the others always.
func add(files map[string]string, groups []string) error {
	return fs.WalkDir(addedFiles, "files", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		to := strings.TrimSuffix(strings.TrimPrefix(name, "files/"), ".txt")
		if group := groupOf(to); group != "" && !slices.Contains(groups, group) {
			return nil
		}
		text, err := addedFiles.ReadFile(name)
		files[to] = string(text)
		return err
	})
}

// groupOf is the group that an added file belongs to, "" for none.
func groupOf(file string) string {
	switch pkg, _, _ := strings.Cut(file, "/"); pkg {
	case "net":
		return Net
	case "os", "syscall":
		return OS
	case "sync", "internal", "encoding", "strings":
		return Lazy
	case "testing":
		return Testing
	}
	return ""
}

func digest(tc Toolchain, files map[string]string) string {
	h := sha256.New()
	fmt.Fprintln(h, tc.Version, tc.Root)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintln(h, name, len(files[name]))
		h.Write([]byte(files[name]))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// write makes the folder beside its place and renames it: whoever finds it finds it whole.
func write(dir string, tc Toolchain, files map[string]string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "tmp-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	replace := map[string]string{}
	for name, text := range files {
		to := filepath.FromSlash(name)
		replace[filepath.Join(tc.Root, "src", to)] = filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(tmp, to)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(tmp, to), []byte(text), 0o644); err != nil {
			return err
		}
	}
	index, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, "overlay.json"), index, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, there := os.Stat(filepath.Join(dir, "overlay.json")); there == nil {
			return nil // another process was first
		}
		return err
	}
	return nil
}
