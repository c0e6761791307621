package overlay

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const source = `package p

func one() {
	a := 1
	b := 2
}

func (t *T) two() {
	a := 1
}
`

func TestApply(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, patch, want string }{
		{"before, in a function", "=== f.go: one\n# why\n--- find\n	a := 1\n+++ before\n	x()\n", "func one() {\n	x()\n	a := 1"},
		{"after, in a method", "=== f.go: two\n# why\n--- find\n	a := 1\n+++ after\n	x()\n", "two() {\n	a := 1\n	x()\n}"},
		{"replace, by full name", "=== f.go: (t *T) two\n# why\n--- find\na := 1\n+++ replace\nb := 3\n", "two() {\n	b := 3\n}"},
		{"the second form", "=== f.go\n# why\n--- find\nnot there\n+++ after\nx\n--- find\n	b := 2\n+++ after\n	c := 3\n", "b := 2\n	c := 3\n"},
		{"each", "=== f.go\n# why\n--- each\n^(func .*\\{)$\n+++ replace\n${1} x()\n", "two() { x()\n"},
		{"an anchor that is there twice", "=== f.go\n# the reason\n--- find\n	a := 1\n+++ after\nx\n", `error: f.go: the anchor of "the reason" is not there exactly once (test.patch:1)`},
		{"no such function", "=== f.go: three\n# why\n--- find\na\n+++ after\nx\n", "error: f.go: three: 0 functions have that name"},
		{"no text", "=== f.go\n# why\n--- find\na\n", "error: test.patch:1: f.go: an anchor without a text"},
		{"no anchor", "=== f.go\n# why\n", "error: test.patch:1: f.go: no anchor"},
		{"a word that does not exist", "=== f.go\n--- seek\n", "error: test.patch:2: --- seek: want"},
		{"nothing before", "--- find\n", `error: test.patch:1: "--- find" stands before the first ===`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := applied(tt.patch)
			if err != nil {
				got = "error: " + err.Error()
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %q in it", got, tt.want)
			}
		})
	}
}

func applied(text string) (string, error) {
	patches, err := parse("test", text)
	if err != nil {
		return "", err
	}
	return patches[0].apply(source)
}

// A toolchain with other sources: each anchor that fails is named, with the versions that are supported.
func TestOtherSources(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"runtime/proc.go", "runtime/chan.go"} {
		path := filepath.Join(root, "src", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("package runtime\n\nfunc park_m(gp *g) {\n\tother()\n}\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Make(Toolchain{Version: "go1.99", Root: root}, t.TempDir(), Runtime, Yield)
	var anchors *AnchorError
	if !errors.As(err, &anchors) {
		t.Fatalf("got %v, want an AnchorError", err)
	}
	for _, want := range []string{"go1.99", Supported, "runtime/proc.go: park_m", "runtime/chan.go: chansend", "runtime.patch:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// Several at once find one whole overlay, and what is there is left as it is.
func TestMakeAtOnce(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	tc := toolchain(t, cache)
	made := make([]Overlay, 8)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			o, err := Make(tc, cache, Groups()...)
			if err != nil {
				t.Error(err)
			}
			made[i] = o
		})
	}
	wg.Wait()
	for _, o := range made {
		if o != made[0] {
			t.Errorf("got %+v and %+v", o, made[0])
		}
	}
	before, err := os.Stat(made[0].File)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Make(tc, cache, Groups()...); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(made[0].File); err != nil || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("it was written again: %v, %v", after, err)
	}
	left, err := filepath.Glob(filepath.Join(cache, "tmp-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A toolchain in the module cache is used through a link, because go refuses to replace files there.
// A file that some versions of Go do not have is left out, if the patch says so.
func TestOptional(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file string
		ok   bool
	}{{"f.go?", true}, {"f.go", false}} {
		patches, err := parse("test", "=== "+tt.file+"\n# why\n--- find\na\n+++ after\nb\n")
		if err != nil {
			t.Fatal(err)
		}
		files, src := map[string]string{}, t.TempDir()
		if err := patches[0].into(files, src); (err == nil) != tt.ok || len(files) != 0 {
			t.Errorf("%s, which is not there: %v, %v", tt.file, err, files)
		}
		if err := os.WriteFile(filepath.Join(src, "f.go"), []byte("a"), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := patches[0].into(files, src); err != nil || files["f.go"] != "a\nb" {
			t.Errorf("%s: %v, %v", tt.file, err, files)
		}
	}
}

func TestAtomics(t *testing.T) {
	t.Parallel()
	tc := Toolchain{Root: t.TempDir()}
	if _, err := tc.Atomics(""); err == nil {
		t.Error("a toolchain without sources has flags")
	}
	for _, dir := range []string{"os/exec", "vendor/golang.org/x"} {
		if err := os.MkdirAll(filepath.Join(tc.Root, "src", dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	got, err := tc.Atomics(" -N")
	want := "-gcflags=all=-d=ssa/intrinsics/off -N|-gcflags=os/...=-N|-gcflags=vendor/...=-N|-gcflags=vendor/golang.org/...=-N"
	if s := strings.Join(got, "|"); err != nil || s != want {
		t.Errorf("got %s, %v, want %s", s, err, want)
	}
}

func TestToolchainInTheModuleCache(t *testing.T) {
	t.Parallel()
	root := toolchain(t, t.TempDir()).Root
	modcache, cache := t.TempDir(), t.TempDir()
	inside := filepath.Join(modcache, "golang.org", "toolchain@v0.0.1-go1.26.linux-amd64")
	if err := os.MkdirAll(inside, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "src"), filepath.Join(inside, "src")); err != nil {
		t.Fatal(err)
	}
	link, err := linked(inside, cache, "go1.26")
	if err != nil {
		t.Fatal(err)
	}
	again, err := linked(inside, cache, "go1.26")
	if err != nil || again != link || !within(inside, modcache) || within(link, modcache) {
		t.Errorf("linked: %q, then %q, %v", link, again, err)
	}
	if _, err := Make(Toolchain{Version: "go1.26", Root: link}, cache, Groups()...); err != nil {
		t.Error(err)
	}
}

func TestFindElsewhere(t *testing.T) {
	t.Parallel()
	if _, err := Find(context.Background(), filepath.Join(t.TempDir(), "go"), ".", t.TempDir()); err == nil {
		t.Error("a go command that is not there is found")
	}
}
