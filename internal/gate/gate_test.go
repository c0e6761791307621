package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

const (
	pass    = verdict.Pass
	fail    = verdict.Fail
	unknown = verdict.Unknown
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// A scene is what a decision is made of: a shop whose checkout must be proved against retry and failover.
type scene struct {
	declaration evidence.Declaration
	base        *evidence.Declaration
	policy      Policy
	cards       []evidence.Card
	candidate   Candidate
	ancestors   map[string]bool
}

func newScene() *scene {
	s := &scene{candidate: Candidate{Digests: map[string]string{"orders": "sha256:01"}, Commit: "c2", From: "the test"}, ancestors: map[string]bool{"c1": true}}
	s.declaration = evidence.Declaration{System: "shop", Journeys: []evidence.Journey{{Name: "checkout", Owner: "team-orders"}},
		Cells:       []evidence.Cell{{Journey: "checkout", Mode: "retry", Experiment: "refused"}, {Journey: "checkout", Mode: "failover", Experiment: "killed"}},
		Experiments: []evidence.Defined{{Name: "refused"}, {Name: "killed"}}}
	s.policy = Policy{File: "gate.yaml", Require: []Require{{Journeys: []string{"*"}, Modes: []string{"retry", "failover"}, Same: SameDigests, MaxAge: 7 * 24 * time.Hour}}}
	s.cards = []evidence.Card{ran("r2", 1, "refused", "retry", pass), ran("r1", 2, "killed", "failover", pass)}
	return s
}

// ran is a run some hours ago in which an experiment came to a verdict on a mode of checkout.
func ran(id string, hours int, experiment, mode string, v verdict.Verdict) evidence.Card {
	started := now().Add(-time.Duration(hours) * time.Hour)
	return evidence.Card{Summary: evidence.Summary{ID: id, Status: evidence.Complete, Meta: evidence.Meta{ID: id, Started: started, Grade: "stream", Commit: "c2"}, End: &evidence.End{Ended: started, Verdict: v}},
		System: "shop", Subjects: []evidence.Subject{{Service: "orders", SHA256: "sha256:01"}},
		Results: []evidence.CardResult{{Name: experiment, Owner: "team-x", Layer: "integration", Verdict: v, Reason: "lost 3 orders", Judged: started, Sum: "sha256:aa",
			Recovery: &evidence.Recovery{Recovered: true, FromInject: 3 * time.Second}, Modes: map[string][]evidence.Mode{"checkout": {{Name: mode, Proved: true, Text: "it was seen"}}}}}}
}

func (s *scene) facts() Facts {
	d := s.declaration
	d.Required = s.policy.Required(d.Journeys)
	f := Facts{Policy: s.policy, Declaration: d, Base: s.base, BaseName: "main", Candidate: s.candidate, Ancestors: s.ancestors, Path: ".",
		Command: func(words ...string) string { return "assay " + strings.Join(words, " ") }}
	for i, c := range s.cards {
		if f.Newest == nil && c.Status == evidence.Complete {
			f.Newest = &s.cards[i]
		}
	}
	f.Matrix = matrix.New(matrix.Facts{Now: now(), Declaration: d, Base: s.base, Modes: []string{"failover", "retry"}, Cards: s.cards})
	return f
}

func (s *scene) decide() Decision { return Decide(context.Background(), s.facts()) }

func TestDecide(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*scene)
		want   verdict.Verdict
		says   string
	}{
		{"all is proved", func(*scene) {}, pass, "5 of 5 clauses hold"},
		{"one failed", func(s *scene) { s.cards[0].Results[0].Verdict = fail }, fail, "checkout: retry: refused failed: lost 3 orders"},
		{"one is unknown", func(s *scene) { s.cards[0].Results[0].Verdict = unknown }, unknown, "refused: lost 3 orders"},
		{"one never ran", func(s *scene) { s.cards = s.cards[:1] }, unknown, "experiment killed has left no evidence"},
		{"nobody claims one", func(s *scene) { s.cards, s.declaration.Cells = s.cards[:1], s.declaration.Cells[:1] }, unknown, "checkout: failover: unproven"},
		{"stale", func(s *scene) { s.cards[0].Meta.Started = now().Add(-8 * 24 * time.Hour) }, unknown, "refused is stale: 8d old, and may be 7d"},
		{"fresh enough", func(s *scene) { s.cards[0].Meta.Started = now().Add(-7 * 24 * time.Hour) }, pass, ""},
		{"another binary", func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, unknown, "another orders: sha256:02, and the candidate has sha256:01"},
		{"a failure of another binary", func(s *scene) { s.cards[0].Results[0].Verdict, s.cards[0].Subjects[0].SHA256 = fail, "sha256:02" }, unknown, "another orders"},
		{"a service more", func(s *scene) {
			s.cards[0].Subjects = append(s.cards[0].Subjects, evidence.Subject{Service: "db", SHA256: "sha256:03"})
		}, unknown, "another db"},
		{"a service less", func(s *scene) { s.candidate.Digests["db"] = "sha256:03" }, unknown, "another db"},
		{"no binary named", func(s *scene) { s.cards[0].Subjects = nil }, unknown, "binaries that it does not name"},
		{"no candidate", func(s *scene) { s.candidate = Candidate{Problem: "nobody knows what is released"} }, unknown, "candidate: nobody knows"},
		{"same commit", func(s *scene) { s.policy.Require[0].Same = SameCommit }, pass, ""},
		{"another commit", func(s *scene) { s.policy.Require[0].Same, s.cards[0].Meta.Commit = SameCommit, "c1" }, unknown, "on commit c1, and the candidate is c2"},
		{"uncommitted changes", func(s *scene) { s.policy.Require[0].Same, s.cards[0].Meta.Dirty = SameCommit, true }, unknown, "uncommitted changes"},
		{"ancestor", func(s *scene) { s.policy.Require[0].Same, s.cards[0].Meta.Commit = SameAncestor, "c1" }, pass, ""},
		{"no ancestor", func(s *scene) { s.policy.Require[0].Same, s.cards[0].Meta.Commit = SameAncestor, "c0" }, unknown, "not one that c2 descends from"},
		{"grade", func(s *scene) { s.policy.Require[0].Grade = "packet" }, unknown, "has the grade stream, and the policy asks for packet"},
		{"a refused run", func(s *scene) {
			s.cards = append(s.cards, evidence.Card{Summary: evidence.Summary{ID: "r0"}, Refused: "run r0: ops.jsonl was changed"})
		}, unknown, "evidence is whole: run r0: ops.jsonl was changed"},
		{"a policy that asks for nothing", func(s *scene) { s.policy.Require = nil }, unknown, "requires no cell"},
		{"a condition", func(s *scene) {
			s.policy.Conditions = []Condition{{Name: "quick", Expect: `recovery_s("killed") < 5.0 && age_h("checkout", "retry") < 2.0 && run.commit == "c2"`}}
		}, pass, "6 of 6"},
		{"a condition that does not hold", func(s *scene) {
			s.policy.Conditions = []Condition{{Name: "quick", Expect: `recovery_s("killed") < 2.0`}}
		}, fail, "quick: it does not hold"},
		{"a condition over nothing", func(s *scene) {
			s.policy.Conditions = []Condition{{Name: "quick", Expect: `recovery_s("nobody") < 2.0 || run.commit == "c2"`}}
		}, unknown, "the project has no experiment nobody"},
		{"a condition over no cell", func(s *scene) {
			s.policy.Conditions = []Condition{{Name: "x", Expect: `verdict("nobody", "retry") != "fail"`}}
		}, unknown, "no cell nobody: retry"},
		{"a base that cannot be read", func(s *scene) { s.base = nil }, pass, ""},
	} {
		s := newScene()
		tt.change(s)
		d := s.decide()
		if d.Verdict != tt.want || !strings.Contains(d.Reason, tt.says) {
			t.Errorf("%s: %v %q", tt.name, d.Verdict, d.Reason)
		}
		if d.Verdict != pass && len(d.Flip.Changes)+len(d.Flip.Open) == 0 && len(s.policy.Require) > 0 {
			t.Errorf("%s: nothing is said of what would flip it", tt.name)
		}
	}
}

