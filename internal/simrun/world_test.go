package simrun

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// What comes in from the real world makes a run not reproducible, with the place in the test's own code and with advice; what is the same each time does not.
func TestWorld(t *testing.T) {
	for _, tt := range []struct {
		test string
		want verdict.Verdict
		says []string
	}{
		{"TestChild", verdict.Unknown, []string{"a child process", "start it before sim.Run", "os/exec.(*Cmd).Run", "TestChild.func1 world/world_test.go:22"}},
		{"TestChildOnHost", verdict.Unknown, []string{"a child process", "world.output world/world_test.go:36", "TestChildOnHost.func1.1 world/world_test.go:31"}},
		{"TestMachine", verdict.Unknown, []string{"/proc, /sys or /dev", "world_test.go:43"}},
		{"TestClock", verdict.Unknown, []string{"real clock", "time.Now", "world_test.go:52"}},
		{"TestClockByNumber", verdict.Unknown, []string{"real clock", "world_test.go:61"}},
		{"TestWait", verdict.Unknown, []string{"waits for real time", "world_test.go:68"}},
		{"TestLongWait", verdict.Unknown, []string{"longer than half a second", "world.reads world/world_test.go:85"}},
		{"TestSocket", verdict.Unknown, []string{"a real socket", "world_test.go:94"}},
		{"TestStableFile", verdict.Pass, nil},
		{"TestWrites", verdict.Pass, []string{"a real file was opened to write to", "testdata/log (world/world_test.go:113)"}},
		{"TestCopy", verdict.Pass, nil},
		{"TestWhere", verdict.Fail, []string{`world_test.go:184: at 0s: "always"`}},
		{"TestWhereUnreachable", verdict.Fail, []string{`world_test.go:190: at 0s: "unreachable"`}},
		{"TestChoose", verdict.Pass, nil},
		{"TestPorts", verdict.Pass, nil},
		{"TestTemp", verdict.Pass, nil},
	} {
		t.Run(tt.test, func(t *testing.T) {
			if tt.test == "TestLongWait" && runtime.Version() < "go1.26" {
				t.Skip("a thread is not stopped at the end of its system call there")
			}
			saysAll(t, exploredIn(t, "world", tt.test, 2), tt.want, tt.says)
		})
	}
}

// exploredIn runs seeds of one test of a package.
func exploredIn(t *testing.T, pkg, test string, seeds int) *Result {
	t.Helper()
	bin := *built(t, pkg)
	bin.work = t.TempDir()
	o := options()
	o.Tests, o.Seeds, o.Workers = "^"+test+"$", seeds, 2
	res := &Result{Go: runtime.Version()}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	res.judge(&o)
	return res
}

func saysAll(t *testing.T, res *Result, want verdict.Verdict, says []string) {
	t.Helper()
	text := textOf(t, res)
	if res.Verdict != want {
		t.Errorf("verdict %v, want %v\n%s", res.Verdict, want, text)
	}
	for _, s := range says {
		if !strings.Contains(text, s) {
			t.Errorf("want %q in\n%s", s, text)
		}
	}
}

// C code needs a compiler of it.
func TestWorldInC(t *testing.T) {
	built(t, "bugs")
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip(err)
	}
	t.Setenv("CGO_ENABLED", "1")
	res, err := Run(t.Context(), Options{Packages: []string{"./testdata/worldc"}, NoSave: true, Seeds: 2})
	if err != nil {
		t.Fatal(err)
	}
	saysAll(t, res, verdict.Unknown, []string{"C code", "worldc.Answer", "worldc.TestC.func1 worldc/c_test.go:12",
		"worldc.nobody worldc/c_test.go:28", "worldc.TestUser.func1 worldc/c_test.go:21"})
}

// Line numbers of changed files of the standard library are those of the files that were compiled.
func TestSourceOfOverlay(t *testing.T) {
	bin := built(t, "bugs")
	text := newSources(context.Background(), bin.command, bin.listFlags, bin.pkg, bin.overlay)
	changed := filepath.Join(bin.goroot, "src", "sync", "waitgroup.go")
	from := text.built[changed]
	if from == "" {
		t.Fatalf("%s is not among the %d files of the overlay", changed, len(text.built))
	}
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for n := len(lines) - 1; n > 0; n-- { // the last that says something
		want := strings.TrimSpace(lines[n-1])
		if len(want) < 2 {
			continue
		}
		if got := text.line("sync.(*WaitGroup).Wait sync/waitgroup.go:" + strconv.Itoa(n)); got != want {
			t.Errorf("line %d: got %q, want %q", n, got, want)
		}
		break
	}
	if got := text.line("sync.(*WaitGroup).Wait sync/waitgroup.go:1000000"); got != "" {
		t.Errorf("a line that is not there says %q", got)
	}
}

// What cannot be linked is not called code that does not compile.
func TestDoesNotLink(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"# m.test\n/go/pkg/tool/linux_amd64/link: m.f: relocation target m.g not defined": "m compiles, and cannot be linked:",
		"./m.go:3:5: undefined: g": "m does not build:",
	} {
		if got := (&BuildError{"m", output}).Error(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
