// Package gate decides whether evidence is enough for a release.
//
//	d := gate.Decide(ctx, gate.Facts{Matrix: m, Policy: policy, Candidate: candidate, …})
//	d.Verdict // pass only if every clause passes
//
// What is unknown, stale or missing never passes. A decision says clause by
// clause which evidence it rests on, how old that is and who answers for it, and
// what would flip it. It is pure: the same facts give the same decision.
package gate

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/evidence"
)

// What the evidence must have in common with what is to be released.
const (
	SameDigests  = "digests"  // every service ran the very binary
	SameCommit   = "commit"   // the same commit, and no change beside it
	SameAncestor = "ancestor" // the same commit or one before it
)

// Sames returns all that evidence can be asked to have in common with the candidate, strictest first.
func Sames() []string { return []string{SameDigests, SameCommit, SameAncestor} }

// A Policy is what a release needs.
type Policy struct {
	File       string      `json:"file,omitempty"`   // "" for the default
	Digest     string      `json:"digest,omitempty"` // of the file
	Require    []Require   `json:"require"`
	Conditions []Condition `json:"conditions,omitempty"`
	Waivers    []Waiver    `json:"waivers,omitempty"`
	// WaiversMax is how far ahead of a decision a waiver may expire; 0 for DefaultWaiversMax.
	WaiversMax time.Duration `json:"waivers_max,omitempty"`
}

// A Require demands cells: every mode of every journey.
type Require struct {
	Journeys []string      `json:"journeys"` // "*" for every journey
	Modes    []string      `json:"modes"`
	Same     string        `json:"same,omitempty"`    // "" for any
	MaxAge   time.Duration `json:"max_age,omitempty"` // 0 for any
	Grade    string        `json:"grade,omitempty"`   // at least; "" for any
	Pos      string        `json:"pos,omitempty"`
}

// A Condition is an expression that must hold; Names are what it may read.
type Condition struct {
	Name   string `json:"name"`
	Expect string `json:"expect"`
	Owner  string `json:"owner,omitempty"`
	Pos    string `json:"pos,omitempty"`
}

// What a waiver can let through.
const (
	AllowUnknown = "unknown" // what is not proved: missing, stale, of another binary
	AllowFail    = "fail"    // a failure, too
)

// Allows returns all that a waiver can let through, the least first.
func Allows() []string { return []string{AllowUnknown, AllowFail} }

// A Waiver lets cells, or one condition or contract, go unproven for a time. Somebody answers for it.
type Waiver struct {
	Journeys  []string  `json:"journeys,omitempty"`
	Modes     []string  `json:"modes,omitempty"`
	Condition string    `json:"condition,omitempty"` // its name
	Contract  string    `json:"contract,omitempty"`  // its name: that it was not compared, breaks, or is gone
	Allow     string    `json:"allow,omitempty"`     // one of Allows; "" is AllowUnknown
	Commit    string    `json:"commit,omitempty"`    // only for a candidate of a commit that starts so
	Owner     string    `json:"owner"`
	Reason    string    `json:"reason"`
	Ticket    string    `json:"ticket,omitempty"`
	Expires   time.Time `json:"expires"` // it does not hold from then on
	Pos       string    `json:"pos,omitempty"`
}

// DefaultModes are the modes that every journey needs where no policy says otherwise.
func DefaultModes() []string {
	return []string{"replication", "failover", "retry", "timeout", "degraded"}
}

// DefaultMaxAge is how old evidence may be where no policy says otherwise.
const DefaultMaxAge = 7 * 24 * time.Hour

// DefaultWaiversMax is how far ahead waivers may expire where a policy does not say: who needs longer looks again.
const DefaultWaiversMax = 90 * 24 * time.Hour

// Reach returns how far ahead of a decision a waiver may expire, of what a policy says.
func Reach(most time.Duration) time.Duration {
	if most == 0 {
		return DefaultWaiversMax
	}
	return most
}

// Default is the policy of a project that names none.
func Default() Policy {
	return Policy{Require: []Require{{Journeys: []string{"*"}, Modes: DefaultModes(), Same: SameDigests, MaxAge: DefaultMaxAge}}}
}

// Required expands the policy to the cells of journeys, in order, each as strict as the strictest that demands it.
func (p Policy) Required(journeys []evidence.Journey) []evidence.Requirement {
	var cells []evidence.Requirement
	for _, r := range p.Require {
		for _, j := range journeys {
			if !slices.Contains(r.Journeys, "*") && !slices.Contains(r.Journeys, j.Name) {
				continue
			}
			for _, mode := range r.Modes {
				cells = require(cells, evidence.Requirement{Journey: j.Name, Mode: mode, Same: r.Same, MaxAge: r.MaxAge, Grade: r.Grade})
			}
		}
	}
	return cells
}

// require adds a cell, or makes the one that is there stricter.
func require(cells []evidence.Requirement, r evidence.Requirement) []evidence.Requirement {
	i := slices.IndexFunc(cells, func(c evidence.Requirement) bool { return c.Journey == r.Journey && c.Mode == r.Mode })
	if i < 0 {
		return append(cells, r)
	}
	c := &cells[i]
	if strict(r.Same) > strict(c.Same) {
		c.Same = r.Same
	}
	if c.MaxAge == 0 || r.MaxAge > 0 && r.MaxAge < c.MaxAge {
		c.MaxAge = r.MaxAge
	}
	if level(r.Grade) > level(c.Grade) {
		c.Grade = r.Grade
	}
	return cells
}

// strict orders what must be the same, the strictest highest, "" lowest.
func strict(same string) int {
	i := slices.Index(Sames(), same)
	if i < 0 {
		return 0
	}
	return len(Sames()) - i
}

// level orders grades, "" lowest.
func level(grade string) int { return slices.Index(evidence.Grades(), grade) + 1 }

// weaker says in what requirement r is weaker than base, "" if in nothing.
func weaker(base, r evidence.Requirement) string {
	switch {
	case strict(r.Same) < strict(base.Same):
		return fmt.Sprintf("same: %s became %s", base.Same, orAny(r.Same))
	case base.MaxAge > 0 && (r.MaxAge == 0 || r.MaxAge > base.MaxAge):
		return fmt.Sprintf("max-age: %s became %s", days(base.MaxAge), days(r.MaxAge))
	case level(r.Grade) < level(base.Grade):
		return fmt.Sprintf("grade: %s became %s", base.Grade, orAny(r.Grade))
	}
	return ""
}

func orAny(s string) string {
	if s == "" {
		return "any"
	}
	return s
}

// days writes a duration as policies do.
func days(d time.Duration) string {
	switch {
	case d == 0:
		return "any"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	return d.String()
}
