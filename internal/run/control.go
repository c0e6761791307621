package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// CannotFail says of an expectation that no control could break it.
func CannotFail(expectation string) string {
	return expectation + " cannot fail: it held in every control"
}

// control is one way in which the system was worsened for one experiment.
type control struct {
	x    experiment.Experiment
	name string // "worst", or a defect
}

func (c control) folder() string { return c.x.Name + "@" + c.name }

// controls runs each experiment again on a worse system: with faults at full
// strength that are never healed, and with each defect its file names. An expectation that
// holds every time cannot fail. No expectation is edited.
func (s *Session) controls(ctx context.Context) error {
	for _, x := range s.project.Experiments {
		if err := s.controlled(ctx, control{x, "worst"}); err != nil {
			return err
		}
	}
	for _, defect := range s.defects() {
		if err := s.withDefect(ctx, defect); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) controlled(ctx context.Context, c control) error {
	if err := s.restore(ctx); err != nil {
		return err
	}
	if _, err := s.experiment(ctx, c.x, c.folder(), true); err != nil {
		return fmt.Errorf("control %s: %w", c.folder(), err)
	}
	return nil
}

// defects returns the defects that experiments name, each once, in order of first use.
func (s *Session) defects() []string {
	var names []string
	for _, x := range s.project.Experiments {
		for _, name := range x.ControlDefects {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// withDefect starts the system with the defect and runs the experiments that
// name it at their worst. What is not healed under load is healed before the final steps, which then show what was lost.
func (s *Session) withDefect(ctx context.Context, defect string) error {
	project, err := s.project.WithDefect(defect)
	if err != nil {
		return err
	}
	if err := s.teardown(ctx); err != nil {
		return err
	}
	if err := s.up(ctx, project); err != nil {
		return err
	}
	for _, x := range s.project.Experiments {
		if !slices.Contains(x.ControlDefects, defect) {
			continue
		}
		if err := s.controlled(ctx, control{x, defect}); err != nil {
			return err
		}
	}
	return nil
}

// concludeControls says of each experiment that was run what its controls show, and stores it.
func (s *Session) concludeControls() error {
	for i := range s.report.Results {
		r := &s.report.Results[i]
		at := slices.IndexFunc(s.project.Experiments, func(x experiment.Experiment) bool { return x.Name == r.Name })
		if at < 0 {
			continue
		}
		concludeControl(s.run, s.project.Journeys, s.project.Experiments[at], r)
		if err := s.run.AddJudgement(r.Name, *r); err != nil {
			return err
		}
	}
	return nil
}

// concludeControl lists the expectations of x that held in every control. With one the verdict is no
// pass, and the cells of the journeys it speaks of stay unproven. Controls that did not come to their end show nothing: no pass, either.
func concludeControl(run *evidence.Run, journeys []workload.Journey, x experiment.Experiment, r *evidence.ExperimentResult) {
	controls, err := controlResults(run, x)
	if err != nil {
		problem := "the controls did not run to their end: " + err.Error()
		r.Problems = append(r.Problems, problem)
		noPass(r, problem)
		return
	}
	for _, c := range experiment.CannotFail(*r, controls) {
		expectation := c.Phase + ": " + c.Check
		r.CannotFail = append(r.CannotFail, expectation)
		unprove(r, journeysOf(journeys, c.Check), expectation)
		noPass(r, CannotFail(expectation))
	}
}

// controlResults reads what the controls of x came to. One that is missing or has a problem is an error.
func controlResults(run *evidence.Run, x experiment.Experiment) ([]evidence.ExperimentResult, error) {
	var controls []evidence.ExperimentResult
	for _, name := range append([]string{"worst"}, x.ControlDefects...) {
		folder := control{x, name}.folder()
		result, err := run.Result(folder)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		if len(result.Problems) > 0 {
			return nil, fmt.Errorf("%s: %s", folder, result.Problems[0])
		}
		controls = append(controls, result)
	}
	return controls, nil
}

// unprove takes back what an experiment proved for journeys, nil for all, because an
// expectation that speaks of them proves nothing.
func unprove(r *evidence.ExperimentResult, journeys []string, expectation string) {
	for journey, modes := range r.Modes {
		if len(journeys) > 0 && !slices.Contains(journeys, journey) {
			continue
		}
		for i := range modes {
			modes[i].Proved, modes[i].Text = false, expectation+" cannot fail"
		}
	}
}

func noPass(r *evidence.ExperimentResult, reason string) {
	if r.Verdict == verdict.Pass {
		r.Verdict, r.Reason = verdict.Unknown, reason
	}
}
