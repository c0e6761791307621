package run

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

// A Headline is the first thing to read of an experiment that did not pass:
// which journey, under which fault, missed which limit by how much.
type Headline struct {
	Verdict    verdict.Verdict `json:"verdict"`
	Experiment string          `json:"experiment"`
	Phase      string          `json:"phase"`
	Journey    string          `json:"journey"`
	Fault      string          `json:"fault"`
	Reason     string          `json:"reason"`
	Replay     string          `json:"replay"`
}

// Headlines returns one Headline for each result that did not pass, failures first.
func Headlines(project *spec.Project, results []evidence.ExperimentResult) []Headline {
	var lines []Headline
	for _, r := range results {
		if r.Verdict != verdict.Pass {
			lines = append(lines, headline(project, r))
		}
	}
	slices.SortStableFunc(lines, func(a, b Headline) int { return int(b.Verdict) - int(a.Verdict) })
	return lines
}

func headline(project *spec.Project, r evidence.ExperimentResult) Headline {
	h := Headline{Verdict: r.Verdict, Experiment: r.Name, Reason: r.Reason, Replay: r.Replay}
	var x experiment.Experiment
	if i := slices.IndexFunc(project.Experiments, func(x experiment.Experiment) bool { return x.Name == r.Name }); i >= 0 {
		x = project.Experiments[i]
	}
	h.Fault = faultsOf(x)
	for _, c := range r.Checks {
		if c.Verdict != verdict.Pass && strings.HasSuffix(r.Reason, c.Reason) {
			h.Phase, h.Journey = c.Phase, journeyOf(project, x, c.Check)
			h.Reason = strings.TrimPrefix(r.Reason, c.Phase+": ")
			break
		}
	}
	return h
}

// faultsOf lists the faults of an experiment, each once and with how often it comes.
func faultsOf(x experiment.Experiment) string {
	var faults []string
	times := map[string]int{}
	for _, action := range x.Method {
		text := action.Fault.String()
		if times[text]++; times[text] == 1 {
			faults = append(faults, text)
		}
	}
	for i, text := range faults {
		if n := times[text]; n > 1 {
			faults[i] = fmt.Sprintf("%s, %d times", text, n)
		}
	}
	return strings.Join(faults, ", ")
}

// journeyOf returns the journey to name in the headline of a check: one it speaks of,
// else the first that the experiment covers or loads.
func journeyOf(project *spec.Project, x experiment.Experiment, check string) string {
	if named := journeysOf(project.Journeys, check); len(named) > 0 {
		return named[0]
	}
	for _, load := range x.Load {
		if _, covered := x.Covers[load.Journey]; covered || len(x.Covers) == 0 {
			return load.Journey
		}
	}
	return ""
}

// journeysOf returns the journeys that an expectation speaks of: those it names, and
// every one that records an object it names. It may be none.
func journeysOf(journeys []workload.Journey, expectation string) []string {
	var found []string
	for _, quoted := range regexp.MustCompile(`"[^"]*"|'[^']*'`).FindAllString(expectation, -1) {
		name := quoted[1 : len(quoted)-1]
		for _, j := range journeys {
			if (j.Name == name || records(j, name)) && !slices.Contains(found, j.Name) {
				found = append(found, j.Name)
			}
		}
	}
	return found
}

func records(j workload.Journey, object string) bool {
	for _, step := range j.Steps {
		if slices.ContainsFunc(step.Record, func(r workload.Record) bool { return r.Object == object }) {
			return true
		}
	}
	return false
}
