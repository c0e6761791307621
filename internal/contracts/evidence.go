package contracts

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// Tool is what evidence calls the comparison of contracts.
const Tool = "assay contract"

// Store stores a report as a run: a result of the layer contract for each contract, both versions of its files, and the report itself with
// all witnesses. It returns the run's id.
func Store(ctx context.Context, store *evidence.Store, project *spec.Project, r Report, version string) (string, error) {
	began := time.Now().UTC()
	meta := evidence.Meta{Kind: evidence.KindContract, Tool: Tool, Started: began, Version: version, Against: r.Commits}
	if len(r.Results) > 0 {
		meta.Seed = r.Results[0].Seed
	}
	repo := tree{project.Dir}
	if commit, err := repo.git(ctx, "rev-parse", "HEAD"); err == nil {
		changes, err := repo.git(ctx, "status", "--porcelain")
		meta.Commit, meta.Dirty, meta.Changes = commit, err != nil || changes != "", run.Changes(project.Dir)
	}
	var all []evidence.ExperimentResult
	var parts []verdict.Verdict
	for _, one := range r.Results {
		result := one.evidence(version)
		result.Judged = began
		all, parts = append(all, result), append(parts, result.Verdict)
		meta.Experiments = append(meta.Experiments, result.Name)
	}
	meta.ID = evidence.IDAt(began, fmt.Sprintf("%x", sha256.Sum256([]byte(r.Reason+project.Dir)))[:12])
	end := evidence.End{Ended: began, Verdict: verdict.Merge(parts...), Exit: exits(r.Verdict)}
	_, _, err := store.Add(ctx, meta, func(to *evidence.Run) (evidence.End, error) {
		return end, fill(to, project, r, all)
	})
	return meta.ID, err
}

func exits(v verdict.Verdict) int {
	return map[verdict.Verdict]int{verdict.Pass: run.ExitPass, verdict.Fail: run.ExitFail, verdict.Unknown: run.ExitUnknown}[v]
}

func fill(to *evidence.Run, project *spec.Project, r Report, all []evidence.ExperimentResult) error {
	d := evidence.Declaration{System: project.Name, Journeys: []evidence.Journey{}}
	for _, j := range project.Journeys {
		d.Journeys = append(d.Journeys, evidence.Journey{Name: j.Name, Owner: j.Owner})
	}
	for _, c := range project.Contracts {
		d.Contracts = append(d.Contracts, evidence.Contract{Name: c.Name, Owner: c.Owner})
	}
	for _, one := range r.Results {
		for _, journey := range sorted(one.Covers) {
			for _, mode := range one.Covers[journey] {
				d.Cells = append(d.Cells, evidence.Cell{Journey: journey, Mode: mode, Experiment: one.experiment()})
			}
		}
	}
	if err := to.WriteJSON("declaration.json", d); err != nil {
		return err
	}
	if err := to.WriteJSON("subjects.json", []evidence.Subject{}); err != nil {
		return err
	}
	if err := to.WriteJSON("files/contracts.json", r); err != nil {
		return err
	}
	for i, one := range r.Results {
		if err := one.store(to); err != nil {
			return err
		}
		if _, err := to.Experiment(all[i].Name); err != nil {
			return err
		}
		if err := to.AddJudgement(all[i].Name, all[i]); err != nil {
			return err
		}
	}
	return nil
}

