package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/verdict"
)

// Rejudge judges a stored run's records again and adds the judgements to it.
// Experiments that controls ran are left as they are. A run that is not whole, or that
// broke, does not become a pass by being judged again.
func Rejudge(ctx context.Context, r *evidence.Run, version string) ([]evidence.ExperimentResult, error) {
	if r.Summary().Status == evidence.Running {
		return nil, &UsageError{fmt.Sprintf("run %s is still being written: it can be judged when it ended", r.ID())}
	}
	torn := r.Verify()
	plan, err := ReadPlan(r)
	if err != nil {
		return unplanned(r, torn, err)
	}
	var results []evidence.ExperimentResult
	for _, x := range plan.Experiments {
		result, err := rejudge(ctx, r, plan, x.Experiment, torn)
		if err != nil {
			return nil, err
		}
		if torn != nil && !errors.Is(torn, fs.ErrNotExist) {
			// Who changed the records can have made a failure as well as a pass.
			result.Verdict, result.Reason = verdict.Unknown, "the run is not whole: "+torn.Error()
		}
		result.Version = version
		if wasRun(r, x.Name) {
			if err := r.AddJudgement(x.Name, result); err != nil {
				return nil, fmt.Errorf("store the judgement of %s: %w", x.Name, err)
			}
		}
		results = append(results, result)
	}
	return results, nil
}

// unplanned returns the results where the plan cannot be read. If it is not as it was sealed, that is what is wrong: each
// experiment that left records is unknown, and gets no judgement, as nobody knows what was asked of it.
func unplanned(r *evidence.Run, torn, unread error) ([]evidence.ExperimentResult, error) {
	names, err := r.Experiments()
	if torn == nil || err != nil || len(names) == 0 {
		return nil, unread
	}
	var results []evidence.ExperimentResult
	for _, name := range names {
		results = append(results, evidence.ExperimentResult{Name: name, Verdict: verdict.Unknown,
			Reason: "the run is not whole: " + torn.Error(), Problems: []string{unread.Error()}})
	}
	return results, nil
}

// Derive judges experiments of a sealed run once more from its records, and stores nothing. What the plan does not have is not in the result.
func Derive(ctx context.Context, r *evidence.Run, names []string) (map[string]evidence.ExperimentResult, error) {
	plan, err := ReadPlan(r)
	if err == nil {
		err = plan.isOf(r)
	}
	if err == nil {
		err = r.Verify()
	}
	if err != nil {
		return nil, err
	}
	results := map[string]evidence.ExperimentResult{}
	for _, x := range plan.Experiments {
		if slices.Contains(names, x.Name) {
			if results[x.Name], err = rejudge(ctx, r, plan, x.Experiment, nil); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// rejudge judges one experiment. torn is what is wrong with the run as a whole.
func rejudge(ctx context.Context, r *evidence.Run, plan Plan, x experiment.Experiment, torn error) (evidence.ExperimentResult, error) {
	if !wasRun(r, x.Name) {
		return NotRun(x), nil
	}
	earlier, err := r.Judgements(x.Name)
	problems := own(earlier, err)
	in, unread := r.Input(x.Name)
	in.Service, in.Zones = plan.System.ServiceOf, plan.System.Zones()
	if torn != nil {
		unread = append(unread, strings.Split(torn.Error(), "\n")...)
	}
	for _, problem := range unread {
		if !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	result := experiment.Judge(context.WithoutCancel(ctx), x, in, problems)
	result.Definition = plan.definition(x)
	if len(earlier) > 0 {
		result.Replay = earlier[len(earlier)-1].Replay
	}
	if plan.Control {
		concludeControl(r, plan.Journeys, x, &result)
	}
	return result, ctx.Err()
}

// own returns the problems that the run itself had with an experiment, from its first judgement: records
// do not tell that a heal failed, or that not all could be written.
func own(earlier []evidence.ExperimentResult, err error) []string {
	var problems []string
	if len(earlier) > 0 {
		problems = slices.Clone(earlier[0].Problems)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		problems = append(problems, "the run left no judgement of its own")
	case err != nil:
		problems = append(problems, err.Error())
	}
	return problems
}

// NotRun is the result of an experiment that was planned and left no records.
func NotRun(x experiment.Experiment) evidence.ExperimentResult {
	return evidence.ExperimentResult{Name: x.Name, Title: x.Title, Owner: x.Owner, Reason: "it was not run"}
}

func wasRun(r *evidence.Run, name string) bool {
	info, err := os.Stat(filepath.Join(r.Dir(), "x", name))
	return err == nil && info.IsDir()
}

// ReadPlan reads the plan of a stored run.
func ReadPlan(r *evidence.Run) (Plan, error) {
	var plan Plan
	text, err := os.ReadFile(filepath.Join(r.Dir(), "plan.json"))
	if err != nil {
		return plan, err
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return plan, fmt.Errorf("plan.json of run %s: %w", r.ID(), err)
	}
	return plan, nil
}

// isOf says whether the plan is what the run says of itself.
func (p Plan) isOf(r *evidence.Run) error {
	meta, err := r.Meta()
	if err != nil {
		return err
	}
	if p.Defect != meta.Defect || p.Control != meta.Control || p.Seed != meta.Seed {
		return fmt.Errorf("plan.json of run %s is of another run: defect %q, seed %d; the run's own are %q and %d", r.ID(), p.Defect, p.Seed, meta.Defect, meta.Seed)
	}
	return nil
}
