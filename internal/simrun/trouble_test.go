package simrun

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/verdict"
)

// judged builds, runs some seeds, and returns the verdict with all that is said of it.
func judged(t *testing.T, o Options) (verdict.Verdict, string) {
	t.Helper()
	built(t, "bugs") // or it is skipped
	o.NoSave, o.NoShrink, o.Seeds = true, true, 2
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Error(err)
		return verdict.Unknown, ""
	}
	return res.Verdict, textOf(t, res)
}

func textOf(t *testing.T, res *Result) string {
	t.Helper()
	var text strings.Builder
	if err := res.Text(&text); err != nil {
		t.Error(err)
	}
	return text.String()
}

// What a test's author does wrong, and what stands beside simulations.
func TestTrouble(t *testing.T) {
	for _, tt := range []struct {
		name, pkg, test, flag string
		want                  verdict.Verdict
		says                  []string
	}{
		{"t.Fatal on a host", "host", "TestFatal", "", verdict.Fail, []string{"host_test.go:16: planted, on a host", "reproduced twice"}},
		{"a panic on a host", "host", "TestNil", "", verdict.Fail, []string{"assignment to entry in nil map", "host_test.go:40"}},
		{"a fault that a disk cannot have", "host", "TestNoSuchFault", "", verdict.Fail, []string{"TestNoSuchFault fails with seed 1: locks_test.go:71: sim: disk of h: "}},
		{"a deadlock, with all goroutines", "host", "TestDeadlock", "", verdict.Fail,
			[]string{"deadlock", "host_test.go:27", "host_test.go:28", "host_test.go:30", "host_test.go:34"}},
		{"a deadlock of what hosts are asked to do", "host", "TestDoDeadlock", "", verdict.Fail, []string{"deadlock", "locks_test.go:65", "after 1s of simulated time"}},
		{"a livelock, with all goroutines", "bugs", "TestLivelock", "", verdict.Fail, []string{"the limit of steps is reached", "bugs.TestLivelock.func1.1()", "bugs.TestLivelock.func1(", "bugs_test.go:"}},
		{"a lock that a crash left locked", "host", "TestLockLeft", "", verdict.Fail,
			[]string{" h: has waited for a lock since 500ms: ", "host.TestLockLeft.func1.1 host/locks_test.go:22; a crash leaves locks locked that the dead held"}},
		{"a lock that is held for a moment", "host", "TestLockHeld", "", verdict.Fail, []string{"planted, while one waits"}},
		{"a process that ends itself", "exits", "TestExits", "", verdict.Fail, []string{"TestExits fails"}},
		{"tests of other kinds beside", "beside", "", "", verdict.Pass,
			[]string{"TestSubtests/two_words: 4 seeds", "TestSubtests/a/b: 4 seeds", "TestParallel/first: 4 seeds"}},
		{"simulations of parallel tests", "beside", "TestParallel", "-test.parallel=3", verdict.Pass, []string{"TestParallel/third: 4 seeds"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bin := *built(t, tt.pkg)
			bin.work = t.TempDir()
			if tt.flag != "" {
				bin.flags = append(slices.Clip(bin.flags), tt.flag)
			}
			o := options()
			o.Tests, o.Seeds, o.Workers = tt.test, 4, 2
			res := &Result{Go: runtime.Version()}
			x := &explorer{o: &o, bin: &bin, res: res}
			if err := x.explore(t.Context()); err != nil {
				t.Fatal(err)
			}
			res.judge(&o)
			text := textOf(t, res)
			if res.Verdict != tt.want {
				t.Errorf("verdict %v, want %v\n%s", res.Verdict, tt.want, text)
			}
			for _, want := range tt.says {
				if !strings.Contains(text, want) {
					t.Errorf("want %q in\n%s", want, text)
				}
			}
			if tt.test == "TestLockHeld" && strings.Contains(text, "for a lock since") {
				t.Errorf("it waited for half a second\n%s", text)
			}
		})
	}
}

// A package without tests is no simulation, and no pass.
func TestNoTests(t *testing.T) {
	got, text := judged(t, Options{Packages: []string{"./testdata/trouble/none"}})
	if got != verdict.Unknown || !strings.Contains(text, "is a simulation") {
		t.Errorf("verdict %v, want unknown\n%s", got, text)
	}
}

