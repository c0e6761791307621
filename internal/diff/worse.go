package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	muchWorse = 10 // points of a share that nobody may overlook, decided or not
	mostWorse = 5  // that are told
)

// looksWorse returns the shares that changed much to the worse and are not decided: too little data to say
// regressed is no reason to say nothing. They change no verdict.
func looksWorse(lines []Line) []string {
	worse := func(l Line) float64 { return metricOf(l.Metric).worse * l.Change }
	var found []Line
	for _, l := range lines {
		if l.Unit == "%" && l.Verdict == NotEnough && l.Base != nil && l.Candidate != nil && worse(l) > muchWorse {
			found = append(found, l)
		}
	}
	slices.SortStableFunc(found, func(a, b Line) int { return cmp.Compare(worse(b), worse(a)) })
	var texts []string
	for _, l := range found[:min(len(found), mostWorse)] {
		texts = append(texts, fmt.Sprintf("%s %s %s %% → %s %% in %s, %s (not enough data to decide)", l.Subject, l.Metric, l.Base, l.Candidate, l.Experiment, l.Phase))
	}
	if more := len(found) - mostWorse; more > 0 {
		texts = append(texts, fmt.Sprintf("and %s more", plural(more, "share")))
	}
	return texts
}

// worseBelow are those of LooksWorse that the headline does not say.
func (r Report) worseBelow() []string {
	if len(r.LooksWorse) > 0 && strings.HasSuffix(r.Headline(), r.LooksWorse[0]) {
		return r.LooksWorse[1:]
	}
	return r.LooksWorse
}
