// Package simrun runs the simulations in a user's Go tests over many seeds.
//
// Test binaries are built once with the overlay of package overlay, and started with the
// environment variable sim.Env, which says which seed to begin with. A test binary
// appends to a report one line when a simulation begins and one when it ends, so that one which took the
// process with it is known, too.
//
//	build → self-test (one seed twice, in two processes) → workers over seeds → the first failure twice more, in fresh processes
package simrun

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/verdict"
)

// Options say what to run. The zero value runs seeds 1 to 100 of the simulations in the current folder.
type Options struct {
	Packages  []string      // as the go command takes them; . by default
	Dir       string        // where they are named from
	Seed      uint64        // the first, 1 by default
	Seeds     int           // how many of each test, 100 by default
	For       time.Duration // instead of Seeds: how long to go on
	Tests     string        // regular expression: which tests
	Mode      string        // one mode of schedules for all seeds; by default each seed has its own
	Flags     []string      // of go test
	Workers   int           // processes at once; one for each processor by default
	All       bool          // go on after a failure
	NoAtomics bool          // operations of sync/atomic are no places to preempt
	Fresh     bool          // a process for each seed of each test; by default for tests that turn out to need it
	Replay    string        // file of decisions to make, of one test and seed
	NoShrink  bool          // leave a failure's decisions as many as they are
	NoSave    bool          // neither try saved failures first, nor save new ones
	Audit     bool          // run each seed twice, and find where two runs part
	Events    string        // folder for the events of runs that differ
	HTML      string        // file for a picture of the first failure
	Cache     string        // folder for overlays; below the user's cache by default
	Go        string        // go command
	Story     func(format string, args ...any)
	run       int               // of the test's simulations, which is replayed
	Progress  func(line string) // what goes on, for a terminal; empty when it is over
}

// A BuildError is a package that does not build: its author's to mend.
type BuildError struct {
	Package string
	Output  string
}

func (e *BuildError) Error() string {
	what := "does not build"
	if strings.Contains(e.Output, "/link: ") {
		what = "compiles, and cannot be linked"
	}
	return fmt.Sprintf("%s %s:\n%s", e.Package, what, e.Output)
}

func (o *Options) fill() error {
	if len(o.Packages) == 0 {
		o.Packages = []string{"."}
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Seeds == 0 {
		o.Seeds = 100
	}
	if o.Workers == 0 {
		o.Workers = runtime.NumCPU()
	}
	if o.Go == "" {
		o.Go = "go"
	}
	if o.Story == nil {
		o.Story = func(string, ...any) {}
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	o.replaySaved()
	if o.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no folder to keep the overlay of Go's sources in: %w", err)
		}
		o.Cache = filepath.Join(dir, "assay", "sim")
	}
	return nil
}

// Run builds, tests itself, and explores. An error is what kept it from doing so to the end; what it found until then is in the result,
// nil where nothing was built.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	began := time.Now()
	tc, err := overlay.Find(ctx, o.Go, o.Dir, o.Cache)
	if err != nil {
		return nil, err
	}
	over, err := overlay.Make(tc, o.Cache, overlay.Groups()...)
	if err != nil {
		return nil, err
	}
	work, err := workDir()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	b := &builder{o: &o, tc: tc, overlay: over, work: work}
	bins, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	res := &Result{Go: tc.Version, Overlay: over.Digest[:16], Mode: o.Mode, BuildMS: time.Since(began).Milliseconds()}
	if len(bins) == 0 {
		res.Reasons = append(res.Reasons, fmt.Sprintf("no test in %s is a simulation: none imports %s", strings.Join(o.Packages, " "), simPath))
	}
	var broke error
	deadline := time.Now().Add(o.For)
	for i, bin := range bins {
		share := o.For / time.Duration(len(bins))
		x := &explorer{o: &o, bin: bin, res: res, until: deadline.Add(-share * time.Duration(len(bins)-1-i))}
		err := x.explore(ctx)
		if err == nil || ctx.Err() != nil {
			err = errors.Join(err, x.finish(ctx), x.variables(ctx), x.unmet(ctx))
		}
		if ctx.Err() != nil {
			res.Reasons = append(res.Reasons, "interrupted")
			break
		}
		if err != nil {
			res.Reasons = append(res.Reasons, err.Error())
			broke = errors.Join(broke, err)
		}
		if (x.stop || err != nil) && !o.All {
			break
		}
	}
	if broke == nil && ctx.Err() == nil && !slices.ContainsFunc(res.Failures, func(f *Failure) bool { return f.Certified && !o.All }) {
		res.missed()
	}
	res.judge(&o)
	res.WallMS = time.Since(began).Milliseconds()
	return res, errors.Join(ctx.Err(), broke)
}

