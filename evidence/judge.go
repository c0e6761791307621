package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Judgements returns all that was concluded from an experiment's records,
// oldest first: result.json, then judged-1.json and on.
func (r *Run) Judgements(experiment string) ([]ExperimentResult, error) {
	numbers, err := r.judged(experiment)
	if err != nil {
		return nil, err
	}
	names := []string{"result.json"}
	for _, n := range numbers {
		names = append(names, judgementName(n))
	}
	var results []ExperimentResult
	for _, name := range names {
		result, err := readJSON[ExperimentResult](r, "x/"+experiment+"/"+name)
		if name == "result.json" && errors.Is(err, fs.ErrNotExist) && len(numbers) > 0 {
			continue // the run was cut short before it judged itself, and was judged later
		}
		if err != nil {
			return results, err
		}
		results = append(results, result)
	}
	return results, nil
}

// Result returns the newest judgement of an experiment. Where there is none
// the error wraps fs.ErrNotExist. A judgement that cannot be read is an error:
// an older one does not stand in for it.
func (r *Run) Result(experiment string) (ExperimentResult, error) {
	results, err := r.Judgements(experiment)
	if err != nil {
		return ExperimentResult{}, err
	}
	return results[len(results)-1], nil
}

// AddJudgement stores a newer judgement next to those before, also in a sealed run.
func (r *Run) AddJudgement(experiment string, result ExperimentResult) error {
	numbers, err := r.judged(experiment)
	if err != nil {
		return err
	}
	next := 1
	if len(numbers) > 0 {
		next = numbers[len(numbers)-1] + 1
	}
	for ; ; next++ {
		name := "x/" + experiment + "/" + judgementName(next)
		text, err := indented(result)
		if err == nil {
			err = r.writeNew(name, strings.NewReader(text))
		}
		if errors.Is(err, fs.ErrExist) {
			continue // another process judged at the same moment
		}
		if err != nil {
			return fmt.Errorf("evidence: run %s: add judgement of %s: %w", r.ID(), experiment, err)
		}
		return nil
	}
}

// judged returns the numbers of the judgements that were added, ascending.
func (r *Run) judged(experiment string) ([]int, error) {
	if err := checkName(experiment); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(r.path("x/" + experiment))
	if err != nil {
		return nil, fmt.Errorf("evidence: run %s: %w", r.ID(), err)
	}
	var numbers []int
	for _, entry := range entries {
		if n := judgementNumber(entry.Name()); n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

func judgementName(n int) string { return fmt.Sprintf("judged-%d.json", n) }

// judgementNumber returns N of judged-N.json, and 0 for any other name.
func judgementNumber(name string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "judged-"), ".json"))
	if err != nil || n < 1 || name != judgementName(n) {
		return 0
	}
	return n
}