// store copies both versions.
func (r Result) store(to *evidence.Run) error {
	for side, v := range map[string]Version{"old": r.Old, "new": r.New} {
		for _, name := range sorted(v.texts) {
			if err := to.WriteFile("files/"+r.experiment()+"/"+side+"/"+name, v.texts[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// experiment is the name of the contract's result.
func (r Result) experiment() string {
	return evidence.ContractPrefix + strings.ReplaceAll(r.Contract, "/", "--")
}

// evidence concludes for the store. A waiver lets a break through for those who check contracts, and proves nothing: what is waived is
// unknown there.
func (r Result) evidence(version string) evidence.ExperimentResult {
	result := evidence.ExperimentResult{Name: r.experiment(), Title: "Contract " + r.Contract, Owner: r.Owner, Layer: "contract", Verdict: r.Verdict,
		Reason: r.Reason, Version: version, Checks: r.checks()}
	if n := r.waived(); n > 0 && r.Verdict == verdict.Pass {
		result.Verdict, result.WaivedUntil = verdict.Unknown, r.waivedUntil()
	}
	for _, f := range r.Findings {
		if f.Waived != nil {
			result.Problems = append(result.Problems, fmt.Sprintf("%s %s is waived by %s until %s: %s", f.ID, f.Rule, f.Waived.Owner, f.Waived.Expires.Format(time.DateOnly), f.Waived.Reason))
		}
		if f.Was != "" || f.Note != "" {
			result.Checks = append(result.Checks, checked("severity of "+f.ID, f.Note, verdict.Pass))
		}
	}
	result.Modes = r.proved(result.Verdict)
	return result
}

// waivedUntil returns when the first of the waivers that were used ends.
func (r Result) waivedUntil() (first time.Time) {
	for _, f := range r.Findings {
		if f.Waived != nil && (first.IsZero() || f.Waived.Expires.Before(first)) {
			first = f.Waived.Expires
		}
	}
	return first
}

// proved says of each mode of each journey that the contract covers whether its terms are evidence of it.
func (r Result) proved(v verdict.Verdict) map[string][]evidence.Mode {
	if len(r.Covers) == 0 {
		return nil
	}
	modes := map[string][]evidence.Mode{}
	for journey, names := range r.Covers {
		for _, name := range names {
			m := evidence.Mode{Name: name}
			switch spoken := slices.Contains(r.Modes, name); {
			case !spoken:
				m.Text = fmt.Sprintf("the contract %s declares no terms that speak of %s", r.Contract, name)
			case v != verdict.Pass:
				m.Text = fmt.Sprintf("the contract %s: %s", r.Contract, r.Reason)
			default:
				m.Proved, m.Text = true, fmt.Sprintf("the terms of %s speak of it, and keep what they promised (from files: nothing ran)", r.Contract)
			}
			modes[journey] = append(modes[journey], m)
		}
	}
	return modes
}

func checked(name, reason string, v verdict.Verdict) evidence.Checked {
	return evidence.Checked{Phase: "contract", Result: check.Result{Check: name, Verdict: v, Reason: reason}}
}

// checks are the versions, the findings, the gaps, and what the claims of compatibility rest on.
func (r Result) checks() []evidence.Checked {
	all := []evidence.Checked{checked("versions", fmt.Sprintf("old %s %s, new %s %s", r.Old.Name, orNothing(r.Old.Digest), r.New.Name, orNothing(r.New.Digest)), verdict.Pass)}
	harmless := 0
	for _, f := range r.Findings {
		v := verdict.Pass
		switch {
		case f.Breaks():
			v = verdict.Fail
		case f.Waived != nil:
			v = verdict.Unknown
		case f.Severity == contract.Change:
			harmless++
			continue
		}
		reason := fmt.Sprintf("%s: %s", f.word(), strings.TrimPrefix(f.where().String()+": ", ": ")+f.title())
		if f.Witness != nil {
			reason += "; witness: " + witnessText(*f.Witness) + ": " + brief(f.Witness.Document)
		}
		all = append(all, checked(strings.TrimSpace(f.ID+" "+f.Rule+" "+f.Subject+" "+f.Path), reason, v))
	}
	for _, g := range r.Gaps {
		all = append(all, checked(strings.TrimSpace("undecided "+g.Subject+" "+g.Path), g.Why, verdict.Unknown))
	}
	if harmless > 0 {
		all = append(all, checked("harmless changes", plural(harmless, "change harms", "changes harm")+" nobody", verdict.Pass))
	}
	if len(r.Proofs) > 0 {
		all = append(all, checked("compatible", r.coverage(), verdict.Pass))
	}
	return all
}

// coverage says what the claims of compatibility rest on.
func (r Result) coverage() string {
	documents, nodes, reached := 0, 0, 0
	for _, p := range r.Proofs {
		documents, nodes, reached = documents+p.Documents, nodes+p.Nodes, reached+p.Reached
	}
	text := fmt.Sprintf("%s of compatibility, %s tried, seed %d", plural(len(r.Proofs), "claim", "claims"), plural(documents, "document", "documents"), r.Seed)
	if nodes > 0 {
		text += fmt.Sprintf("; they reached %d of %d nodes of the schemas", reached, nodes)
	}
	return text
}
