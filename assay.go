// Package assay runs a system, breaks it and judges it from a Go test.
//
//	func TestMain(m *testing.M) { assay.Main(m) }
//
//	func TestShop(t *testing.T) {
//		shop := assay.Start(t, "../shop", assay.Options{})
//		shop.Experiment("payments-slow") // fails t unless the verdict is pass
//	}
//
// The holder, the process that owns what is started, is the test binary
// itself, started again: that is why TestMain must call [Main].
package assay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// Main runs the tests of a package that starts systems. TestMain calls it and nothing else.
func Main(m *testing.M) {
	hold.Main()
	os.Exit(m.Run())
}

// Options decide a run. The zero value runs the project as it is, with evidence in ".assay".
type Options struct {
	Seed     uint64                  // 0: the project's
	Store    string                  // folder of the evidence, default ".assay"
	Defect   string                  // run the system with this defect of assay.yaml
	Only     []string                // experiments that Run runs, nil for all
	Journeys []workload.Journey      // added to the project's, or replacing those of the same name: Go functions, for example
	Added    []experiment.Experiment // added to the project's
}

// A Report is what a run came to.
type Report struct {
	ID      string // of the run in the store
	Dir     string // its evidence
	Verdict verdict.Verdict
	Results []evidence.ExperimentResult
}

// Run runs a project's experiments and returns what they came to. It is the run of
// "assay run", without a test. The error says what is wrong with the files, or what broke;
// a system that failed is no error.
func Run(ctx context.Context, path string, opts Options) (Report, error) {
	project, runOpts, err := opts.prepare(path)
	if err != nil {
		return Report{}, err
	}
	r, err := run.Run(ctx, project, runOpts)
	return Report{ID: r.ID, Dir: r.Dir, Verdict: r.Verdict(), Results: r.Results}, err
}

func (o Options) prepare(path string) (*spec.Project, run.Options, error) {
	opts := run.Options{Store: o.Store, Defect: o.Defect, Only: o.Only, Version: "library"}
	if o.Seed != 0 {
		opts.Seed = &o.Seed
	}
	opts.Replay = func(name string, seed uint64) string { return o.replay(path, name, seed) }
	project, err := run.Prepare(path, opts)
	if err != nil {
		return nil, opts, err
	}
	for _, j := range o.Journeys {
		project.Journeys = slices.DeleteFunc(project.Journeys, func(old workload.Journey) bool { return old.Name == j.Name })
		project.Journeys = append(project.Journeys, j)
	}
	project.Experiments = append(project.Experiments, o.Added...)
	project.Declared = project.Experiments
	return project, opts, nil
}

// replay returns the command line that runs an experiment again.
func (o Options) replay(path, name string, seed uint64) string {
	words := []string{"assay", "run", path, "--experiment", name, "--seed", fmt.Sprint(seed)}
	if o.Defect != "" {
		words = append(words, "--defect", o.Defect)
	}
	if o.Store != "" {
		words = append(words, "--store", o.Store)
	}
	return run.Command(words...)
}

// A System is a project's system, running for a test.
type System struct {
	tb      testing.TB
	ctx     context.Context
	project *spec.Project
	session *run.Session
	err     error // what ended the run early
}

// Start starts the system of the project at path, runs its setup, and takes it down when tb ends. It ends tb where that fails.
func Start(tb testing.TB, path string, opts Options) *System {
	tb.Helper()
	project, runOpts, err := opts.prepare(path)
	if err != nil {
		tb.Fatalf("assay: %v", err)
	}
	runOpts.Progress = func(p run.Progress) {
		if p.Text != "" {
			tb.Logf("%s: %s", p.Stage, p.Text)
		}
	}
	s := &System{tb: tb, project: project, ctx: context.WithoutCancel(tb.Context())}
	s.session, s.err = run.Start(tb.Context(), project, runOpts)
	if s.session != nil {
		tb.Cleanup(s.close)
	}
	if s.err != nil {
		tb.Fatalf("assay: %v", s.err)
	}
	return s
}

func (s *System) close() {
	if _, err := s.session.Close(s.ctx, s.err); err != nil {
		s.tb.Errorf("assay: %v", err)
	}
}

// Env returns the running system, for faults and questions of the test's own.
func (s *System) Env() system.Env { return s.session.Env() }

// Experiment runs the experiment of that name on the system, restored where it was used before, and fails the test unless it passes.
func (s *System) Experiment(name string) evidence.ExperimentResult {
	s.tb.Helper()
	result := s.Try(name)
	if result.Verdict != verdict.Pass {
		s.tb.Errorf("assay: %s: %s: %s\nreplay: %s", name, strings.ToUpper(result.Verdict.String()), result.Reason, result.Replay)
	}
	return result
}

// Try is Experiment for a test that decides by itself what the verdict means.
func (s *System) Try(name string) evidence.ExperimentResult {
	s.tb.Helper()
	i := slices.IndexFunc(s.project.Experiments, func(x experiment.Experiment) bool { return x.Name == name })
	if i < 0 {
		s.tb.Fatalf("assay: no experiment is called %q", name)
	}
	result, err := s.session.Experiment(s.tb.Context(), s.project.Experiments[i])
	if err != nil {
		s.err = errors.Join(s.err, err)
		s.tb.Fatalf("assay: experiment %s: %v", name, err)
	}
	return result
}
