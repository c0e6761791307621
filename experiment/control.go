package experiment

import (
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// CannotFail returns the expectations of a result that held in every control,
// where the system was worse: they would hold whatever happened. Steady before is left out,
// because a control breaks nothing before the fault, and so are guards, which must hold whatever breaks.
func CannotFail(result evidence.ExperimentResult, controls []evidence.ExperimentResult) []evidence.Checked {
	var holding []evidence.Checked
	for _, c := range result.Checks {
		judged := slices.Contains([]string{PartDuring, PartSteadyAfter, PartExpect}, c.Phase)
		if judged && !slices.ContainsFunc(controls, func(r evidence.ExperimentResult) bool { return bit(r, c) }) {
			holding = append(holding, c)
		}
	}
	return holding
}

// bit says whether the same expectation failed in a control. Unknown is no
// failure: a control that could not be measured shows nothing.
func bit(control evidence.ExperimentResult, c evidence.Checked) bool {
	return slices.ContainsFunc(control.Checks, func(other evidence.Checked) bool {
		return other.Phase == c.Phase && other.Check == c.Check && other.Verdict == verdict.Fail
	})
}
