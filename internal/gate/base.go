package gate

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// base says whether all that the base branch asks for is asked for still, so that deleting a journey, a claim or a
// requirement never turns the gate green.
func (f Facts) base() []Clause {
	if f.Base == nil {
		c := Clause{Name: "base", Kind: KindBase, Verdict: verdict.Pass, Reason: "not compared: " + f.BaseName}
		if f.BaseErr != "" {
			c.Verdict, c.Reason = verdict.Unknown, f.BaseErr
			c.Ways = [][]Change{{{Key: "base", Text: "name a base that can be read", Command: f.Command("gate", f.Path, "--base", "REF")}}}
		}
		return []Clause{c}
	}
	clauses := slices.Concat(f.journeys(), f.claims(), f.requirements(), f.promised(), f.kept(), f.reach())
	if len(clauses) == 0 {
		clauses = []Clause{{Name: "base", Kind: KindBase, Verdict: verdict.Pass,
			Reason: fmt.Sprintf("all %d journeys, %d claims and %d requirements of %s are here", len(f.Base.Journeys), len(f.Base.Cells), len(f.Base.Required), f.BaseName)}}
	}
	return clauses
}

func (f Facts) lost(what, journey, mode string) Clause {
	return Clause{Name: "base: " + what, Kind: KindBase, Journey: journey, Mode: mode, Verdict: verdict.Fail,
		Reason: fmt.Sprintf("%s has it, and this declaration has not", f.BaseName),
		Ways:   [][]Change{{{Key: "restore " + what, Text: "restore " + what}}}}
}

func (f Facts) journeys() []Clause {
	var clauses []Clause
	for _, j := range f.Base.Journeys {
		if !f.hasJourney(j.Name) {
			c := f.lost("journey "+j.Name, j.Name, "")
			c.Owner = j.Owner
			clauses = append(clauses, c)
		}
	}
	return clauses
}

// promised finds contracts that the base names and this project does not.
func (f Facts) promised() []Clause {
	var clauses []Clause
	for _, base := range f.Base.Contracts {
		if !slices.ContainsFunc(f.Declaration.Contracts, func(c evidence.Contract) bool { return c.Name == base.Name }) {
			c := f.lost("the contract "+base.Name, "", "")
			c.Owner, c.Contract = base.Owner, base.Name
			clauses = append(clauses, c)
		}
	}
	return clauses
}

func (f Facts) hasJourney(name string) bool {
	return slices.ContainsFunc(f.Declaration.Journeys, func(j evidence.Journey) bool { return j.Name == name })
}

// claims finds cells that an experiment of the base claims and that one of this project does not, also where another one
// does: who deletes a test that fails would be left with those that pass.
func (f Facts) claims() []Clause {
	var clauses []Clause
	here := map[evidence.Cell]bool{}
	for _, c := range f.Declaration.Cells {
		here[c] = true
	}
	for _, c := range f.Base.Cells {
		if !here[c] && f.hasJourney(c.Journey) {
			clauses = append(clauses, f.lost(fmt.Sprintf("the claim of %s that it proves %s for %s", c.Experiment, c.Mode, c.Journey), c.Journey, c.Mode))
		}
	}
	return clauses
}

// kept finds conditions of the base's policy that this one has not, or has in other words.
func (f Facts) kept() []Clause {
	var clauses []Clause
	for _, c := range f.Base.Conditions {
		if slices.Contains(f.Declaration.Conditions, c) {
			continue
		}
		lost := f.lost(fmt.Sprintf("the condition %s: %s", c.Name, c.Expect), "", "")
		lost.Condition = c.Name
		clauses = append(clauses, lost)
	}
	return clauses
}

// reach says whether waivers may last longer than the base lets them.
func (f Facts) reach() []Clause {
	before, here := Reach(f.Base.WaiversMax), Reach(f.Declaration.WaiversMax)
	if here <= before {
		return nil
	}
	c := f.lost("the limit of waivers", "", "")
	c.Reason = fmt.Sprintf("%s asks for more: waivers-max: %s became %s", f.BaseName, days(before), days(here))
	c.Ways = [][]Change{{{Key: "restore waivers-max", Text: "restore waivers-max: " + days(before), Command: f.Command("gate", f.Path)}}}
	return []Clause{c}
}

func (f Facts) requirements() []Clause {
	var clauses []Clause
	for _, base := range f.Base.Required {
		if !f.hasJourney(base.Journey) {
			continue // said of the journey
		}
		i := slices.IndexFunc(f.Declaration.Required, func(r evidence.Requirement) bool { return r.Journey == base.Journey && r.Mode == base.Mode })
		if i < 0 {
			clauses = append(clauses, f.lost(fmt.Sprintf("the requirement of %s for %s", base.Mode, base.Journey), base.Journey, base.Mode))
			continue
		}
		if what := weaker(base, f.Declaration.Required[i]); what != "" {
			c := f.lost(fmt.Sprintf("the strictness of %s for %s", base.Mode, base.Journey), base.Journey, base.Mode)
			c.Reason = fmt.Sprintf("%s asks for more: %s", f.BaseName, what)
			clauses = append(clauses, c)
		}
	}
	return clauses
}