// What another tool says never stands in for an experiment, and of one binary says nothing of another.
func TestForeignEvidenceStandsBeside(t *testing.T) {
	t.Parallel()
	foreign := func(id, name, digest string, hours int, v verdict.Verdict) evidence.Card {
		c := ran(id, hours, name, "retry", v)
		c.Meta.Kind, c.Meta.Grade, c.System, c.Subjects = evidence.KindForeign, "claimed", "", nil
		if digest != "" {
			c.Subjects = []evidence.Subject{{Service: "orders", SHA256: digest}}
		}
		return c
	}
	for _, tt := range []struct {
		name  string
		cards func(*scene)
		want  verdict.Verdict
	}{
		{"named like an experiment that never ran", func(s *scene) { s.cards[0] = foreign("f1", "refused", "sha256:01", 0, pass) }, unknown},
		{"named like an experiment that failed", func(s *scene) {
			s.cards[0].Results[0].Verdict = fail
			s.cards = append([]evidence.Card{foreign("f1", "refused", "sha256:01", 0, pass)}, s.cards...)
		}, fail},
		{"a pass of another binary after a failure of this one", func(s *scene) {
			s.cards = append([]evidence.Card{foreign("f2", "junit", "sha256:02", 0, pass), foreign("f1", "junit", "sha256:01", 1, fail)}, s.cards...)
		}, fail},
		{"a failure of another binary", func(s *scene) {
			s.cards = append([]evidence.Card{foreign("f1", "junit", "sha256:02", 0, fail)}, s.cards...)
		}, pass},
		{"a failure of nobody knows what", func(s *scene) {
			s.cards = append([]evidence.Card{foreign("f1", "junit", "", 0, fail)}, s.cards...)
		}, unknown},
	} {
		s := newScene()
		tt.cards(s)
		if d := s.decide(); d.Verdict != tt.want {
			t.Errorf("%s: %v %s", tt.name, d.Verdict, d.Reason)
		}
	}
}

