package simrun

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// The overlay is built once for all tests of this binary: it costs most of their time.
var programs = sync.OnceValues(func() (map[string]*program, error) {
	o := options("../../sim/simtest", "./testdata/bugs", "./testdata/caches", "./testdata/mended", "./testdata/trouble/host", "./testdata/trouble/exits", "./testdata/trouble/beside",
		"./testdata/world", "./testdata/verdicts", "./testdata/died", "./testdata/plainfail", "./testdata/unmet", "./testdata/ways")
	ctx := context.Background()
	tc, err := overlay.Find(ctx, "go", ".", o.Cache)
	if err != nil {
		return nil, err
	}
	over, err := overlay.Make(tc, o.Cache, overlay.Groups()...)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "simrun-test-")
	if err != nil {
		return nil, err
	}
	bins, err := (&builder{o: &o, tc: tc, overlay: over, work: work}).build(ctx)
	all := map[string]*program{}
	for _, b := range bins {
		b.flags = append(b.flags, "-test.timeout=1m")
		all[filepath.Base(b.pkg)] = b
	}
	return all, err
})

func options(pkgs ...string) Options {
	o := Options{Packages: pkgs}
	if err := o.fill(); err != nil {
		panic(err)
	}
	return o
}

func TestMain(m *testing.M) {
	code := m.Run()
	if wanted.Load() {
		if all, err := programs(); err == nil {
			for _, p := range all {
				os.RemoveAll(filepath.Dir(p.work))
			}
		}
	}
	os.Exit(code)
}

var wanted atomic.Bool // whether programs is asked for

func built(t *testing.T, name string) *program {
	t.Helper()
	if testing.Short() {
		t.Skip("builds Go's standard library")
	}
	if runtime.GOOS != "linux" {
		t.Skip("simulations run on linux")
	}
	wanted.Store(true)
	all, err := programs()
	var anchors *overlay.AnchorError
	if errors.As(err, &anchors) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all[name]
}

// explored runs seeds of one test of testdata/bugs.
func explored(t *testing.T, test string, seeds int) *Result {
	t.Helper()
	return exploredIn(t, "bugs", test, seeds)
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		test  string
		seeds int
		want  verdict.Verdict
		says  string // somewhere in the text
	}{
		{"TestFine", 20, verdict.Pass, "20 simulations"},
		{"TestLostUpdate", 200, verdict.Fail, "no update is lost"},
		{"TestNeverThere", 20, verdict.Unknown, `"the rare branch" was never true in 20 seeds`},
		{"TestPanicInHost", 1, verdict.Fail, "planted"},
		{"TestDeadlock", 1, verdict.Fail, "deadlock"},
		{"TestNeverEnds", 1, verdict.Fail, "the limit of simulated time is reached"},
		{"TestLivelock", 1, verdict.Fail, "the limit of steps is reached"},
		{"TestSpinForEver", 1, verdict.Fail, "loops that wait for nothing"},
		{"TestOutside", 1, verdict.Unknown, "real I/O"},
		{"TestGlobal", 40, verdict.Unknown, "none of 40 in a process of its own"},
		{"TestGlobalAndMore", 40, verdict.Fail, "reproduced twice in fresh processes"},
		{"TestStall", 1, verdict.Fail, "stands still"},
		{"TestNotThere", 1, verdict.Unknown, "no simulation ran"},
	} {
		t.Run(tt.test, func(t *testing.T) {
			res := explored(t, tt.test, tt.seeds)
			var text strings.Builder
			if err := res.Text(&text); err != nil {
				t.Fatal(err)
			}
			if res.Verdict != tt.want || !strings.Contains(text.String(), tt.says) {
				t.Errorf("verdict %v, want %v with %q in\n%s", res.Verdict, tt.want, tt.says, text.String())
			}
		})
	}
}

// A failure is certified, and its decisions alone, made again with another seed's draws gone, fail too.
func TestReplay(t *testing.T) {
	res := explored(t, "TestLostUpdate", 200)
	if len(res.Failures) != 1 || !res.Failures[0].Certified || len(res.Failures[0].Decisions) == 0 {
		t.Fatalf("failures: %+v", res.Failures)
	}
	f := res.Failures[0]
	if p := run(t, f.Seed, f.Decisions); !p.Failed || p.Diverged > 0 {
		t.Errorf("its %d decisions replayed: failed %v, %d not there", len(f.Decisions), p.Failed, p.Diverged)
	}
	if p := run(t, f.Seed, nil); p.Failed {
		t.Error("without any decision it fails, too: a plain run must not")
	}
	last := f.Decisions[len(f.Decisions)-1]
	last.Index += 1 << 40
	last.Key++
	if p := run(t, f.Seed, []sim.Decision{last}); p.Failed {
		t.Error("it fails by a decision that it never comes to")
	}
}

