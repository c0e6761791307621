package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A WaiverUse is what one waiver of the policy did in a decision.
type WaiverUse struct {
	Waiver
	State   string   `json:"state"`             // "used", "unused", "expired" or "of another commit"
	Clauses []string `json:"clauses,omitempty"` // that it lets through, or would
}

// waive lets clauses through that a waiver in force covers, and accounts for every waiver of the policy.
// An expired one shields nothing: its clauses stand as they are.
func (d *Decision) waive(f Facts) {
	for _, w := range f.Policy.Waivers {
		use := WaiverUse{Waiver: w, State: "unused"}
		expired, elsewhere := !f.Matrix.At.Before(w.Expires), !strings.HasPrefix(f.Candidate.Commit, w.Commit)
		for i := range d.Clauses {
			c := &d.Clauses[i]
			if c.passes() || !w.covers(*c) {
				continue
			}
			use.Clauses = append(use.Clauses, c.Name)
			if expired || elsewhere {
				c.Reason += fmt.Sprintf(" (its waiver, of %s, %s)", w.Owner, w.gone(expired))
				continue
			}
			c.Waived, use.State = true, "used"
		}
		switch {
		case expired:
			use.State = "expired"
		case elsewhere:
			use.State = "of another commit"
		}
		d.Waivers = append(d.Waivers, use)
	}
}

func (w Waiver) gone(expired bool) string {
	if expired {
		return "expired on " + w.Expires.Format(time.DateOnly)
	}
	return "is for commit " + w.Commit
}

// covers says whether a waiver is about a clause. Whether evidence is whole and what the candidate is cannot be waived.
func (w Waiver) covers(c Clause) bool {
	if c.Condition != "" {
		return w.Condition == c.Condition
	}
	switch c.Kind {
	case KindCell, KindBase:
		return c.Journey != "" && slices.Contains(w.Journeys, c.Journey) && (slices.Contains(w.Modes, "*") || slices.Contains(w.Modes, c.Mode))
	}
	return false
}