// Commands are made here: what evidence brings along is never printed as something to paste.
func TestCommandsAreNotTheEvidences(t *testing.T) {
	t.Parallel()
	for _, v := range []verdict.Verdict{unknown, fail} {
		s := newScene()
		s.cards[0].Results[0].Verdict, s.cards[0].Results[0].Replay = v, "curl https://example.com | sh"
		var text bytes.Buffer
		if err := s.decide().WriteText(&text, nil); err != nil || strings.Contains(text.String(), "curl") || !strings.Contains(text.String(), "assay run . --experiment refused") {
			t.Errorf("%v:\n%s", err, text.String())
		}
	}
}

func TestBaseThatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := newScene().facts()
	f.BaseErr = "no revision is called x"
	if d := Decide(t.Context(), f); d.Verdict != unknown || !strings.Contains(d.Reason, "no revision") {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
}

// Deleting what was asked for never turns the gate green.
func TestWhatTheBaseAsksFor(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*evidence.Declaration){
		"a journey": func(d *evidence.Declaration) {
			d.Journeys = append(d.Journeys, evidence.Journey{Name: "refund"})
		},
		"a claim": func(d *evidence.Declaration) {
			d.Cells = append(d.Cells, evidence.Cell{Journey: "checkout", Mode: "timeout"})
		},
		"a requirement": func(d *evidence.Declaration) {
			d.Required = append(d.Required, evidence.Requirement{Journey: "checkout", Mode: "timeout"})
		},
		"a claim of an experiment beside another's": func(d *evidence.Declaration) {
			d.Cells = append(d.Cells, evidence.Cell{Journey: "checkout", Mode: "retry", Experiment: "storm"})
		},
		"a condition": func(d *evidence.Declaration) {
			d.Conditions = append(d.Conditions, evidence.Condition{Name: "quick", Expect: `recovery_s("killed") < 1.0`})
		},
		"a shorter reach of waivers": func(d *evidence.Declaration) { d.WaiversMax = 30 * 24 * time.Hour },
		"a younger age":              func(d *evidence.Declaration) { d.Required[0].MaxAge = time.Hour },
		"a stricter same":            func(d *evidence.Declaration) { d.Required[0].Same = SameDigests },
		"a higher grade":             func(d *evidence.Declaration) { d.Required[0].Grade = "packet" },
	} {
		s := newScene()
		s.policy.Require[0].Same = SameAncestor
		base := s.declaration
		base.Required = s.policy.Required(base.Journeys)
		s.base = &base
		if d := s.decide(); d.Verdict != pass {
			t.Fatalf("with the same base: %v %s", d.Verdict, d.Reason)
		}
		change(&base)
		if d := s.decide(); d.Verdict != fail || !strings.HasPrefix(d.Reason, "base: ") {
			t.Errorf("%s: %v %s", name, d.Verdict, d.Reason)
		}
	}
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*scene, *Waiver)
		want   verdict.Verdict
		state  string
	}{
		{"in force", func(*scene, *Waiver) {}, pass, "used"},
		{"of a failure", func(s *scene, w *Waiver) { s.cards[0].Results[0].Verdict, w.Allow = fail, AllowFail }, pass, "used"},
		{"that allows a failure, of what is not proved", func(_ *scene, w *Waiver) { w.Allow = AllowFail }, pass, "used"},
		{"of a failure that it does not allow", func(s *scene, _ *Waiver) { s.cards[0].Results[0].Verdict = fail }, fail, "allows no failure"},
		{"that says so, of a failure that it does not allow", func(s *scene, w *Waiver) { s.cards[0].Results[0].Verdict, w.Allow = fail, AllowUnknown }, fail, "allows no failure"},
		{"of what was removed, and allows no failure", func(s *scene, w *Waiver) {
			base := s.declaration
			base.Cells = append(slices.Clip(base.Cells), evidence.Cell{Journey: "checkout", Mode: "retry", Experiment: "storm"})
			s.base, s.cards[0].Results[0].Verdict = &base, pass
		}, fail, "allows no failure"},
		{"as far ahead as may be", func(_ *scene, w *Waiver) { w.Expires = now().Add(DefaultWaiversMax) }, pass, "used"},
		{"too far ahead", func(_ *scene, w *Waiver) { w.Expires = now().Add(DefaultWaiversMax + time.Second) }, unknown, "too far ahead"},
		{"in a hundred years", func(_ *scene, w *Waiver) { w.Expires, w.Allow = now().AddDate(100, 0, 0), AllowFail }, unknown, "too far ahead"},
		{"further than the policy lets it", func(s *scene, w *Waiver) {
			s.policy.WaiversMax, w.Expires = 24*time.Hour, now().Add(25*time.Hour)
		}, unknown, "too far ahead"},
		{"as far as the policy lets it", func(s *scene, w *Waiver) {
			s.policy.WaiversMax, w.Expires = 400*24*time.Hour, now().AddDate(1, 0, 0)
		}, pass, "used"},
		{"for every mode", func(_ *scene, w *Waiver) { w.Modes = []string{"*"} }, pass, "used"},
		{"expired", func(_ *scene, w *Waiver) { w.Expires = now() }, unknown, "expired"},
		{"of another mode", func(_ *scene, w *Waiver) { w.Modes = []string{"timeout"} }, unknown, "unused"},
		{"of another journey", func(_ *scene, w *Waiver) { w.Journeys = []string{"refund"} }, unknown, "unused"},
		{"of another commit", func(_ *scene, w *Waiver) { w.Commit = "d" }, unknown, "of another commit"},
		{"nothing to waive", func(s *scene, _ *Waiver) { s.cards[0].Results[0].Verdict = pass }, pass, "unused"},
		{"forged evidence cannot be waived", func(s *scene, w *Waiver) {
			w.Modes = []string{"*"}
			s.cards = append(s.cards, evidence.Card{Summary: evidence.Summary{ID: "r0"}, Refused: "forged"})
		}, unknown, "used"},
	} {
		s := newScene()
		s.cards[0].Results[0].Verdict = unknown
		s.policy.Waivers = []Waiver{{Journeys: []string{"checkout"}, Modes: []string{"retry"}, Owner: "team-orders", Reason: "the new client", Expires: now().Add(time.Hour)}}
		tt.change(s, &s.policy.Waivers[0])
		d := s.decide()
		if d.Verdict != tt.want || len(d.Waivers) != 1 || d.Waivers[0].State != tt.state {
			t.Errorf("%s: %v %s, waivers %+v", tt.name, d.Verdict, d.Reason, d.Waivers)
		}
		var text bytes.Buffer
		if err := d.WriteText(&text, nil); err != nil || !strings.Contains(text.String(), "1 waivers") {
			t.Errorf("%s: the waiver is not counted:\n%s", tt.name, text.String())
		}
	}
}

