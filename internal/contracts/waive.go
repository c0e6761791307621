package contracts

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/internal/spec"
)

// A WaiverUse is what one waiver did.
type WaiverUse struct {
	Finding string `json:"finding"`
	gate.Waiver
	State string `json:"state"` // of package gate
	Why   string `json:"why,omitempty"`
}

// judge gives findings the severities that assay.yaml says, lets through what is waived, and concludes again. It accounts for
// every waiver. now and most say which of them are in force.
func (r *Result) judge(c spec.Contract, now time.Time, most time.Duration) {
	for i := range r.Findings {
		r.Findings[i].rate(contract.Severity(c.Severities[r.Findings[i].Rule]))
	}
	for _, w := range c.Waivers {
		use := WaiverUse{Finding: w.Finding, Waiver: w.Waiver, State: gate.WaiverUnused, Why: "no break has this id"}
		idle, why := idle(w, now, most)
		if idle != "" {
			use.State, use.Why = idle, why
		}
		i := slices.IndexFunc(r.Findings, func(f Found) bool { return f.ID == w.Finding })
		switch {
		case i < 0:
		case r.Findings[i].Severity != contract.Break:
			use.Why = "what it is for breaks nothing"
		case idle != "":
			r.Findings[i].add(fmt.Sprintf("its waiver, of %s, %s", w.Owner, why))
		default:
			waiver := w.Waiver
			r.Findings[i].Waived, use.State, use.Why = &waiver, gate.WaiverUsed, ""
		}
		r.Waivers = append(r.Waivers, use)
	}
	r.conclude()
}

// rate gives a finding another severity than its rule's. What breaks stays a break: only a waiver lets it through, which somebody
// answers for and which ends.
func (f *Found) rate(want contract.Severity) {
	order := []contract.Severity{contract.Change, contract.Risk, contract.Break}
	from, to := slices.Index(order, f.Severity), slices.Index(order, want)
	switch {
	case want == "" || from == to:
	case f.Severity == contract.Break:
		f.add(fmt.Sprintf("assay.yaml calls its rule a %s, and it stays a break: only a waiver of %s lets it through", want, f.ID))
	default:
		f.Was, f.Severity = f.Severity, want
		f.add(fmt.Sprintf("a %s by its rule, and a %s by assay.yaml", f.Was, want))
	}
}

func (f *Found) add(note string) {
	if f.Note != "" {
		f.Note += "; "
	}
	f.Note += note
}

// idle returns the state of a waiver that is not in force, and why it is not; "" for one that is.
func idle(w spec.ContractWaiver, now time.Time, most time.Duration) (state, why string) {
	day := w.Expires.Format(time.DateOnly)
	switch {
	case !now.Before(w.Expires):
		return gate.WaiverExpired, "expired on " + day
	case w.Expires.After(now.Add(most)):
		return gate.WaiverTooFar, fmt.Sprintf("expires too far ahead, on %s: at most %d days", day, int(most.Hours()/24))
	}
	return "", ""
}
