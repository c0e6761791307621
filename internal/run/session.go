package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
)

// A Session is one run under way: a started system and an open evidence folder. It is not safe for concurrent use.
type Session struct {
	opts    Options
	project *spec.Project
	run     *evidence.Run
	env     system.Env
	report  Report
	base    system.Snapshot
	used    bool // an experiment ran on the system since it was started or restored
	begin   time.Duration
}

// Start opens an evidence folder, builds and starts the system, and runs its setup. Where
// the session is not nil the caller must Close it, also after an error.
func Start(ctx context.Context, project *spec.Project, opts Options) (*Session, error) {
	s := &Session{opts: opts, project: project, begin: system.Monotonic()}
	s.report = Report{System: project.Name, Seed: project.Seed, Defect: opts.Defect}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	prefer()
	if err := s.up(ctx, project); err != nil {
		return s, err
	}
	s.lap("first load")
	return s, s.subjects()
}

// Env returns the running system.
func (s *Session) Env() system.Env { return s.env }

// Experiment restores the system where it was used, then runs and judges x.
func (s *Session) Experiment(ctx context.Context, x experiment.Experiment) (evidence.ExperimentResult, error) {
	if s.used {
		if err := s.restore(ctx); err != nil {
			return evidence.ExperimentResult{Name: x.Name, Reason: err.Error()}, err
		}
	}
	s.used = true
	result, err := s.experiment(ctx, x, x.Name, false)
	s.report.Results = append(s.report.Results, result)
	return result, err
}

// Close takes the system down and seals the evidence. cause is what ended the run early, nil for nothing.
// The end is stored last and says all that is known by then: a run whose end could not be stored is broken, and no pass.
func (s *Session) Close(ctx context.Context, cause error) (Report, error) {
	down := s.teardown(ctx)
	if ctx.Err() != nil {
		s.report.Interrupted = true
	} else {
		s.report.broke(cause)
	}
	s.report.broke(down)
	timings := s.run.WriteJSON("timings.json", s.report.Timings)
	s.report.broke(timings)
	sealed := s.run.Seal(evidence.End{Ended: time.Now().UTC(), Verdict: s.report.Verdict(), Reason: s.report.Broken,
		Exit: s.report.Exit(), Interrupted: s.report.Interrupted})
	s.report.broke(sealed)
	return s.report, errors.Join(down, timings, sealed)
}

// all runs every experiment, and the controls where they are asked for. Where they did
// not come to their end, that is a conclusion, too.
func (s *Session) all(ctx context.Context) error {
	err := s.each(ctx)
	if !s.opts.Control {
		return err
	}
	if err == nil {
		err = s.controls(ctx)
	}
	return errors.Join(err, s.concludeControls())
}

func (s *Session) each(ctx context.Context) error {
	for _, x := range s.project.Experiments {
		if _, err := s.Experiment(ctx, x); err != nil {
			return fmt.Errorf("experiment %s: %w", x.Name, err)
		}
	}
	return nil
}

// open creates the evidence folder and stores what is known before anything starts.
func (s *Session) open(ctx context.Context) error {
	plan, err := NewPlan(ctx, s.project, s.opts)
	if err != nil {
		return err
	}
	store, err := evidence.OpenStore(s.store())
	if err != nil {
		return err
	}
	s.run, err = store.Create(s.meta())
	if err != nil {
		return err
	}
	s.report.ID, s.report.Dir = s.run.ID(), s.run.Dir()
	if err := s.inputs(plan); err != nil {
		return errors.Join(err, s.run.Close())
	}
	return nil
}

// inputs stores the plan, what is to be proved, and the user's files.
func (s *Session) inputs(plan Plan) error {
	errs := []error{s.run.WriteJSON("plan.json", plan), s.run.WriteJSON("declaration.json", Declare(s.project))}
	for name, content := range s.project.Files {
		errs = append(errs, s.run.WriteFile("files/"+below(name), keepable(name, content)))
	}
	return errors.Join(errs...)
}

// below returns a name below the evidence's folder for a file that the project keeps elsewhere.
func below(name string) string {
	if filepath.IsLocal(name) {
		return filepath.ToSlash(name)
	}
	return "outside/" + strings.TrimLeft(strings.ReplaceAll(filepath.ToSlash(name), "..", "up"), "/")
}

func (s *Session) store() string {
	if s.opts.Store != "" {
		return s.opts.Store
	}
	return ".assay"
}

func (s *Session) say(stage, text string) { s.opts.progress(Progress{Stage: stage, Text: text}) }

func (s *Session) lap(name string) {
	s.report.Timings = append(s.report.Timings, Lap{Name: name, Took: system.Monotonic() - s.begin})
}
