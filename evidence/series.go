package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/assay-dev/assay/telemetry"
)

// Series returns what was measured of an experiment's instances, series.jsonl, in order of name and labels.
// Runs of before there was such a file, and environments that measure nothing, have none: that
// is no error. Where it is cut short or damaged Series returns what stands before the damage, and an error
// that wraps telemetry.ErrCut for a cut.
func (r *Run) Series(experiment string) ([]telemetry.Series, error) {
	if err := checkName(experiment); err != nil {
		return nil, err
	}
	file, err := os.Open(r.path("x/" + experiment + "/series.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("evidence: run %s: %w", r.ID(), err)
	}
	defer file.Close()
	series, err := telemetry.ReadAll(file)
	if err != nil {
		return series, fmt.Errorf("evidence: run %s: series.jsonl of %s: %w", r.ID(), experiment, err)
	}
	return series, nil
}
