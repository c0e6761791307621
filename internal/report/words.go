package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// milliseconds writes so many milliseconds for a reader.
func milliseconds(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 10000:
		return fmt.Sprintf("%.4g s", v/1000)
	case v >= 1000:
		return fmt.Sprintf("%.3g s", v/1000)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	}
	return fmt.Sprintf("%.3g ms", v)
}

func took(d time.Duration) string { return milliseconds(ms(d)) }

// percent never rounds to 100 what is less: 99.996 % is not all.
func percent(share float64) string {
	text := fmt.Sprintf("%.2f", 100*share)
	if share < 1 && text == "100.00" {
		text = "99.99"
	}
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " %"
}

func (j Journey) sentence() string {
	n := j.Count()
	if n == 0 {
		return "No operation was recorded."
	}
	text := fmt.Sprintf("%s of %d ended well", percent(float64(j.OK)/float64(n)), n)
	if j.Degraded > 0 {
		text += fmt.Sprintf(" (%d in degraded mode)", j.Degraded)
	}
	if j.Failed > 0 {
		text += fmt.Sprintf(", %d failed", j.Failed)
	}
	if j.Maybe > 0 {
		text += fmt.Sprintf(", of %d nobody knows the effect", j.Maybe)
	}
	return text + "."
}

func (j Journey) latencySentence() string {
	return fmt.Sprintf("Over the whole experiment half were faster than %s, 95 %% than %s, 99 %% than %s; the slowest took %s.", took(j.P50), took(j.P95), took(j.P99), took(j.Max))
}

func phaseSentence(x *Experiment) string {
	var parts []string
	for _, p := range x.Course {
		parts = append(parts, fmt.Sprintf("%s from %s", p.Name, at(p.From)))
	}
	return "Phases: " + strings.Join(parts, ", ")
}

// recovered is when all was well again after the faults.
func (e *Experiment) recovered() (time.Duration, bool) {
	if e.Recovery == nil || !e.Recovery.Recovered || len(e.Faults) == 0 {
		return 0, false
	}
	first := e.Faults[0].From
	for _, f := range e.Faults {
		first = min(first, f.From)
	}
	return first + e.Recovery.FromInject, true
}

func (l Lane) sentence() string {
	var parts []string
	for _, m := range l.Marks[:min(len(l.Marks), 12)] {
		parts = append(parts, fmt.Sprintf("%s at %s", m.Name, at(m.At)))
	}
	return l.Instance + ": " + strings.Join(parts, ", ")
}

// A faultGroup is the same fault, however often it was injected.
type faultGroup struct {
	Name   string
	Pos    string
	Faults []Fault
}

func groups(faults []Fault) []faultGroup {
	var list []faultGroup
	for _, f := range faults {
		i := slices.IndexFunc(list, func(g faultGroup) bool { return g.Name == f.Name })
		if i < 0 {
			list = append(list, faultGroup{Name: f.Name, Pos: f.Pos})
			i = len(list) - 1
		}
		list[i].Faults = append(list[i].Faults, f)
	}
	return list
}

// A targetProof is how often a fault was observed on one target.
type targetProof struct {
	Target      string
	Seen, Times int
	Text        string // of the last that is not like most: unobserved first
}

// Proof returns what was observed of the fault on each target, targets without an effect first.
func (g faultGroup) Proof() []targetProof {
	found := map[string]*targetProof{}
	for _, f := range g.Faults {
		for _, target := range f.Targets {
			if found[target] == nil {
				found[target] = &targetProof{Target: target, Text: "no effect was recorded"}
			}
			found[target].Times++
		}
		for _, p := range f.Proof {
			t := found[p.Target]
			if t == nil {
				t = &targetProof{Target: p.Target, Times: 1}
				found[p.Target] = t
			}
			if p.Observed {
				t.Seen++
			}
			if !p.Observed || t.Seen == 1 || t.Text == "" {
				t.Text = p.Text
			}
		}
	}
	var list []targetProof
	for _, name := range sortedNames(found) {
		list = append(list, *found[name])
	}
	slices.SortStableFunc(list, func(a, b targetProof) int { return cmp.Compare(min(a.Seen, 1), min(b.Seen, 1)) })
	return list
}

// Observed says whether the fault was seen to bite somewhere.
func (g faultGroup) Observed() bool {
	return slices.ContainsFunc(g.Proof(), func(t targetProof) bool { return t.Seen > 0 })
}

func (g faultGroup) sentence() string {
	var parts []string
	for _, f := range g.Faults[:min(len(g.Faults), 8)] {
		heal := "without a heal on record"
		if f.To > 0 {
			heal = "to " + at(f.To)
		}
		parts = append(parts, fmt.Sprintf("from %s %s", at(f.From), heal))
	}
	if more := len(g.Faults) - 8; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d times more", more))
	}
	return g.Name + ": " + strings.Join(parts, ", ")
}

// Summary is the run in one line.
func (r *Report) Summary() string {
	if r.foreign() {
		return r.foreignSummary()
	}
	counts := map[verdict.Verdict]int{}
	total := 0
	for _, x := range r.Experiments {
		if !x.Control {
			counts[x.Verdict]++
			total++
		}
	}
	text := fmt.Sprintf("%s: %d %s: %d pass, %d fail, %d unknown (seed %d", cmp.Or(r.System, "a run"), total, plural(total, "experiment"),
		counts[verdict.Pass], counts[verdict.Fail], counts[verdict.Unknown], r.Meta.Seed)
	if r.Meta.Defect != "" {
		text += ", defect " + r.Meta.Defect
	}
	return text + ")"
}

// Standing says how a run that nothing counts of stands, and is "" for one that is whole.
func (r *Report) Standing() string {
	switch {
	case r.Refused != "":
		return "Nothing of this run counts: " + r.Refused
	case r.Status == evidence.Running:
		return "This run is still being written. What is shown is what was there by then, and nothing of it counts yet."
	case r.Status == evidence.CutShort:
		return "This run was cut short: " + r.Reason + ". What is shown is what it left behind, and nothing of it counts."
	case r.Status != evidence.Complete:
		return "Nothing of this run counts: " + r.Reason
	case r.Interrupted:
		return "This run was interrupted. Its records are partial: nothing can be proved by them."
	case r.Broke:
		return "The environment or the tool broke, which says nothing about the system: " + strings.TrimPrefix(r.Reason, "it broke: ")
	}
	return ""
}

// sentence is a headline in plain words.
func (h Headline) sentence() string {
	who := brief(cmp.Or(h.Journey, h.Experiment), 120)
	under := ""
	if h.Fault != "" {
		under = " under " + h.Fault
	}
	switch {
	case h.Driver() && h.Missed != "":
		return "the load driver was late: nothing is said about " + who + under
	case h.Driver():
		return "the load driver did not keep its schedule: nothing is said about " + who + under
	case h.Verdict == verdict.Fail:
		return who + " does not hold" + under
	}
	return who + " is not proved" + under
}
