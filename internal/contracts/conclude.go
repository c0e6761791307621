package contracts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// conclude says what the result comes to.
func (r *Result) conclude() {
	slices.SortStableFunc(r.Findings, func(a, b Found) int { return cmp.Compare(rank(a), rank(b)) })
	breaks, waived := r.count(contract.Break), r.waived()
	switch {
	case breaks > 0:
		r.Verdict = verdict.Fail
	case len(r.Gaps) > 0 || len(r.Findings)+len(r.Proofs) == 0:
		r.Verdict = verdict.Unknown
	default:
		r.Verdict = verdict.Pass
	}
	var parts []string
	add := func(n int, one, many string) {
		if n > 0 {
			parts = append(parts, plural(n, one, many))
		}
	}
	add(breaks, "break", "breaks")
	add(waived, "waived", "waived")
	add(len(r.Gaps), "undecided", "undecided")
	add(r.count(contract.Risk), "risk", "risks")
	add(r.count(contract.Change), "harmless change", "harmless changes")
	switch r.Reason = strings.Join(parts, ", "); {
	case len(r.Findings)+len(r.Proofs)+len(r.Gaps) == 0:
		r.Reason = "nothing was compared"
	case len(r.Gaps) == 0 && len(r.Findings) == 1 && r.Findings[0].Rule == contractAdded:
		r.Reason = "the contract is new"
	case r.Reason == "" && !sameFiles(r.Old, r.New) && slices.ContainsFunc(r.Proofs, changed):
		r.Reason = "what changed breaks nobody"
	case r.Reason == "":
		r.Reason = "nothing changed that a neighbour could see"
	}
}

func sameFiles(old, new Version) bool {
	return slices.Equal(slices.Sorted(maps.Values(old.Files)), slices.Sorted(maps.Values(new.Files)))
}

// changed says whether a claim is about something that changed, and that a neighbour might see.
func changed(p contract.Proof) bool {
	switch p.By {
	case "same", "rule: only annotations changed", "rule: both versions allow the same", "rule: each field is written as it was":
		return false
	}
	return !strings.HasPrefix(p.By, "rule: its calls fit") && !strings.HasPrefix(p.By, "rule: servers, channels, operations")
}

// rank orders findings as people read them: what breaks first, what is waived after it.
func rank(f Found) int {
	order := map[contract.Severity]int{contract.Break: 0, contract.Risk: 2, contract.Change: 3}
	if f.Waived != nil {
		return 1
	}
	return order[f.Severity]
}

func (r *Report) conclude() {
	var all []verdict.Verdict
	n := map[verdict.Verdict]int{}
	for _, one := range r.Results {
		all = append(all, one.Verdict)
		n[one.Verdict]++
	}
	r.Verdict = verdict.Merge(all...)
	switch len(r.Results) {
	case 0:
		r.Reason = "no contract was compared"
	case 1:
		r.Reason = r.Results[0].Contract + ": " + r.Results[0].Reason
	default:
		r.Reason = fmt.Sprintf("%d contracts: %d pass, %d fail, %d unknown", len(r.Results), n[verdict.Pass], n[verdict.Fail], n[verdict.Unknown])
	}
}