// workDir makes a folder whose name is as long as any other's: the length of a path in a test
// binary's hands can move addresses in its heap.
func workDir() (string, error) {
	tmp, err := filepath.Abs(os.TempDir()) // test binaries run in the folders of their packages
	if err != nil {
		return "", err
	}
	if strings.Contains(tmp, ";") { // which ends a setting
		return "", &InputError{fmt.Sprintf("TMPDIR: a test binary cannot be told of a folder with a ; in its name: %s", tmp)}
	}
	var b [8]byte
	rand.Read(b[:])
	dir := filepath.Join(tmp, "assay-sim-"+hex.EncodeToString(b[:]))
	return dir, os.Mkdir(dir, 0o700)
}

// searches says whether many seeds are asked for, of which some should come everywhere, however few there is time for: who asks for one seed
// or one order of events looks at that.
func (o *Options) searches() bool { return o.Replay == "" && (o.Seeds > 1 || o.For > 0) }

// judge says what it all comes to.
func (r *Result) judge(o *Options) {
	r.Verdict = verdict.Pass
	f := r.first("")
	stopped := f != nil && f.Certified && !o.All // before seeds had come where they might
	for _, t := range r.Tests {
		for _, doubt := range t.Doubts(o.searches() && !stopped) {
			r.Reasons = append(r.Reasons, t.Name+doubt)
		}
	}
	r.Reasons = append(r.Reasons, r.uncertain()...)
	if len(r.Tests) == 0 && len(r.Reasons) == 0 {
		r.Reasons = append(r.Reasons, "no simulation ran")
	}
	if len(r.Reasons) > 0 {
		r.Verdict = verdict.Unknown
	}
	if f != nil && f.Certified || len(r.Plain) > 0 {
		r.Verdict = verdict.Fail
	}
}

// uncertain says of the first failure of each test that it is not certain, where it is not.
func (r *Result) uncertain() (all []string) {
	told := map[string]bool{}
	for _, f := range r.Failures {
		if name := f.Package + " " + f.Test; !f.Certified && !told[name] {
			told[name] = true
			all = append(all, fmt.Sprintf("%s failed with seed %d, and that is not certain: %s", f.Test, f.Seed, f.Doubt))
		}
	}
	return all
}

// Doubts are what keeps a test from a pass although no seed failed, each as it follows the test's name. Searched says that many seeds
// were to be tried, so that what is sometimes true should have been.
func (t *Test) Doubts(searched bool) (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	switch {
	case t.Outside != nil:
		add(" is not reproducible: %s", t.Outside.Why)
	case t.Differs != "":
		add(" is not reproducible: %s", t.Differs)
	case t.Late != "":
		add(": %s", t.Late)
	case t.Skipped != "":
		add(" was skipped in %d of %s: %s", t.Skips, plural(t.Seeds, "seed"), t.Skipped)
	case t.Carried > 0:
		left := "package variables"
		if names := someNames(t.Vars); names != "" {
			left += " (" + names + ")"
		}
		add(": seed %d failed in a process that had run others before, and none of %d in a process of its own: "+
			"what runs leave in %s is part of it; --fresh judges seeds by themselves alone", t.Carried, t.Seeds, left)
	}
	for _, p := range t.Points {
		if p.Kind == "undecided" {
			add(": %s was not decided in %s, the first: %s", p.Name, plural(p.Hits, "seed"), p.Broken)
		}
		switch missed := p.Kind == "sometimes" && p.True == 0 && searched; {
		case missed && p.Where != "":
			add(": %q (%s) was never reached in %s", p.Name, p.Where, plural(t.Seeds, "seed"))
		case missed:
			add(": %q was never true in %s", p.Name, plural(t.Seeds, "seed"))
		}
	}
	if searched && len(t.Covers) > 0 && !slices.ContainsFunc(t.Points, func(p sim.Point) bool { return p.Kind == "sometimes" }) {
		add(" covers %s: %s, and nothing in it says that it was met (sim.Sometimes or sim.Reachable where it is)", t.Covers[0].Journey, t.Covers[0].Mode)
	}
	return all
}

var errNoReport = errors.New("the test binary reported nothing")
