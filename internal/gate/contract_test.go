package gate

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// compared is a comparison of contracts some hours ago on the candidate's commit, with a result for each name.
func compared(id string, hours int, v verdict.Verdict, names ...string) evidence.Card {
	started := now().Add(-time.Duration(hours) * time.Hour)
	c := evidence.Card{System: "shop", Summary: evidence.Summary{ID: id, Status: evidence.Complete, End: &evidence.End{Ended: started, Verdict: v},
		Meta: evidence.Meta{ID: id, Kind: evidence.KindContract, Tool: "assay contract", Started: started, Commit: "c2", Against: []string{"c0", "c1"}}}}
	for _, name := range names {
		c.Results = append(c.Results, evidence.CardResult{Name: evidence.ContractPrefix + name, Layer: "contract", Verdict: v, Reason: "1 break", Judged: started, Sum: "sha256:bb",
			Modes: map[string][]evidence.Mode{"checkout": {{Name: "retry", Proved: v == pass, Text: "the terms speak of it"}}}})
	}
	return c
}

// A release needs each contract that the project names to have been compared, as it is, with the base.
func TestContracts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(s *scene, run *evidence.Card)
		want   verdict.Verdict
		says   string
	}{
		{"compared", func(*scene, *evidence.Card) {}, pass, "7 of 7 clauses hold"},
		{"never compared", func(_ *scene, run *evidence.Card) { run.Results = nil }, unknown, "contract orders: nobody compared it with what it was"},
		{"one of them", func(_ *scene, run *evidence.Card) { run.Results = run.Results[1:] }, unknown, "contract orders: nobody"},
		{"it breaks", func(_ *scene, run *evidence.Card) { run.Results[0].Verdict = fail }, fail, "contract orders: 1 break"},
		{"a file of a folder breaks", func(_ *scene, run *evidence.Card) { run.Results[1].Verdict = fail }, fail, "contract api: 1 break"},
		{"judged after the seal", func(_ *scene, run *evidence.Card) { run.Results[0].Later = true }, unknown, "contract orders: it was judged after its run was sealed"},
		{"undecided", func(_ *scene, run *evidence.Card) { run.Results[0].Verdict = unknown }, unknown, "contract orders: 1 break"},
		{"another commit", func(_ *scene, run *evidence.Card) { run.Meta.Commit = "c1" }, unknown, "it was compared on commit c1, and the candidate is c2"},
		{"files were changed since", func(s *scene, _ *evidence.Card) { s.candidate.Changes = "sha256:cc" }, unknown, "files were changed since it was compared"},
		{"compared with itself", func(_ *scene, run *evidence.Card) { run.Meta.Against = []string{"c2"} }, unknown, "it was not compared with the base main"},
		{"nobody knows the candidate's commit", func(s *scene, _ *evidence.Card) { s.candidate.Commit = "" }, unknown, "that of the candidate is not known"},
		{"waived", func(_ *scene, run *evidence.Card) {
			run.Results[0].Verdict, run.Results[0].WaivedUntil = unknown, now().AddDate(0, 0, 1)
		}, pass, "6 of 7 clauses hold, 1 waived"},
		{"the waiver has ended", func(_ *scene, run *evidence.Card) {
			run.Results[0].Verdict, run.Results[0].WaivedUntil = unknown, now()
		}, unknown, "contract orders: 1 break"},
		{"taken out of the project", func(s *scene, _ *evidence.Card) {
			s.base.Contracts = append(s.base.Contracts, evidence.Contract{Name: "events", Owner: "team-e"})
		}, fail, "base: the contract events: main has it, and this declaration has not"},
		{"taken out, and waived", func(s *scene, _ *evidence.Card) {
			s.base.Contracts = append(s.base.Contracts, evidence.Contract{Name: "events"})
			s.policy.Waivers = []Waiver{{Contract: "events", Allow: AllowFail, Owner: "a", Reason: "nobody listens", Expires: now().AddDate(0, 0, 9)}}
		}, pass, "1 waived"},
		{"another one is waived", func(s *scene, run *evidence.Card) {
			run.Results[0].Verdict = fail
			s.policy.Waivers = []Waiver{{Contract: "api", Allow: AllowFail, Owner: "a", Reason: "x", Expires: now().AddDate(0, 0, 9)}}
		}, fail, "contract orders: 1 break"},
		{"a waiver that allows no failure", func(s *scene, run *evidence.Card) {
			run.Results[0].Verdict = fail
			s.policy.Waivers = []Waiver{{Contract: "orders", Owner: "a", Reason: "x", Expires: now().AddDate(0, 0, 9)}}
		}, fail, "that takes allow: fail"},
		{"a newer comparison broke", func(s *scene, _ *evidence.Card) {
			s.cards = append([]evidence.Card{compared("k2", 1, fail, "orders", "api--x.yaml")}, s.cards...)
		}, fail, "contract orders: 1 break"},
		{"a newer comparison lacks one", func(s *scene, _ *evidence.Card) {
			s.cards = append([]evidence.Card{compared("k2", 1, pass, "orders")}, s.cards...)
		}, unknown, "contract api: nobody compared it"},
		{"of another system", func(_ *scene, run *evidence.Card) { run.System = "other" }, unknown, "contract orders: nobody"},
		{"refused", func(_ *scene, run *evidence.Card) { run.Refused = "run k1: it was changed" }, unknown, "evidence is whole: run k1"},
	} {
		s := newScene()
		s.declaration.Contracts = []evidence.Contract{{Name: "orders", Owner: "team-orders"}, {Name: "api"}}
		base := s.declaration
		base.Required = s.policy.Required(base.Journeys)
		s.base = &base
		run := compared("k1", 3, pass, "orders", "api--a.yaml", "api--b.yaml")
		tt.change(s, &run)
		s.cards = append(s.cards, run)
		f := s.facts()
		f.BaseCommits = []string{"c0"}
		d := Decide(t.Context(), f)
		if d.Verdict != tt.want || !strings.Contains(d.Reason, tt.says) {
			t.Errorf("%s: got %v %q, want %v %q", tt.name, d.Verdict, d.Reason, tt.want, tt.says)
		}
		if d.Verdict != pass && len(d.Flip.Changes)+len(d.Flip.Open) == 0 {
			t.Errorf("%s: nothing is said of what would flip it", tt.name)
		}
	}
}