// A test that does not compile is its author's to mend: the error is the compiler's, with file and line.
func TestDoesNotCompile(t *testing.T) {
	built(t, "bugs")
	_, err := Run(t.Context(), Options{Packages: []string{"./testdata/trouble/broken"}})
	var build *BuildError
	if !errors.As(err, &build) || !strings.Contains(err.Error(), "broken_test.go:11:32: undefined: undefinedThing") {
		t.Errorf("got %v, want a BuildError with file and line", err)
	}
}

// A standard library that the patches do not fit is named, with the file and what is supported, before anything is built.
func TestUnsupportedGo(t *testing.T) {
	built(t, "bugs")
	root := imitation(t, toolchain(t).Root, "runtime/proc.go", func(text string) string {
		return strings.Replace(text, "func goyield_m(gp *g) {", "func goyield_m(other *g) {", 1)
	})
	t.Setenv("GOROOT", root)
	_, err := Run(t.Context(), Options{Packages: []string{"./testdata/bugs"}})
	var anchors *overlay.AnchorError
	if !errors.As(err, &anchors) {
		t.Fatalf("got %v, want an AnchorError", err)
	}
	for _, want := range []string{"runtime/proc.go: goyield_m", overlay.Supported, "GOTOOLCHAIN=", root} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

func toolchain(t *testing.T) overlay.Toolchain {
	t.Helper()
	tc, err := overlay.Find(t.Context(), "go", ".", t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	return tc
}

// imitation is a GOROOT of links, in which one file is another.
func imitation(t *testing.T, root, file string, change func(string) string) string {
	t.Helper()
	to := t.TempDir()
	dir := ""
	for _, part := range append([]string{"src"}, strings.Split(filepath.Dir(file), "/")...) {
		linkAll(t, filepath.Join(root, dir), filepath.Join(to, dir), part)
		dir = filepath.Join(dir, part)
	}
	linkAll(t, filepath.Join(root, dir), filepath.Join(to, dir), filepath.Base(file))
	text, err := os.ReadFile(filepath.Join(root, "src", file))
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	if changed == string(text) {
		t.Fatalf("%s did not change", file)
	}
	if err := os.WriteFile(filepath.Join(to, "src", file), []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	return to
}

// linkAll makes a folder with links to all that is in another, but one.
func linkAll(t *testing.T, from, to, but string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == but {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// module writes a module with one simulation, which uses this one's packages, below a folder.
func module(t *testing.T, dir, name string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, name)
	for file, text := range map[string]string{
		"go.mod":     "module example.test/m\n\ngo 1.26.0\n\nrequire github.com/assay-dev/assay v0.0.0\n\nreplace github.com/assay-dev/assay => " + root + "\n",
		"go.sum":     string(sums),
		"m_test.go":  "package m\n\nimport (\n\t\"testing\"\n\t\"time\"\n\n\t\"github.com/assay-dev/assay/sim\"\n)\n\nfunc TestM(t *testing.T) { sim.Run(t, func(s *sim.Sim) { time.Sleep(time.Second) }) }\n",
		"sub/sub.go": "// Package sub has no tests.\npackage sub\n",
	} {
		path := filepath.Join(dir, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Where the code lies: a path with spaces, a module with its dependencies in vendor/, a workspace. The cache has spaces in its path, too, and two
// use it at once. Go's own sources are not written to.
func TestPlaces(t *testing.T) {
	built(t, "bugs")
	before := written(t, toolchain(t).Root)
	spaces := filepath.Join(t.TempDir(), "a path with spaces")
	vendored := module(t, spaces, "vendored")
	if out, err := run1(t, vendored, "go", "mod", "vendor"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cache := filepath.Join(spaces, "cache of two")
	for _, tt := range []struct {
		name, goflags string
		o             Options
		full          bool
	}{
		{"spaces", "", Options{Dir: module(t, spaces, "plain"), Packages: []string{"./..."}}, false},
		{"vendor", "", Options{Dir: vendored, Packages: []string{"./..."}}, true},
		{"GOFLAGS=-mod=vendor", "-mod=vendor", Options{Dir: vendored}, false},
		{"GOFLAGS=-mod=mod", "-mod=mod", Options{Dir: vendored}, true},
		{"workspace", "", Options{Dir: workspace(t, spaces), Packages: []string{"./one/...", "./two/..."}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.full && os.Getenv("ASSAY_SIM_FULL") == "" {
				t.Skip("ASSAY_SIM_FULL is not set")
			}
			t.Setenv("GOFLAGS", tt.goflags)
			at := 1
			if tt.name == "spaces" {
				at = 2
			}
			var wg sync.WaitGroup
			for range at {
				wg.Go(func() {
					o := tt.o
					o.Cache = cache
					if got, text := judged(t, o); got != verdict.Pass {
						t.Errorf("verdict %v, want pass\n%s", got, text)
					}
				})
			}
			wg.Wait()
		})
	}
	left, err := os.ReadDir(cache)
	if err != nil || len(left) != 1 {
		t.Errorf("%v in the cache, %v: want one overlay and nothing half made", left, err)
	}
	if after := written(t, toolchain(t).Root); !slices.Equal(before, after) {
		t.Errorf("GOROOT has other files than before")
	}
}

// workspace has two modules, one without simulations.
func workspace(t *testing.T, dir string) string {
	t.Helper()
	work := filepath.Dir(module(t, dir, "workspace/one"))
	module(t, dir, "workspace/two")
	if err := errors.Join(
		os.WriteFile(filepath.Join(work, "two", "go.mod"), []byte("module example.test/two\n\ngo 1.26.0\n"), 0o666),
		os.Remove(filepath.Join(work, "two", "m_test.go")),
		os.WriteFile(filepath.Join(work, "go.work"), []byte("go 1.26.0\n\nuse (\n\t./one\n\t./two\n)\n"), 0o666),
	); err != nil {
		t.Fatal(err)
	}
	return work
}

func run1(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// written is what there is of files, and when each was written.
func written(t *testing.T, root string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, "src"), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all = append(all, path+info.ModTime().String())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A disk without room, and sources that cannot be written to: in a mount namespace of their own, by a process of this test.
func TestMounts(t *testing.T) {
	built(t, "bugs")
	root := toolchain(t).Root
	for _, tt := range []struct{ name, mount, want string }{
		{"no room for the overlay", "mkdir -p $D/cache && mount -t tmpfs -o size=64k none $D/cache", "no space left on device"},
		{"read-only GOROOT and module cache", "for R in " + root + " $(go env GOMODCACHE); do mount --bind $R $R; mount -o remount,bind,ro $R; ! touch $R/x 2>/dev/null; done", "verdict pass"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "unshare", "-m", "sh", "-ec", tt.mount+"\nexec "+self+" -test.run '^TestInNamespace$' -test.v")
			cmd.Env = append(os.Environ(), "D="+dir, "ASSAY_TEST_CACHE="+filepath.Join(dir, "cache"))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); strings.Contains(out.String(), "unshare: ") || strings.Contains(out.String(), "mount: ") || errors.Is(err, exec.ErrNotFound) {
				t.Skipf("no mount namespace here: %v\n%s", err, out.String())
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("want %q in\n%s", tt.want, out.String())
			}
		})
	}
}

// TestInNamespace is what TestMounts starts.
func TestInNamespace(t *testing.T) {
	cache := os.Getenv("ASSAY_TEST_CACHE")
	if cache == "" {
		t.Skip("started by TestMounts")
	}
	res, err := Run(t.Context(), Options{Packages: []string{"./testdata/bugs"}, Tests: "TestFine", Seeds: 2, Cache: cache, NoSave: true})
	if err != nil {
		left, _ := os.ReadDir(cache)
		t.Fatalf("%v; left in the cache: %v", err, left)
	}
	t.Logf("verdict %v", res.Verdict)
}

// A test binary that the system does not run is told with the reason.
func TestNotStarted(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	bin.file = filepath.Join(bin.work, "no-program")
	if err := os.WriteFile(bin.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := bin.run(t.Context(), start{name: "w", tests: ".", seed: 1})
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "may files in "+os.TempDir()+" be executed? TMPDIR") {
		t.Errorf("got %v", err)
	}
}

// The folder for temporary files may be named from here: test binaries run elsewhere.
func TestRelativeTemp(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("tmp", 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", "tmp")
	dir, err := workDir()
	if err != nil || !filepath.IsAbs(dir) {
		t.Errorf("%q, %v: want an absolute path", dir, err)
	}
	t.Setenv("TMPDIR", "a;b")
	var input *InputError
	if dir, err := workDir(); !errors.As(err, &input) {
		t.Errorf("%q, %v: settings end at a ;", dir, err)
	}
}
