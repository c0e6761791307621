package simrun

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// A failure is what let the test fail, not what was logged before; and smaller it is still that one.
func TestFailedAt(t *testing.T) {
	for _, line := range []string{`t.Error("two updates are lost")`, `t.Error("one update is lost")`} {
		want := lineIn(t, "testdata/bugs/audit_test.go", line)
		want = want[strings.LastIndexByte(want, '/')+1:]
		x := &explorer{bin: new(program), res: &Result{}}
		*x.bin = *built(t, "bugs")
		x.bin.work, x.bin.dir = t.TempDir(), t.TempDir()
		o := options()
		x.o = &o
		o.Tests, o.Seeds = "^TestLogsFirst$", 1
		for o.Seed = 1; len(x.res.Failures) == 0 || !strings.HasSuffix(x.res.Failures[0].FailedAt, want); o.Seed++ {
			if o.Seed == 400 {
				t.Fatalf("no seed fails at %s", want)
			}
			x.res, x.tests, x.stop = &Result{}, nil, false
			if err := x.explore(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := x.res.Failures[0]
		message := line[strings.IndexByte(line, '"')+1 : strings.LastIndexByte(line, '"')]
		if f.Failure != f.FailedAt || !strings.Contains(x.res.headline(), message) {
			t.Errorf("seed %d failed at %s, and less of it at %s: %s", f.Seed, f.FailedAt, f.Failure, x.res.headline())
		}
	}
}

// Any number of workers have folders of their own.
func TestManyWorkers(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	o := options()
	o.Tests, o.Seeds, o.Workers = "^TestFine$", 300, 64
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res.judge(&o); res.Verdict != verdict.Pass || len(res.Tests) != 1 || res.Tests[0].Seeds != 300 {
		t.Errorf("%v: %+v", res.Verdict, res.Tests)
	}
}

// How many processors there are is not the machine's.
func TestMachine(t *testing.T) {
	if res := explored(t, "TestMachine", 3); res.Verdict != verdict.Pass {
		t.Errorf("%v: %s", res.Verdict, res.headline())
	}
}

// A part of a test that was asked for is all that runs, with each seed.
func TestParts(t *testing.T) {
	bin := *built(t, "bugs")
	bin.work = t.TempDir()
	o := options()
	o.Tests, o.Seeds, o.All = "^TestParts$/^one$", 6, true
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if res.judge(&o); res.Verdict != verdict.Pass || len(res.Tests) != 1 || res.Tests[0].Seeds != 6 {
		t.Errorf("%v: %+v", res.Verdict, res.Tests)
	}
}

// What a failure says is cut for a terminal, and whole for programs.
func TestLongOutput(t *testing.T) {
	f := &Failure{Test: "T", Output: tail(strings.Repeat("a line\n", 500))}
	var b strings.Builder
	f.text(&b)
	if n := strings.Count(f.Output, "a line"); n != 500 {
		t.Errorf("%d lines are kept", n)
	}
	if n := strings.Count(b.String(), "a line"); n != 100 || !strings.Contains(b.String(), "and 400 lines more (--json)") {
		t.Errorf("%d lines are shown in\n%s", n, b.String())
	}
	if long := tail(strings.Repeat("a line\n", mostOutput)); len(long) > mostOutput+100 || !strings.Contains(long, "left out") {
		t.Errorf("%d bytes are kept", len(long))
	}
}

// The command that replays a failure has all that decides about it.
func TestReplayCommand(t *testing.T) {
	o := options()
	o.NoAtomics, o.Mode, o.Flags = true, "pos", []string{"-race", "-ldflags=-X a.b=c d"}
	x := &explorer{o: &o}
	got := x.replayCommand(&Failure{Package: "example.com/p", Test: "TestA/one two", Seed: 7})
	if want := `assay sim --seed 7 --seeds 1 --mode pos --no-atomics --run '^TestA$/^one two$' example.com/p -- -race '-ldflags=-X a.b=c d'`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	s := &saved{NoAtomics: true}
	if got := s.changed(candidate{}, "", &Options{}); got != "it was found on , this is "+platform() {
		t.Errorf("got %s", got)
	}
	s.Platform = platform()
	if got := s.changed(candidate{}, "", &Options{}); got != "it was found with --no-atomics" {
		t.Errorf("got %s", got)
	}
}

// Tests that come to package sim by a package for tests are found, too.
func TestByHelpers(t *testing.T) {
	o := options("./testdata/helped", "../overlay")
	pkgs, err := (&builder{o: &o, tc: toolchain(t)}).list(t.Context(), nil)
	if err != nil || len(pkgs) != 1 || !strings.HasSuffix(pkgs[0].ImportPath, "/testdata/helped") {
		t.Errorf("got %+v, %v", pkgs, err)
	}
}

// What a simulation had is given back: ten times as many take no more memory, but for what is not collected yet.
func TestMemory(t *testing.T) {
	bin := *built(t, "simtest")
	bin.work = t.TempDir()
	var rss [2]int64
	for i, seeds := range []int{100, 1000} {
		p, err := bin.run(t.Context(), start{name: "m", tests: "^(TestMix|TestHTTPBetweenHosts)$", seed: 1, step: 1, count: seeds})
		if err != nil || p.failed || len(p.reports) != 2*seeds {
			t.Fatalf("%v, %d reports\n%s", err, len(p.reports), p.output)
		}
		rss[i] = p.rss
	}
	t.Logf("%d KiB, and %d KiB", rss[0], rss[1])
	if rss[1] > 2*rss[0]+32<<10 {
		t.Errorf("100 seeds take %d KiB, and 1000 %d", rss[0], rss[1])
	}
}