// Terms that declare a mode are no proof that it is survived, however little the policy asks; beside an experiment they take nothing away.
func TestTermsProveNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		ran    bool
		terms  verdict.Verdict // Unknown: there are none
		want   verdict.Verdict
		reason string
	}{
		{"terms alone", false, pass, unknown, "checkout: retry: unproven: contract-orders declares it, and nothing ran"},
		{"an experiment alone", true, unknown, pass, ""},
		{"both", true, pass, pass, ""},
		{"broken terms", true, fail, fail, "checkout: retry: contract-orders failed: 1 break"},
	} {
		for _, same := range []string{"", SameCommit, SameAncestor} {
			s := newScene()
			s.policy.Require = []Require{{Journeys: []string{"*"}, Modes: []string{"retry"}, Same: same}}
			s.policy.Conditions = []Condition{{Name: "layer", Expect: `layer("checkout", "retry") == "integration" && verdict("checkout", "retry") == "pass"`}}
			s.declaration.Cells, s.cards = nil, s.cards[:1]
			if !tt.ran {
				s.cards = []evidence.Card{ran("r9", 1, "killed", "failover", pass)}
			}
			if tt.terms != unknown {
				s.cards = append(s.cards, compared("k1", 3, tt.terms, "orders"))
			}
			d := s.decide()
			if d.Verdict != tt.want || tt.want != pass && !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("%s, same %q: got %v %q, want %v %q", tt.name, same, d.Verdict, d.Reason, tt.want, tt.reason)
			}
		}
	}
}
