package report

import (
	"fmt"

	"github.com/assay-dev/assay/verdict"
)

// A Step is something to do next.
type Step struct {
	Text    string `json:"text"`
	Command string `json:"command,omitempty"` // to paste
	Link    string `json:"-"`                 // within the page

	experiment string
	first      uint64
}

// Next returns what to do next, the most useful first.
func (r *Report) Next() []Step {
	if r.foreign() {
		return r.afterImport()
	}
	var steps []Step
	if !r.Whole() {
		steps = append(steps, Step{Text: "Run it again to its end: what was cut short or changed proves nothing."})
	}
	for i, h := range r.Headlines {
		if i == 2 {
			break
		}
		if h.First != 0 {
			steps = append(steps, Step{Text: fmt.Sprintf("Read the first operation of %s that was not ok, with every attempt it made:", h.Experiment), experiment: h.Experiment, first: h.First})
		}
		if h.Driver() {
			steps = append(steps, Step{Text: fmt.Sprintf("Run %s again when the machine is idle, or with a lower load%s:", h.Experiment, h.where()), Command: h.Replay})
			continue
		}
		if h.Replay != "" {
			steps = append(steps, Step{Text: fmt.Sprintf("Replay %s with the same seed%s:", h.Experiment, h.where()), Command: h.Replay})
		}
		if h.Pos != "" && h.Verdict == verdict.Fail {
			steps = append(steps, Step{Text: "What was expected stands at", Command: h.Pos})
		}
	}
	if len(r.Headlines) > 0 || !r.Whole() {
		steps = append(steps, Step{Text: "The services' own logs and all records are in", Command: r.Dir})
	}
	if len(r.Headlines) == 0 && r.Whole() {
		steps = append(steps, r.afterPass()...)
	}
	return steps
}

// where says of a command to replay that it is of another place, and how to get one of this.
func (h Headline) where() string {
	if !h.Elsewhere {
		return ""
	}
	return ", " + whereItRan + " (its project is not here; with --folder the report names it from where you are)"
}

// afterPass names what a run that passed did not prove.
func (r *Report) afterPass() []Step {
	open := r.open()
	steps := []Step{{Text: "Ask whether any expectation cannot fail: run once with --control."}}
	if open > 0 {
		steps = append([]Step{{Text: fmt.Sprintf("%d %s of the matrix that somebody asks for are not proved: run or mend their experiments.", open, plural(open, "cell"))}}, steps...)
	}
	return steps
}
