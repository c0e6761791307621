package run

import (
	"context"
	"errors"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
)

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
	if onlyStopped(ran) {
		ran = nil
	}
	result, err := s.judge(ctx, x, folder, ran)
	return result, errors.Join(ran, err)
}

// onlyStopped says whether err is that the experiment was stopped, and nothing beside it:
// records that could not be written are no less lost because a stop condition held.
func onlyStopped(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range joined.Unwrap() {
			if !onlyStopped(part) {
				return false
			}
		}
		return true
	}
	return errors.Is(err, experiment.ErrStopped)
}

// judge reads the records back from disk, so that what is stored is what was judged.
func (s *Session) judge(ctx context.Context, x experiment.Experiment, folder string, ran error) (evidence.ExperimentResult, error) {
	in, problems := s.run.Input(folder)
	in.Service, in.Zones = s.project.System.ServiceOf, s.project.System.Zones()
	if ran != nil {
		problems = append(problems, ran.Error())
	}
	result := experiment.Judge(context.WithoutCancel(ctx), x, in, problems)
	if s.opts.Replay != nil {
		result.Replay = s.opts.Replay(x.Name, s.project.Seed)
	}
	result.Version, result.Definition = s.opts.Version, Definition(s.project, x)
	return result, s.run.AddJudgement(folder, result)
}
