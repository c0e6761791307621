package report

import (
	"strings"

	"github.com/assay-dev/assay/evidence"
)

// foreign says whether the run holds results of another tool, or of comparing contracts: then it has no plan, no records, no seed and no environment,
// and none of that is missing.
func (r *Report) foreign() bool { return r.Meta.Kind != evidence.KindRun }

// results names the results of a foreign run, such as "results of junit: junit.xml".
func (r *Report) results() string {
	if !r.foreign() {
		return ""
	}
	text := "results of " + orDash(r.Meta.Tool)
	for _, name := range sortedNames(r.Digests) {
		if file, ok := strings.CutPrefix(name, "files/"); ok {
			text += ": " + file
		}
	}
	return text
}

// foreignSummary is a foreign run in one line. How many tests there were is in its reasons: of many, only some are kept as checks.
func (r *Report) foreignSummary() string {
	text := r.results()
	for _, x := range r.Experiments {
		text += ": " + x.Reason
	}
	return text
}

// afterImport is what to do with results of another tool: there is nothing to replay or to read but the file.
func (r *Report) afterImport() []Step {
	if r.Meta.Kind == evidence.KindContract {
		return []Step{{Text: "Mend what breaks, and compare the contracts again. Both versions, and all witnesses in contracts.json, are in", Command: r.Dir}, {Text: "Ask what this means for a release:", Command: r.gate}}
	}
	if r.Meta.Kind == evidence.KindSim {
		return r.afterSim()
	}
	var steps []Step
	if !r.Whole() {
		return []Step{{Text: "Import the results again: what was cut short or changed proves nothing."}}
	}
	if len(r.Headlines) > 0 {
		steps = append(steps, Step{Text: "Mend what the tests found, run them again and import what they say. The file as it was imported is in", Command: r.Dir})
	}
	return append(steps, Step{Text: "Ask what this means for a release:", Command: r.gate})
}

// afterSim is what to do with simulated tests: their failures are found again by their seeds.
func (r *Report) afterSim() (steps []Step) {
	for i := range r.Experiments {
		if x := &r.Experiments[i]; x.Replay != "" {
			steps = append(steps, Step{Text: "Find the failure of " + x.Name + " again, in the module of the test:", Command: x.Replay})
		}
	}
	return append(steps, Step{Text: "All that was told, with the decisions that a failure needs, is in files/simulations.json of", Command: r.Dir}, Step{Text: "Ask what this means for a release:", Command: r.gate})
}
