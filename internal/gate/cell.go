package gate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// cells judges every cell that the policy requires.
func (f Facts) cells() []Clause {
	var clauses []Clause
	index := map[[2]string]matrix.Cell{}
	for _, row := range f.Matrix.Rows {
		for _, cell := range row.Cells {
			index[[2]string{cell.Journey, cell.Mode}] = cell
		}
	}
	for _, r := range f.Declaration.Required {
		clauses = append(clauses, f.cell(r, index[[2]string{r.Journey, r.Mode}]))
	}
	return clauses
}

// cell judges one. Each source that the project declares must be proof for this very candidate; what other tools
// say counts, too, as long as it is of the candidate.
func (f Facts) cell(r evidence.Requirement, cell matrix.Cell) Clause {
	c := Clause{Name: r.Journey + ": " + r.Mode, Kind: KindCell, Journey: r.Journey, Mode: r.Mode, Owner: cell.Owner}
	var way, elsewhere []Change
	var verdicts []verdict.Verdict
	proved, missed := false, "no evidence for it"
	for _, s := range cell.Sources {
		if s.FromFiles && s.Verdict == verdict.Pass {
			missed = fmt.Sprintf("%s declares it, and nothing ran", s.Name)
			continue // beside what ran it adds nothing, and without it is no proof
		}
		if weak(r, s) && s.Verdict == verdict.Pass {
			missed = fmt.Sprintf("%s is simulated, and the policy asks for the grade %s", s.Name, r.Grade)
			continue // it stands beside what is asked for, and takes nothing from it
		}
		v, problem := f.admit(r, s)
		if v == verdict.Pass {
			proved = true
		}
		if f.astray(r, s) {
			elsewhere, missed = append(elsewhere, f.mend(r, s, v, problem)), problem
			continue // it is of something else, and nobody asks for it to be repeated
		}
		verdicts = append(verdicts, v)
		c.Evidence = append(c.Evidence, cite(s, v, problem))
		if v != verdict.Pass {
			way = append(way, f.mend(r, s, v, problem))
		}
	}
	c.Verdict = verdict.Merge(verdicts...)
	if !proved && c.Verdict != verdict.Fail {
		c.Verdict = verdict.Unknown
	}
	switch {
	case c.Verdict == verdict.Pass:
		c.Reason = proofs(c.Evidence, cell)
	case len(c.Evidence) == 0:
		c.Reason = "unproven: " + missed
		c.Ways = [][]Change{{f.write(r.Mode)}}
		if level(r.Grade) <= level(evidence.GradeClaimed) {
			c.Ways = append(c.Ways, []Change{f.importing(r.Journey, r.Mode)})
		}
		for _, change := range elsewhere {
			c.Ways = append([][]Change{{change}}, c.Ways...)
		}
	default:
		worst := c.Evidence[slices.IndexFunc(c.Evidence, func(e Citation) bool { return e.Verdict == c.Verdict })]
		c.Reason = worst.Problem
		c.Ways = [][]Change{way}
	}
	return c
}

func proofs(cited []Citation, cell matrix.Cell) string {
	s, _ := cell.Decisive()
	if len(cited) == 1 {
		return s.Reason
	}
	return fmt.Sprintf("%s (and %d more sources)", s.Reason, len(cited)-1)
}

// admit says whether a source proves the cell as strictly as the policy asks, and what is missing.
func (f Facts) admit(r evidence.Requirement, s matrix.Source) (verdict.Verdict, string) {
	age := f.Matrix.At.Sub(s.At)
	switch {
	case s.Run == "":
		return verdict.Unknown, s.Reason
	case !f.same(r.Same, s):
		return verdict.Unknown, fmt.Sprintf("%s ran %s", s.Name, f.differs(r.Same, s))
	case s.Verdict == verdict.Fail:
		return verdict.Fail, fmt.Sprintf("%s failed: %s", s.Name, s.Reason)
	case s.Verdict != verdict.Pass:
		return verdict.Unknown, fmt.Sprintf("%s: %s", s.Name, s.Reason)
	case r.MaxAge > 0 && age > r.MaxAge:
		return verdict.Unknown, fmt.Sprintf("%s is stale: %s old, and may be %s", s.Name, matrix.Age(age), days(r.MaxAge))
	case !s.Simulated && level(s.Grade) < level(r.Grade):
		return verdict.Unknown, fmt.Sprintf("%s has the grade %s, and the policy asks for %s", s.Name, orAny(s.Grade), r.Grade)
	}
	return verdict.Pass, ""
}

