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

// withDefect starts the system with the defect and runs the experiments that name it, as they are.
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
		if err := s.restore(ctx); err != nil {
			return err
		}
		if _, err := s.experiment(ctx, x, control{x, defect}.folder(), false); err != nil {
			return fmt.Errorf("control %s@%s: %w", x.Name, defect, err)
		}
	}
	return nil
}

// concludeControls lists, for each experiment, the expectations that held in
// every control. Its cells stay unproven, and its verdict cannot be a pass.
func (s *Session) concludeControls() error {
	for i := range s.report.Results {
		r := &s.report.Results[i]
		names := []string{control{experiment.Experiment{Name: r.Name}, "worst"}.folder()}
		for _, x := range s.project.Experiments {
			if x.Name == r.Name {
				for _, defect := range x.ControlDefects {
					names = append(names, control{x, defect}.folder())
				}
			}
		}
		if err := s.concludeControl(r, names); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) concludeControl(r *evidence.ExperimentResult, folders []string) error {
	var controls []evidence.ExperimentResult
	for _, folder := range folders {
		result, err := s.run.Result(folder)
		if err != nil {
			return err
		}
		controls = append(controls, result)
	}
	holding := experiment.CannotFail(*r, controls)
	for _, c := range holding {
		r.Problems = append(r.Problems, c.Phase+": "+c.Check+cannotFail)
	}
	if len(holding) > 0 {
		unprove(r, holding[0].Check)
	}
	return s.run.AddJudgement(r.Name, *r)
}

// unprove takes back what an experiment proved, because an expectation of it proves nothing.
func unprove(r *evidence.ExperimentResult, expectation string) {
	for journey, modes := range r.Modes {
		for i := range modes {
			r.Modes[journey][i].Proved = false
			r.Modes[journey][i].Text = expectation + " cannot fail"
		}
	}
	if r.Verdict == verdict.Pass {
		r.Verdict, r.Reason = verdict.Unknown, expectation+cannotFail
	}
}