// Another tool's results fill a cell, for the service that they name.
func TestForeignEvidence(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		subjects []evidence.Subject
		v, want  verdict.Verdict
		grade    string
	}{
		{"of the candidate", []evidence.Subject{{Service: "orders", SHA256: "sha256:01"}}, pass, pass, ""},
		{"of another binary", []evidence.Subject{{Service: "orders", SHA256: "sha256:09"}}, pass, unknown, ""},
		{"of no binary", nil, pass, unknown, ""},
		{"failed", []evidence.Subject{{Service: "orders", SHA256: "sha256:01"}}, fail, fail, ""},
		{"claimed where proof is asked for", []evidence.Subject{{Service: "orders", SHA256: "sha256:01"}}, pass, unknown, "stream"},
	} {
		s := newScene()
		s.declaration.Cells = s.declaration.Cells[1:]
		s.candidate.Digests["payments"] = "sha256:05"
		s.cards[1].Subjects = append(s.cards[1].Subjects, evidence.Subject{Service: "payments", SHA256: "sha256:05"})
		c := ran("r3", 1, "junit", "retry", tt.v)
		c.Meta.Kind, c.Meta.Grade, c.System, c.Subjects = evidence.KindForeign, "claimed", "", tt.subjects
		s.cards[0] = c
		s.policy.Require[0].Grade = tt.grade
		if d := s.decide(); d.Verdict != tt.want {
			t.Errorf("%s: %v %s", tt.name, d.Verdict, d.Reason)
		}
	}
}

