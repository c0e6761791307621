package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// contracts says of each contract that the project names whether it was compared, as it is now and with the base, and breaks nobody.
func (f Facts) contracts() []Clause {
	var clauses []Clause
	for _, contract := range f.Declaration.Contracts {
		clauses = append(clauses, f.contract(contract))
	}
	return clauses
}

// contract judges one by its own result, or those of the files that it is a folder of.
func (f Facts) contract(contract evidence.Contract) Clause {
	c := Clause{Name: "contract " + contract.Name, Kind: KindContract, Contract: contract.Name, Owner: contract.Owner, Ways: [][]Change{{f.compare("mend what " + contract.Name + " breaks, and compare the contracts again")}}}
	var verdicts []verdict.Verdict
	waived := false
	for _, s := range f.Matrix.Contracts {
		if !f.of(contract, s.Name) {
			continue
		}
		v, problem := f.compared(s)
		if v == verdict.Unknown && problem == s.Reason && s.WaivedUntil.After(f.Matrix.At) {
			v, waived = verdict.Pass, true
			problem = fmt.Sprintf("%s, the first until %s", s.Reason, s.WaivedUntil.Format(time.DateOnly))
		}
		verdicts = append(verdicts, v)
		c.Evidence = append(c.Evidence, cite(s, v, problem))
	}
	switch c.Verdict = verdict.Merge(verdicts...); {
	case len(verdicts) == 0:
		c.Reason, c.Ways = "nobody compared it with what it was", [][]Change{{f.compare("compare the contracts with what they were")}}
	case c.Verdict == verdict.Pass && waived:
		c.Verdict, c.Waived = verdict.Unknown, true
		c.Reason = c.Evidence[slices.IndexFunc(c.Evidence, func(e Citation) bool { return e.Problem != "" })].Problem
	case c.Verdict == verdict.Pass:
		c.Reason, c.Ways = "it breaks nobody", nil
	default:
		c.Reason = c.Evidence[slices.IndexFunc(c.Evidence, func(e Citation) bool { return e.Verdict == c.Verdict })].Problem
	}
	return c
}

// of says whether a result is of a contract, and of none whose name is a longer beginning of its own.
func (f Facts) of(contract evidence.Contract, result string) bool {
	owns := func(name string) bool {
		name = evidence.ContractPrefix + strings.ReplaceAll(name, "/", "--")
		return result == name || strings.HasPrefix(result, name+"--")
	}
	return owns(contract.Name) && !slices.ContainsFunc(f.Declaration.Contracts, func(other evidence.Contract) bool {
		return len(other.Name) > len(contract.Name) && owns(other.Name)
	})
}

// compared says what a comparison is worth for the candidate, and what is missing. It is of files, so it must be of the same ones, and it must be
// with what the gate takes for what was promised: a contract that is compared with itself breaks nobody.
func (f Facts) compared(s matrix.Source) (verdict.Verdict, string) {
	other := func(commit string) bool { return !slices.Contains(s.Against, commit) }
	switch at := slices.IndexFunc(f.BaseCommits, other); {
	case f.Candidate.Commit == "":
		return verdict.Unknown, "it was compared on some commit, and that of the candidate is not known"
	case s.Commit != f.Candidate.Commit:
		return verdict.Unknown, fmt.Sprintf("it was compared on commit %s, and the candidate is %s", brief(s.Commit), brief(f.Candidate.Commit))
	case s.Changes != f.Candidate.Changes:
		return verdict.Unknown, "files were changed since it was compared"
	case s.Verdict == verdict.Fail:
		return verdict.Fail, s.Reason
	case s.Verdict != verdict.Pass:
		return verdict.Unknown, s.Reason
	case at >= 0:
		return verdict.Unknown, fmt.Sprintf("it was not compared with the base %s", f.BaseName)
	}
	return verdict.Pass, ""
}

func (f Facts) compare(text string) Change {
	return Change{Key: "compare contracts", Text: text, Command: f.Command("contract", "check", f.Path)}
}
