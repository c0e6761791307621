// Package run does one run from files to evidence: load, build, start, seed,
// then each experiment on the restored system, judged, and all of it stored.
// The command line and the Go facade are thin over it.
package run

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
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

// A Report is what a run came to.
type Report struct {
	ID      string                      `json:"id"`
	Dir     string                      `json:"dir"`
	System  string                      `json:"system"`
	Seed    uint64                      `json:"seed"`
	Defect  string                      `json:"defect,omitempty"`
	Results []evidence.ExperimentResult `json:"results"`
	// Broken says why the environment or the tool ended the run early; "" if it did not.
	Broken      string `json:"broken,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	Timings     []Lap  `json:"timings"`
}

// Verdict merges the experiments' verdicts.
func (r Report) Verdict() verdict.Verdict {
	var all []verdict.Verdict
	for _, result := range r.Results {
		all = append(all, result.Verdict)
	}
	if r.Broken != "" || r.Interrupted {
		all = append(all, verdict.Unknown)
	}
	return verdict.Merge(all...)
}

// Exit codes of a run, and of every command. Of many, 1 goes over 4 over 3 over 0.
const (
	ExitPass        = 0
	ExitFail        = 1
	ExitUsage       = 2
	ExitUnknown     = 3
	ExitBroken      = 4
	ExitInterrupted = 130
)

// Exit returns the exit code of the run.
func (r Report) Exit() int {
	v := r.Verdict()
	switch {
	case r.Interrupted:
		return ExitInterrupted
	case v == verdict.Fail:
		return ExitFail
	case r.Broken != "":
		return ExitBroken
	case v == verdict.Unknown:
		return ExitUnknown
	}
	return ExitPass
}

// A Lap is how long a part of the run took.
type Lap struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}

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
func (s *Session) Close(ctx context.Context, cause error) (Report, error) {
	err := s.teardown(ctx)
	switch {
	case ctx.Err() != nil:
		s.report.Interrupted = true
	case errors.Join(cause, err) != nil:
		s.report.Broken = errors.Join(cause, err).Error()
	}
	return s.report, errors.Join(err, s.seal())
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
	errs := []error{s.run.WriteJSON("plan.json", plan), s.run.WriteJSON("declaration.json", declaration(s.project))}
	for name, content := range s.project.Files {
		if base := filepath.Base(name); strings.HasPrefix(base, ".env") || strings.HasSuffix(base, ".env") {
			// Such files hold secrets. What they were can be compared, not read.
			content = fmt.Appendf(nil, "sha256:%x\n", sha256.Sum256(content))
		}
		errs = append(errs, s.run.WriteFile("files/"+below(name), content))
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

// all runs every experiment, and the controls where they are asked for.
func (s *Session) all(ctx context.Context) error {
	for _, x := range s.project.Experiments {
		if _, err := s.Experiment(ctx, x); err != nil {
			return fmt.Errorf("experiment %s: %w", x.Name, err)
		}
	}
	if s.opts.Control {
		return s.controls(ctx)
	}
	return nil
}

// up starts project's system as the session's environment.
func (s *Session) up(ctx context.Context, project *spec.Project) error {
	logs, err := s.run.LogDir()
	if err != nil {
		return err
	}
	env, err := hold.Start(ctx, project.System, hold.Options{LogDir: logs, Progress: func(line string) { s.say("start", line) }})
	if err != nil {
		return err
	}
	s.env = env
	s.lap("started")
	s.used = false
	if err := s.setup(ctx); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	return nil
}

func (s *Session) setup(ctx context.Context) error {
	if err := s.setupSteps(ctx); err != nil {
		return err
	}
	if restorer, ok := s.env.(system.Restorer); ok && s.project.Restore == spec.RestoreCopy && len(s.project.Setup) > 0 {
		if err := restorer.Checkpoint(ctx); err != nil {
			return err
		}
	}
	snapshotter, ok := s.env.(system.Snapshotter)
	if !ok {
		return nil
	}
	var err error
	s.base, err = snapshotter.Snapshot(ctx)
	return err
}

func (s *Session) setupSteps(ctx context.Context) error {
	if len(s.project.Setup) == 0 {
		return nil
	}
	s.say("setup", fmt.Sprintf("%d setup steps", len(s.project.Setup)))
	driver, err := workload.New(experiment.ClientOptions(s.env, s.project.Seed))
	if err != nil {
		return err
	}
	return errors.Join(driver.RunSteps(ctx, "setup", s.project.Setup), driver.Close())
}

// restore brings the system back to its state after the setup, and verifies that it is.
func (s *Session) restore(ctx context.Context) error {
	restorer, ok := s.env.(system.Restorer)
	if !ok {
		return &system.UnsupportedError{Target: "the environment", Power: "Restorer"}
	}
	s.say("restore", "restoring the system")
	if err := restorer.Restore(ctx); err != nil {
		return fmt.Errorf("restore between experiments: %w", err)
	}
	if s.project.Restore == spec.RestoreRerun {
		if err := s.setupSteps(ctx); err != nil {
			return fmt.Errorf("setup after the restore: %w", err)
		}
	}
	now, err := s.env.(system.Snapshotter).Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("verify the restored system: %w", err)
	}
	if diff := s.base.Diff(now); len(diff) > 0 {
		return fmt.Errorf("the restored system differs from the fresh one: %v", diff)
	}
	return nil
}

// teardown closes the environment with a deadline of its own.
func (s *Session) teardown(ctx context.Context) error {
	if s.env == nil {
		return nil
	}
	s.say("teardown", "stopping the system")
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	begin := system.Monotonic()
	err := s.env.Close(cleanup)
	s.env = nil
	s.report.Timings = append(s.report.Timings, Lap{Name: "teardown", Took: system.Monotonic() - begin})
	return err
}

// experiment runs one experiment into x/FOLDER of the evidence, and judges it
// from there. The result is valid whatever the error, which says that something of ours broke or the run was interrupted.
func (s *Session) experiment(ctx context.Context, x experiment.Experiment, folder string, control bool) (evidence.ExperimentResult, error) {
	failed := evidence.ExperimentResult{Name: x.Name, Title: x.Title, Owner: x.Owner}
	dir, err := s.run.Experiment(folder)
	if err != nil {
		failed.Reason = err.Error()
		return failed, err
	}
	s.say(folder, x.Title)
	ran := experiment.Run(ctx, s.env, x, experiment.Options{Seed: s.project.Seed, Dir: dir, Journeys: s.project.Journeys,
		Final: s.project.Final, Control: control,
		Progress: func(p experiment.Progress) { s.opts.progress(Progress{Stage: folder, Text: p.Text, Live: &p}) }})
	if errors.Is(ran, experiment.ErrStopped) {
		ran = nil
	}
	result, err := s.judge(ctx, x, folder, ran)
	return result, errors.Join(ran, err)
}

// judge reads the records back from disk, so that what is stored is what was judged.
func (s *Session) judge(ctx context.Context, x experiment.Experiment, folder string, ran error) (evidence.ExperimentResult, error) {
	in, problems := s.run.Input(folder)
	in.Service = s.project.System.ServiceOf
	if ran != nil {
		problems = append(problems, ran.Error())
	}
	result := experiment.Judge(context.WithoutCancel(ctx), x, in, problems)
	if s.opts.Replay != nil {
		result.Replay = s.opts.Replay(x.Name, s.project.Seed)
	}
	result.Version = s.opts.Version
	return result, s.run.AddJudgement(folder, result)
}

func (s *Session) seal() error {
	err := s.run.WriteJSON("timings.json", s.report.Timings)
	end := evidence.End{Verdict: s.report.Verdict(), Reason: s.report.Broken, Exit: s.report.Exit(), Interrupted: s.report.Interrupted}
	return errors.Join(err, s.run.Seal(end))
}

func (s *Session) say(stage, text string) { s.opts.progress(Progress{Stage: stage, Text: text}) }

func (s *Session) lap(name string) {
	s.report.Timings = append(s.report.Timings, Lap{Name: name, Took: system.Monotonic() - s.begin})
}

func (o Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}
