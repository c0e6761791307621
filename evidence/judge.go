package evidence

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recordFiles are the files of an experiment that are judged.
func recordFiles() []string {
	return []string{"env.jsonl", "events.jsonl", "exchanges.jsonl", "ops.jsonl", "series.jsonl"}
}

// Judgements returns all that was concluded from an experiment's records,
// oldest first. Their order is that of the moments at which they were made, and not of
// their numbers, so that it is the same wherever they were brought together.
func (r *Run) Judgements(experiment string) ([]ExperimentResult, error) {
	numbers, err := r.judged(experiment)
	if err != nil {
		return nil, err
	}
	return r.judgements(experiment, numbers, func(name string) ([]byte, error) { return os.ReadFile(r.path(name)) })
}

// judgements reads those with the given numbers.
func (r *Run) judgements(experiment string, numbers []int, read func(name string) ([]byte, error)) ([]ExperimentResult, error) {
	if len(numbers) == 0 {
		return nil, fmt.Errorf("evidence: run %s: %s has no judgement: %w", r.ID(), experiment, fs.ErrNotExist)
	}
	var results []ExperimentResult
	for _, n := range numbers {
		name := "x/" + experiment + "/" + judgementName(n)
		text, err := read(name)
		if err != nil {
			return results, fmt.Errorf("evidence: run %s: %w", r.ID(), err)
		}
		result, err := readJudgement(text, r.ID())
		if err != nil {
			return results, fmt.Errorf("evidence: run %s: %s cannot be read: %w", r.ID(), name, err)
		}
		if slices.ContainsFunc(results, func(other ExperimentResult) bool { return other.Sum == result.Sum }) {
			return results, fmt.Errorf("evidence: run %s: %s has a judgement twice, %s", r.ID(), experiment, judgementName(n))
		}
		results = append(results, result)
	}
	slices.SortStableFunc(results, func(a, b ExperimentResult) int {
		return cmp.Or(a.Judged.Compare(b.Judged), cmp.Compare(a.Sum, b.Sum))
	})
	return results, nil
}

func readJudgement(text []byte, run string) (ExperimentResult, error) {
	var result ExperimentResult
	if err := json.Unmarshal(text, &result); err != nil {
		return ExperimentResult{}, err
	}
	if sum := sumOf(text, result.Sum); result.Sum != sum {
		return ExperimentResult{}, fmt.Errorf("it was changed: its sum is %q, and its content has %s", result.Sum, sum)
	}
	if result.Run != run {
		return ExperimentResult{}, fmt.Errorf("it is of run %q", result.Run)
	}
	return result, nil
}

// sumOf returns the digest of a judgement without its own sum in it.
func sumOf(text []byte, sum string) string {
	bare := bytes.Replace(text, []byte(`"sum": "`+sum+`"`), []byte(`"sum": ""`), 1)
	digest := sha256.Sum256(bare)
	return "sha256:" + hex.EncodeToString(digest[:])
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

// AddJudgement stores a newer judgement next to those before, also in a sealed
// run. It notes when that was unless the result says so, and which records it belongs to. Where the records are no
// longer those that Input of this Run read, as after a merge that replaced the run, it stores nothing and returns an error.
func (r *Run) AddJudgement(experiment string, result ExperimentResult) error {
	numbers, err := r.judged(experiment)
	if err != nil {
		return err
	}
	before := r.seen.of(experiment, r.standing(experiment))
	text, err := r.sign(experiment, result)
	if err == nil {
		err = r.unmoved(experiment, before)
	}
	if err != nil {
		return fmt.Errorf("evidence: run %s: add judgement of %s: %w", r.ID(), experiment, err)
	}
	next := 1
	if len(numbers) > 0 {
		next = numbers[len(numbers)-1] + 1
	}
	for ; ; next++ {
		name := "x/" + experiment + "/" + judgementName(next)
		err := r.writeNew(name, strings.NewReader(text))
		if errors.Is(err, fs.ErrExist) {
			continue // another process judged at the same moment
		}
		if err == nil {
			err = r.takeBack(experiment, name, text, before)
		}
		if err != nil {
			return fmt.Errorf("evidence: run %s: add judgement of %s: %w", r.ID(), experiment, err)
		}
		return nil
	}
}

// takeBack removes a judgement that was written just now, where the records were replaced at that moment and are others.
func (r *Run) takeBack(experiment, name, text string, before []fs.FileInfo) error {
	moved := r.unmoved(experiment, before)
	if moved == nil {
		return nil
	}
	found, err := contentOf(r.dir, nil)
	if err != nil {
		return errors.Join(moved, err)
	}
	written, err := os.ReadFile(r.path(name))
	if err != nil || string(written) != text {
		return moved // it is in the copy that gave way, or somebody else's
	}
	if result, err := readJudgement(written, r.ID()); err == nil && belongs(result, experiment, found) == nil {
		return nil // other files with the same records
	}
	return errors.Join(moved, os.Remove(r.path(name)))
}

// sign returns the text of a judgement that says of which records it is, and whether it is whole.
func (r *Run) sign(experiment string, result ExperimentResult) (string, error) {
	if result.Judged.IsZero() {
		result.Judged = time.Now()
	}
	result.Judged, result.Run, result.Sum = result.Judged.UTC(), r.ID(), ""
	result.Inputs = map[string]string{}
	for _, name := range recordFiles() {
		digest, err := Digest(r.path("x/" + experiment + "/" + name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		result.Inputs[name] = digest
	}
	// The sum is the last field, so that it is in the text whatever it is.
	text, err := indented(struct {
		ExperimentResult
		Sum string `json:"sum"`
	}{result, ""})
	if err != nil {
		return "", err
	}
	sum := sumOf([]byte(text), "")
	at := strings.LastIndex(text, `"sum": ""`)
	return text[:at] + `"sum": "` + sum + text[at+len(`"sum": "`):], nil
}

// judged returns the numbers of the judgements, ascending.
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
