// Package run does one run from files to evidence: load, build, start, seed,
// then each experiment on the restored system, judged, and all of it stored.
// The command line and the Go facade are thin over it.
package run

import (
	"context"
	"errors"

	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
)

// Options decide a run. The zero value runs every experiment of the project once.
type Options struct {
	Store    string   // folder of evidence, default ".assay"
	Seed     *uint64  // overrides the project's
	Defect   string   // run the system with this defect
	Only     []string // experiments, nil for all
	Control  bool     // also worsen the system, and list expectations that cannot fail
	Version  string   // of assay
	Args     []string // the command line, for evidence
	Replay   func(experiment string, seed uint64) string
	Progress func(Progress)
}

// Progress is what a run is at. Text is a line of story, Live replaces the line before.
type Progress struct {
	Stage string // build, start, setup, an experiment's name, teardown
	Text  string
	Live  *experiment.Progress
}

// UsageError is a wrong use of the command, such as an unknown experiment.
type UsageError struct{ Msg string }

// Error returns what is wrong.
func (e *UsageError) Error() string { return e.Msg }

// Prepare loads the project at path and applies the options to it.
func Prepare(path string, opts Options) (*spec.Project, error) {
	project, err := spec.Load(path)
	if err != nil {
		return nil, err
	}
	if opts.Seed != nil {
		project.Seed, project.System.Seed = *opts.Seed, *opts.Seed
	}
	if opts.Defect != "" {
		if project, err = project.WithDefect(opts.Defect); err != nil {
			return nil, err
		}
	}
	return project, pick(project, opts.Only)
}

// Run runs the experiments of a project and stores the evidence. The report is
// valid whatever the error: nil, a mistake in files (spec.Errors, *UsageError),
// the context's, or what broke.
func Run(ctx context.Context, project *spec.Project, opts Options) (Report, error) {
	if len(project.Experiments) == 0 {
		return Report{System: project.Name}, &UsageError{"there is no experiment to run"}
	}
	s, err := Start(ctx, project, opts)
	if s == nil {
		return Report{System: project.Name}, err
	}
	if err == nil {
		err = s.all(ctx)
	}
	report, closed := s.Close(ctx, err)
	return report, errors.Join(err, closed)
}

func (o Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}
