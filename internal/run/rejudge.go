package run

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
)

// Rejudge judges a stored run's records again and adds the judgements to it.
// Experiments that controls ran are left as they are.
func Rejudge(ctx context.Context, r *evidence.Run, version string) ([]evidence.ExperimentResult, error) {
	plan, err := ReadPlan(r)
	if err != nil {
		return nil, err
	}
	var results []evidence.ExperimentResult
	for _, x := range plan.Experiments {
		in, problems := r.Input(x.Name)
		in.Service = plan.System.ServiceOf
		result := experiment.Judge(ctx, x.Experiment, in, problems)
		result.Version = version
		if old, err := r.Result(x.Name); err == nil {
			result.Replay = old.Replay
			keepControl(&result, old)
		}
		if err := r.AddJudgement(x.Name, result); err != nil {
			return nil, fmt.Errorf("store the judgement of %s: %w", x.Name, err)
		}
		results = append(results, result)
	}
	return results, nil
}

// keepControl carries over what the control run found: records of one experiment
// do not tell that an expectation held under every control.
func keepControl(result *evidence.ExperimentResult, old evidence.ExperimentResult) {
	unproven := map[string]string{}
	for journey, modes := range old.Modes {
		for _, m := range modes {
			if expectation, ok := strings.CutSuffix(m.Text, " cannot fail"); ok {
				unproven[journey] = expectation
			}
		}
	}
	for _, problem := range old.Problems {
		if strings.HasSuffix(problem, cannotFail) {
			result.Problems = append(result.Problems, problem)
		}
	}
	for journey, expectation := range unproven {
		unprove(result, journey, expectation)
	}
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