// run replays decisions in TestLostUpdate.
func run(t *testing.T, seed uint64, decisions []sim.Decision) sim.Report {
	t.Helper()
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	file := filepath.Join(bin.work, "decisions")
	if err := os.WriteFile(file, encode(decisions), 0o666); err != nil {
		t.Fatal(err)
	}
	p, err := bin.run(t.Context(), start{name: "r", tests: "^TestLostUpdate$", seed: seed, replay: file, overrides: len(decisions)})
	if err != nil {
		t.Fatal(err)
	}
	r := p.of(subject{"TestLostUpdate", seed, 0})
	if r == nil {
		t.Fatal(p.output)
	}
	return *r
}

// One seed has one trace, whatever else the machine does; two seeds have two. ASSAY_SIM_FULL=1 runs as many as the figures need.
func TestDeterminism(t *testing.T) {
	same, seeds := 6, 12
	if n, err := strconv.Atoi(os.Getenv("ASSAY_SIM_FULL")); err == nil {
		same, seeds = max(200*n, 1), 100
	}
	bin := built(t, "simtest")
	dir := t.TempDir()
	for _, seed := range []uint64{3, 7} {
		traces := map[string][]string{}
		half := make([]map[string][]string, 2)
		var wg sync.WaitGroup
		for i := range half { // two processes at once
			wg.Go(func() {
				half[i] = batch(t, bin, filepath.Join(dir, strconv.Itoa(i)), slices.Repeat([]uint64{seed}, same/2))
			})
		}
		wg.Wait()
		for _, h := range half {
			for test, all := range h {
				traces[test] = append(traces[test], all...)
			}
		}
		for test, all := range traces {
			slices.Sort(all)
			if n := len(slices.Compact(slices.Clone(all))); n != 1 {
				t.Errorf("%s: %d runs of seed %d have %d traces", test, len(all), seed, n)
			}
		}
	}
	var different []uint64
	for i := range seeds {
		different = append(different, uint64(i+1))
	}
	all := batch(t, bin, filepath.Join(dir, "s"), different)
	for _, test := range []string{"TestMix", "TestPtr", "TestHTTPOverPipes", "TestHTTPBetweenHosts", "TestUDP"} {
		traces := all[test]
		slices.Sort(traces)
		if n := len(slices.Compact(slices.Clone(traces))); n != seeds {
			t.Errorf("%s: %d seeds have %d traces", test, seeds, n)
		}
	}
}

// batch runs all of simtest once for each seed, a process each, and returns traces by test.
func batch(t *testing.T, bin *program, work string, seeds []uint64) map[string][]string {
	b := *bin
	b.work = work
	traces := map[string][]string{}
	for _, seed := range seeds {
		p, err := b.run(t.Context(), start{name: "d", seed: seed})
		if err != nil || p.failed {
			t.Errorf("seed %d: %v\n%s", seed, err, p.output)
			return traces
		}
		for _, r := range p.reports {
			traces[r.Test] = append(traces[r.Test], r.Trace)
			if r.Outside != nil {
				t.Errorf("%s, seed %d: %+v", r.Test, seed, r.Outside)
			}
		}
	}
	return traces
}

// How long a process may take is go test's timeout and a minute; seeds that were lost with a process are found.
func TestProcess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		flags []string
		want  time.Duration
	}{
		{nil, 10 * time.Minute},
		{[]string{"-test.short", "-test.timeout=90s"}, 90 * time.Second},
		{[]string{"-test.timeout=0"}, 1 << 62},
	} {
		if got := (&program{flags: tt.flags}).timeout(); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.flags, got, tt.want)
		}
	}
	p := process{reports: []sim.Report{{Test: "A", Seed: 3}, {Test: "A", Seed: 4}}, lost: &sim.Report{Test: "A", Seed: 5}}
	if got := p.last(3); got != 5 {
		t.Errorf("the last seed is %d, want 5", got)
	}
	if n := len(p.all()); n != 3 || len(p.reports) != 2 {
		t.Errorf("%d reports of %d, want 3 of 2", n, len(p.reports))
	}
}

// Simulations are free of data races by the race detector's own count, crashes too. It builds the standard library once more: ASSAY_SIM_FULL=1.
func TestRace(t *testing.T) {
	if os.Getenv("ASSAY_SIM_FULL") == "" {
		t.Skip("ASSAY_SIM_FULL is not set")
	}
	built(t, "simtest") // or it is skipped
	o := options("../../sim/simtest")
	o.Flags, o.Seeds = []string{"-race"}, 50
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != verdict.Pass {
		t.Errorf("%v: %v %+v", res.Verdict, res.Reasons, res.Failures)
	}
}
