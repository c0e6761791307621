package diff

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// A Run is one run as far as it is compared: its numbers, and what is wrong with its records.
type Run struct {
	ID   string
	Meta evidence.Meta
	plan plan
	// broken is what is wrong with the run as a whole, "" for nothing.
	broken string
	// problems are what keeps an experiment from being compared.
	problems map[string]string
	numbers  map[string]map[Key]estimate
}

// Read reads a run and reduces the experiments that only names (nil: all). What is wrong with its
// records is no error: it makes what they hold unknown. The seed decides the resampling.
func Read(r *evidence.Run, only []string, seed uint64) (*Run, error) {
	run, err := open(r)
	if err != nil || run.broken != "" {
		return run, err
	}
	for _, name := range run.plan.names() {
		if len(only) == 0 || slices.Contains(only, name) {
			run.read(r, name, seed)
		}
	}
	return run, nil
}

// open reads what a run says of itself.
func open(r *evidence.Run) (*Run, error) {
	run := &Run{ID: r.ID(), problems: map[string]string{}, numbers: map[string]map[Key]estimate{}}
	sum := r.Summary()
	run.Meta = sum.Meta
	switch {
	case sum.Status != evidence.Complete:
		run.broken = fmt.Sprintf("it is %s: %s", sum.Status, sum.Reason)
	case sum.Meta.Kind != evidence.KindRun:
		run.broken = "it holds results of another tool, and no records"
	case sum.End.Interrupted:
		run.broken = "it was interrupted, so its records are partial"
	default:
		if err := r.Verify(); err != nil {
			run.broken = "it is not whole: " + strings.NewReplacer("\n", "; ", "evidence: run "+run.ID+": ", "").Replace(err.Error())
		}
	}
	var err error
	if run.plan, err = readPlan(r); err != nil && run.broken == "" {
		run.broken = err.Error()
	}
	return run, nil
}

// read reduces one experiment, or says why it cannot be.
func (run *Run) read(r *evidence.Run, name string, seed uint64) {
	result, err := r.Result(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		run.problems[name] = "it was not run"
		return
	case err != nil:
		run.problems[name] = err.Error()
		return
	}
	in, problems := r.Input(name)
	if len(problems) == 0 {
		problems = unfit(result)
	}
	if len(problems) > 0 {
		run.problems[name] = strings.Join(problems, "; ")
		return
	}
	run.numbers[name] = reduce(name, in, seed)
}

// unfit returns why an experiment's figures say nothing about the system, by its judgement: the
// driver was late, records were lost, the tool broke.
func unfit(result evidence.ExperimentResult) []string {
	reasons := result.Problems
	for _, c := range result.Checks {
		if (c.Phase == "driver" || c.Phase == "records") && c.Verdict != verdict.Pass {
			reasons = append(reasons, c.Reason)
		}
	}
	return reasons
}
