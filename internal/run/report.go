package run

import (
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// A Report is what a run came to.
type Report struct {
	ID      string                      `json:"id"`
	Dir     string                      `json:"dir"`
	System  string                      `json:"system"`
	Seed    uint64                      `json:"seed"`
	Defect  string                      `json:"defect,omitempty"`
	Results []evidence.ExperimentResult `json:"results"`
	// Broken says why the environment or the tool ended the run early; "" if it did not.
	Broken      string `json:"broken,omitempty"`
	Interrupted bool   `json:"interrupted,omitempty"`
	Timings     []Lap  `json:"timings"`
}

// Verdict merges the experiments' verdicts.
func (r Report) Verdict() verdict.Verdict {
	var all []verdict.Verdict
	for _, result := range r.Results {
		all = append(all, result.Verdict)
	}
	if r.Broken != "" || r.Interrupted {
		all = append(all, verdict.Unknown)
	}
	return verdict.Merge(all...)
}

// broke notes err as what ended the run, beside what did before; nil is nothing.
func (r *Report) broke(err error) {
	switch {
	case err == nil:
	case r.Broken == "":
		r.Broken = err.Error()
	default:
		r.Broken += "\n" + err.Error()
	}
}

// Exit codes of a run, and of every command. Of many, 1 goes over 4 over 3 over 0.
const (
	ExitPass        = 0
	ExitFail        = 1
	ExitUsage       = 2
	ExitUnknown     = 3
	ExitBroken      = 4
	ExitInterrupted = 130
)

// Exit returns the exit code of the run.
func (r Report) Exit() int {
	v := r.Verdict()
	switch {
	case r.Interrupted:
		return ExitInterrupted
	case v == verdict.Fail:
		return ExitFail
	case r.Broken != "":
		return ExitBroken
	case v == verdict.Unknown:
		return ExitUnknown
	}
	return ExitPass
}

// A Lap is how long a part of the run took.
type Lap struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
}
