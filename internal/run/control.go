package run

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/verdict"
)

// cannotFail ends the sentence on an expectation that no control could break.
const cannotFail = " cannot fail: it held in every control"

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
	return s.concludeControls()
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

// concludeControls lists, for each experiment, the expectations that held in
// every control. The cells of their journeys stay unproven, and where the experiment has such cells its verdict is no pass.
func (s *Session) concludeControls() error {
	for i := range s.report.Results {
		r := &s.report.Results[i]
		for _, x := range s.project.Experiments {
			if x.Name == r.Name {
				if err := s.concludeControl(r, x); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Session) concludeControl(r *evidence.ExperimentResult, x experiment.Experiment) error {
	var controls []evidence.ExperimentResult
	for _, name := range append([]string{"worst"}, x.ControlDefects...) {
		result, err := s.run.Result(control{x, name}.folder())
		if err != nil {
			return err
		}
		controls = append(controls, result)
	}
	for _, c := range experiment.CannotFail(*r, controls) {
		r.Problems = append(r.Problems, c.Phase+": "+c.Check+cannotFail)
		unprove(r, journeyOf(s.project, x, c.Check), c.Check)
	}
	return s.run.AddJudgement(r.Name, *r)
}

// unprove takes back what an experiment proved for a journey, because an
// expectation of that journey proves nothing.
func unprove(r *evidence.ExperimentResult, journey, expectation string) {
	for i := range r.Modes[journey] {
		r.Modes[journey][i].Proved = false
		r.Modes[journey][i].Text = expectation + " cannot fail"
	}
	if r.Verdict == verdict.Pass && len(r.Modes[journey]) > 0 {
		r.Verdict, r.Reason = verdict.Unknown, expectation+cannotFail
	}
}
