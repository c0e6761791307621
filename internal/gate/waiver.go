package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// A WaiverUse is what one waiver of the policy did in a decision.
type WaiverUse struct {
	Waiver
	State   string   `json:"state"`             // one of those below
	Clauses []string `json:"clauses,omitempty"` // that it lets through, or would
}

// States of a waiver in a decision.
const (
	WaiverUsed      = "used"
	WaiverUnused    = "unused"
	WaiverExpired   = "expired"
	WaiverTooFar    = "too far ahead" // it expires later than the policy lets a waiver
	WaiverElsewhere = "of another commit"
	WaiverTooWeak   = "allows no failure" // and what it is for failed
)

// waive lets clauses through that a waiver in force covers, and accounts for every waiver of the policy.
// One that is not in force shields nothing: its clauses stand as they are.
func (d *Decision) waive(f Facts) {
	for _, w := range f.Policy.Waivers {
		use := WaiverUse{Waiver: w, State: WaiverUnused}
		idle, why := f.idle(w)
		if idle != "" {
			use.State = idle
		}
		for i := range d.Clauses {
			c := &d.Clauses[i]
			if c.passes() || !w.covers(*c) {
				continue
			}
			use.Clauses = append(use.Clauses, c.Name)
			tooWeak := c.Verdict == verdict.Fail && w.Allow != AllowFail
			switch {
			case idle != "":
				c.Reason += fmt.Sprintf(" (its waiver, of %s, %s)", w.Owner, why)
			case tooWeak:
				c.Reason += fmt.Sprintf(" (its waiver, of %s, lets through what is not proved, and no failure: that takes allow: fail)", w.Owner)
			default:
				c.Waived, use.State = true, WaiverUsed
			}
			if tooWeak && use.State == WaiverUnused {
				use.State = WaiverTooWeak
			}
		}
		d.Waivers = append(d.Waivers, use)
	}
}

// idle returns the state of a waiver that is not in force, and why it is not; "" for one that is.
func (f Facts) idle(w Waiver) (state, why string) {
	most := Reach(f.Policy.WaiversMax)
	switch {
	case !f.Matrix.At.Before(w.Expires):
		return WaiverExpired, "expired on " + w.Expires.Format(time.DateOnly)
	case w.Expires.After(f.Matrix.At.Add(most)):
		return WaiverTooFar, fmt.Sprintf("expires too far ahead, on %s: at most %s; set waivers-max", w.Expires.Format(time.DateOnly), days(most))
	case !strings.HasPrefix(f.Candidate.Commit, w.Commit):
		return WaiverElsewhere, "is for commit " + w.Commit
	}
	return "", ""
}

// covers says whether a waiver is about a clause. Whether evidence is whole and what the candidate is cannot be waived.
func (w Waiver) covers(c Clause) bool {
	if c.Condition != "" {
		return w.Condition == c.Condition
	}
	if c.Contract != "" {
		return w.Contract == c.Contract
	}
	switch c.Kind {
	case KindCell, KindBase:
		return c.Journey != "" && slices.Contains(w.Journeys, c.Journey) && (slices.Contains(w.Modes, "*") || slices.Contains(w.Modes, c.Mode))
	}
	return false
}
