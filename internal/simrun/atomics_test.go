package simrun

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/verdict"
)

// search runs one test of simtest in one mode.
func search(t *testing.T, test, mode string, seeds int) *Result {
	t.Helper()
	bin := *built(t, "simtest")
	bin.work = t.TempDir()
	o := options()
	o.Tests, o.Seeds, o.Workers, o.Mode, o.NoSave, o.NoShrink = "^"+test+"$", seeds, 2, mode, true, true
	res := &Result{}
	x := &explorer{o: &o, bin: &bin, res: res}
	if err := x.explore(t.Context()); err != nil {
		t.Fatal(err)
	}
	res.judge(&o)
	return res
}

// No mode starves who is spun for, not even that without a decision.
func TestSpins(t *testing.T) {
	for _, mode := range []string{"fifo", "uniform/1", "uniform/16", "pct/3/64", "pos", "replay"} {
		if res := search(t, "TestSpins", mode, 10); res.Verdict != verdict.Pass {
			t.Errorf("%s: %v: %v %+v", mode, res.Verdict, res.Reasons, res.Failures)
		}
	}
}

func TestAtomics(t *testing.T) {
	if res := search(t, "TestAtomics", "", 300); res.Verdict != verdict.Pass {
		t.Errorf("%v: %v", res.Verdict, res.Reasons)
	}
}

func TestWithAtomics(t *testing.T) {
	t.Parallel()
	tc := overlay.Toolchain{Root: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(tc.Root, "src", "os"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ flags, want string }{
		{"-race", "-gcflags=all=-d=ssa/intrinsics/off -gcflags=os/...= -race"},
		{"-gcflags=-N", "-gcflags=all=-d=ssa/intrinsics/off -gcflags=os/...= -gcflags=-N -d=ssa/intrinsics/off"},
		{"-gcflags ./x=-l", "-gcflags=all=-d=ssa/intrinsics/off -gcflags=os/...= -gcflags=./x=-l -d=ssa/intrinsics/off"},
		{"--gcflags=all=-N", "-gcflags=all=-d=ssa/intrinsics/off -gcflags=os/...= -gcflags=all=-d=ssa/intrinsics/off -N -gcflags=os/...=-N"},
	} {
		got, err := withAtomics(tc, strings.Fields(tt.flags))
		if s := strings.Join(got, " "); s != tt.want || err != nil {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tt.flags, err, s, tt.want)
		}
	}
}