// The same facts give the same bytes in every form.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	s := newScene()
	s.cards[0].Results[0].Verdict = fail
	s.policy.Conditions = []Condition{{Name: "a, b: c%\nd", Expect: `count("fail") == 0`, Pos: "gate.yaml:7:3"}}
	forms := func() string {
		d := s.decide()
		var all bytes.Buffer
		for _, write := range []func() error{func() error { return d.WriteText(&all, nil) }, func() error { return d.WriteMarkdown(&all) },
			func() error { return d.WriteJUnit(&all) }, func() error { return d.WriteGitHub(&all) }, func() error { return json.NewEncoder(&all).Encode(d) }} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
		return all.String()
	}
	one := forms()
	for range 20 {
		if again := forms(); again != one {
			t.Fatalf("other bytes:\n%s\n%s", one, again)
		}
	}
	if want := "::error file=gate.yaml,line=7,title=assay gate%3A a%2C b%3A c%25%0Ad fail::"; !strings.Contains(one, want) {
		t.Errorf("no %q in\n%s", want, one)
	}
}

// An annotation is pinned to a line, also where the clause stands nowhere in the policy, and says what would make it pass.
func TestGitHub(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(s *scene)
		want string
	}{
		{"a cell of a policy", func(s *scene) { s.cards[0].Results[0].Verdict = fail },
			"::error file=gate.yaml,line=1,title=assay gate%3A checkout%3A retry fail::refused failed: lost 3 orders%0Ato make it pass: fix the system%0A    assay run . --experiment refused"},
		{"a cell of the default policy", func(s *scene) { s.cards[0].Results[0].Verdict, s.policy.File = fail, "" },
			"::error file=assay.yaml,line=1,title=assay gate%3A checkout%3A retry fail::"},
		{"a policy that asks for nothing", func(s *scene) { s.policy.Require = nil },
			"::error file=gate.yaml,line=1,title=assay gate%3A unknown::the policy requires no cell\n"},
		{"all is well", func(*scene) {}, "::notice title=assay gate%3A pass::"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene()
			s.policy.File = "gate.yaml"
			tt.edit(s)
			var text bytes.Buffer
			if err := s.decide().WriteGitHub(&text); err != nil || !strings.Contains(text.String(), tt.want) {
				t.Errorf("%v, want %s in\n%s", err, tt.want, text.String())
			}
		})
	}
}

// BenchmarkGate1000 decides over 1,000 pieces of evidence: 200 journeys by 5 modes.
func BenchmarkGate1000(b *testing.B) {
	s := newScene()
	s.declaration, s.cards = evidence.Declaration{System: "shop"}, nil
	modes := DefaultModes()
	for i := range 200 {
		journey := fmt.Sprint("journey-", i)
		s.declaration.Journeys = append(s.declaration.Journeys, evidence.Journey{Name: journey})
		card := ran(fmt.Sprint("r", i), i%100, fmt.Sprint("x", i), "retry", pass)
		proofs := map[string][]evidence.Mode{}
		for _, mode := range modes {
			s.declaration.Cells = append(s.declaration.Cells, evidence.Cell{Journey: journey, Mode: mode, Experiment: fmt.Sprint("x", i)})
			proofs[journey] = append(proofs[journey], evidence.Mode{Name: mode, Proved: true, Text: "seen"})
		}
		card.Results[0].Modes = proofs
		s.cards = append(s.cards, card)
	}
	s.policy.Require[0].Modes = modes
	for b.Loop() {
		if d := s.decide(); d.Verdict != pass || len(d.Clauses) != 1003 {
			b.Fatal(d.Verdict, d.Reason, len(d.Clauses))
		}
	}
}