// weak says whether a simulation is less than the policy asks for: with a grade of links it asks for a system that runs.
func weak(r evidence.Requirement, s matrix.Source) bool {
	return s.Simulated && level(r.Grade) > level(evidence.GradeClaimed)
}

// same says whether a source has in common with the candidate what is asked for. What is not known is not the same.
func (f Facts) same(same string, s matrix.Source) bool {
	if s.Simulated && same == SameDigests { // of sources: those that the candidate is made from
		return f.Candidate.Commit != "" && s.Commit == f.Candidate.Commit && s.Changes == f.Candidate.Changes
	}
	switch same {
	case "":
		return true
	case SameDigests:
		return len(f.Candidate.Digests) > 0 && f.unequal(s) == ""
	case SameCommit:
		return f.Candidate.Commit != "" && s.Commit == f.Candidate.Commit && !s.Dirty && !f.Candidate.Dirty
	case SameAncestor:
		return f.Candidate.Commit != "" && !s.Dirty && (s.Commit == f.Candidate.Commit || f.Ancestors[s.Commit])
	}
	return false
}

// astray says whether a source that no experiment of the project stands for is of something else. A failure of nobody knows what is not.
func (f Facts) astray(r evidence.Requirement, s matrix.Source) bool {
	return !s.Declared && !f.same(r.Same, s) && !(s.Verdict == verdict.Fail && nameless(r.Same, s))
}

// Commits are those that evidence is of which a decision may rest on.
func (f Facts) Commits() []string {
	found := map[string]bool{}
	for _, row := range f.Matrix.Rows {
		for _, cell := range row.Cells {
			for _, s := range cell.Sources {
				found[s.Commit] = true
			}
		}
	}
	for _, r := range f.Matrix.Results {
		found[r.Commit] = true
	}
	if f.Newest != nil {
		found[f.Newest.Meta.Commit] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// nameless says whether a source does not say what it ran: a failure of that may be one of the candidate.
func nameless(same string, s matrix.Source) bool {
	return same == SameDigests && len(s.Digests) == 0 && !s.Simulated || (same != SameDigests || s.Simulated) && s.Commit == ""
}

// unequal returns the first service that a source ran another binary of than the candidate has, "" for none. A run has
// to name all services; another tool may have tested one alone, and names that.
func (f Facts) unequal(s matrix.Source) string {
	for _, service := range slices.Sorted(maps.Keys(f.Candidate.Digests)) {
		got, ok := s.Digests[service]
		if want := f.Candidate.Digests[service]; (ok || !s.Foreign) && (want == "" || got != want) {
			return service
		}
	}
	for _, service := range slices.Sorted(maps.Keys(s.Digests)) {
		if _, ok := f.Candidate.Digests[service]; !ok {
			return service
		}
	}
	if len(s.Digests) == 0 {
		return "service"
	}
	return ""
}

// differs says what keeps a source from being of the candidate.
func (f Facts) differs(same string, s matrix.Source) string {
	switch {
	case s.Simulated && same == SameDigests && f.Candidate.Commit != "" && s.Commit == f.Candidate.Commit:
		return "before files were changed"
	case s.Simulated && same == SameDigests:
		same = SameCommit
	}
	switch {
	case same == SameDigests && len(f.Candidate.Digests) == 0:
		return "on some binaries, and those of the candidate are not known"
	case same == SameDigests && len(s.Digests) == 0:
		return "on binaries that it does not name"
	case same == SameDigests:
		service := f.unequal(s)
		return fmt.Sprintf("on another %s: %s, and the candidate has %s", service, brief(s.Digests[service]), brief(f.Candidate.Digests[service]))
	case f.Candidate.Commit == "":
		return "on some commit, and that of the candidate is not known"
	case s.Dirty || f.Candidate.Dirty && same == SameCommit:
		return "beside uncommitted changes"
	case s.Commit == "":
		return "on a commit that it does not name"
	case same == SameAncestor:
		return fmt.Sprintf("on commit %s, which is not one that %s descends from", brief(s.Commit), brief(f.Candidate.Commit))
	}
	return fmt.Sprintf("on commit %s, and the candidate is %s", brief(s.Commit), brief(f.Candidate.Commit))
}

// brief shortens a digest or commit to what tells it apart.
func brief(digest string) string {
	if digest == "" {
		return "none"
	}
	const most = len("sha256:") + 12
	return digest[:min(len(digest), most)]
}

func cite(s matrix.Source, v verdict.Verdict, problem string) Citation {
	return Citation{Run: s.Run, Experiment: s.Name, Verdict: v, At: s.At, Age: s.Age, Owner: s.Owner, Layer: s.Layer, Grade: s.Grade, Sum: s.Sum, Problem: problem}
}
