package gate

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/expr"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// What conditions read is of the candidate, of the experiment as it is now and as young as may be, or it is unknown.
func TestConditionsReadTheCandidates(t *testing.T) {
	t.Parallel()
	const quick, refused = `recovery_s("killed") < 5.0`, `result("refused") == "pass"`
	for _, tt := range []struct {
		name, expect string
		change       func(*scene)
		want         verdict.Verdict
		says, run    string // the reason, and the command that flips it
	}{
		{"as it should be", quick, func(*scene) {}, pass, "it holds", ""},
		{"too slow", `recovery_s("killed") < 2.0`, func(*scene) {}, fail, "it does not hold", "--experiment killed"},
		{"another binary", quick, func(s *scene) { s.cards[1].Subjects[0].SHA256 = "sha256:02" }, unknown, "killed ran on another orders", "--experiment killed"},
		{"a result of another binary", refused, func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, unknown, "refused ran on another orders", "--experiment refused"},
		{"behind an operator that needs no more", `run.commit == "c2" || ` + quick, func(s *scene) { s.cards[1].Subjects[0].SHA256 = "sha256:02" }, unknown, "killed ran on another orders", "--experiment killed"},
		{"another commit", quick, func(s *scene) { s.policy.Require[0].Same, s.cards[1].Meta.Commit = SameCommit, "c1" }, unknown, "killed ran on commit c1", "--experiment killed"},
		{"a commit before", quick, func(s *scene) { s.policy.Require[0].Same, s.cards[1].Meta.Commit = SameAncestor, "c1" }, pass, "", ""},
		{"stale", quick, func(s *scene) { s.cards[1].Meta.Started = now().Add(-8 * 24 * time.Hour) }, unknown, "killed is stale: 8d old, and may be 7d", "--experiment killed"},
		{"no age asked for", quick, func(s *scene) {
			s.policy.Require[0].MaxAge, s.cards[1].Meta.Started = 0, now().Add(-8*24*time.Hour)
		}, pass, "", ""},
		{"changed since", quick, func(s *scene) { s.declaration.Experiments[1].Definition = "sha256:dd" }, unknown, "experiment killed was changed since", "--experiment killed"},
		{"failed, and changed since", `result("killed") == "fail"`, func(s *scene) {
			s.cards[1].Results[0].Verdict, s.declaration.Experiments[1].Definition = fail, "sha256:dd"
		}, unknown, "experiment killed was changed since", "--experiment killed"},
		{"gone", quick, func(s *scene) {
			s.declaration.Experiments, s.declaration.Cells = s.declaration.Experiments[:1], s.declaration.Cells[:1]
		}, unknown, "the project has no experiment killed", "--experiment killed"},
		{"never ran", quick, func(s *scene) { s.cards = s.cards[:1] }, unknown, "experiment killed has left no evidence", "--experiment killed"},
		{"left no judgement when it ran last", quick, func(s *scene) {
			last := ran("r3", 0, "refused", "retry", pass)
			last.Meta.Experiments = []string{"refused", "killed"}
			s.cards = append([]evidence.Card{last}, s.cards...)
		}, unknown, "it was planned, and left no judgement", "--experiment killed"},
		{"cut short when it ran last", refused, func(s *scene) { s.cards[0].Status, s.cards[0].Reason = evidence.CutShort, "no end" }, fail, "it does not hold", "--experiment refused"},
		{"a recovery of what is unknown", quick, func(s *scene) { s.cards[1].Results[0].Verdict = unknown }, unknown, "experiment killed is unknown: lost 3 orders", "--experiment killed"},
		{"a recovery of what failed", quick, func(s *scene) { s.cards[1].Results[0].Verdict = fail }, pass, "", ""},
		{"no recovery", quick, func(s *scene) { s.cards[1].Results[0].Recovery = nil }, unknown, "broke nothing", "--experiment killed"},
		{"an experiment that claims nothing", `result("idle") == "pass"`, func(s *scene) {
			s.declaration.Experiments = append(s.declaration.Experiments, evidence.Defined{Name: "idle"})
			s.cards = append(s.cards, ran("r0", 3, "idle", "zone", pass))
			s.cards[2].Subjects[0].SHA256 = "sha256:02"
		}, unknown, "idle ran on another orders", "--experiment idle"},
		{"a cell of another binary", `verdict("checkout", "retry") == "pass"`, func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, unknown, "refused ran on another orders", "--experiment refused"},
		{"the age of another binary", `age_h("checkout", "retry") < 24.0`, func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, unknown, "refused ran on another orders", "--experiment refused"},
		{"a cell of an experiment that was changed", `verdict("checkout", "retry") != "fail"`, func(s *scene) { s.declaration.Experiments[0].Definition = "sha256:dd" }, unknown, "experiment refused was changed since", "--experiment refused"},
		{"a cell that nobody proves", `verdict("checkout", "zone") != "fail"`, func(*scene) {}, unknown, "no cell checkout: zone", "assay run ."},
		{"a count of what another binary passed", `count("pass") >= 2`, func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, fail, "it does not hold", "assay run ."},
		{"a clock that is a little ahead", `age_h("checkout", "retry") < 1.0`, func(s *scene) { s.cards[0].Meta.Started = now().Add(time.Minute) }, pass, "", ""},
		{"a run of another binary", `run.verdict == "pass"`, func(s *scene) { s.cards[0].Subjects[0].SHA256 = "sha256:02" }, unknown, "run r2 ran on another orders", "assay run ."},
		{"no run", `run.verdict == "pass"`, func(s *scene) { s.cards = nil }, unknown, "no whole run is in the store", "assay run ."},
	} {
		s := newScene()
		s.declaration.Experiments = slices.Clone(s.declaration.Experiments)
		s.policy.Conditions = []Condition{{Name: "it", Expect: tt.expect}}
		tt.change(s)
		d := s.decide()
		c := d.Clauses[len(d.Clauses)-1]
		if c.Verdict != tt.want || !strings.Contains(c.Reason, tt.says) {
			t.Errorf("%s: %v %q", tt.name, c.Verdict, c.Reason)
		}
		helps := func(change Change) bool { return strings.Contains(change.Command, tt.run) }
		if c.Verdict != pass && (len(c.Ways) == 0 || !slices.ContainsFunc(c.Ways[0], helps)) {
			t.Errorf("%s: no %q in %+v", tt.name, tt.run, c.Ways)
		}
		if again := s.decide(); !slices.Equal(again.Clauses[len(d.Clauses)-1].Evidence, c.Evidence) {
			t.Errorf("%s: other evidence is cited the second time", tt.name)
		}
	}
}

// A condition cites what it rests on, once each, with its age and owner.
func TestConditionsCite(t *testing.T) {
	t.Parallel()
	s := newScene()
	s.policy.Conditions = []Condition{{Name: "it", Expect: `!run.dirty && recovery_s("killed") < 5.0 && verdict("checkout", "failover") == "pass" && age_h("checkout", "retry") < 9.0 && run.seed != 7`}}
	d := s.decide()
	c := d.Clauses[len(d.Clauses)-1]
	var got []string
	for _, e := range c.Evidence {
		got = append(got, strings.Join([]string{e.Run, e.Experiment, e.Verdict.String(), e.Age.String(), e.Owner}, " "))
	}
	if want := "r2  pass 60m |r1 killed pass 2h team-x|r2 refused pass 60m team-x"; c.Verdict != pass || strings.Join(got, "|") != want {
		t.Errorf("%v %s\n got %s\nwant %s", c.Verdict, c.Reason, strings.Join(got, "|"), want)
	}
}

// Doing what is said of a condition that cannot be told flips it, and does for the cells that need the same.
func TestFlipOfConditions(t *testing.T) {
	t.Parallel()
	s := newScene()
	s.policy.Conditions = []Condition{{Name: "quick", Expect: `recovery_s("killed") < 5.0`}, {Name: "clean", Expect: `!run.dirty`}}
	s.cards = s.cards[:1]
	d := s.decide()
	if len(d.Flip.Changes) != 1 || d.Flip.Changes[0].Rerun != "killed" || len(d.Flip.Changes[0].Clauses) != 2 || !d.Flip.Smallest {
		t.Errorf("%+v", d.Flip)
	}
	s.cards = append([]evidence.Card{ran("r3", 0, "killed", "failover", pass)}, s.cards...)
	if d := s.decide(); d.Verdict != pass {
		t.Errorf("%v %s", d.Verdict, d.Reason)
	}
	s.cards = nil
	if d := s.decide(); len(d.Flip.Changes) != 2 || d.Flip.Command != "assay run . --experiment refused --experiment killed" {
		t.Errorf("any run will do for the one condition, and both are needed: %+v", d.Flip)
	}
	s.candidate.Problem = "nothing ran"
	if d := s.decide(); len(d.Flip.Changes) != 1 || d.Flip.Changes[0].Command != "assay run ." || len(d.Flip.Changes[0].Clauses) != 5 {
		t.Errorf("%+v", d.Flip)
	}
}

func TestConditionsThatDecideNothing(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		`result("x") != "failed"`:                `result never is "failed"`,
		`verdict("a", "b") == verdict("a", "b")`: "compares a thing with itself",
		`run.seed == run.seed`:                   "compares a thing with itself",
		`1 < 2`:                                  "reads nothing",
		`run.dirty || true`:                      "reads nothing",
		`"strem" == grade("a", "b")`:             `grade never is "strem"`,
		`result("x") != "fail" && grade("a", "b") != "stream"`: "",

		`count("fail") >= 0`:                                               `1:1: count("fail") >= 0 holds whatever the evidence is`,
		`result("x") == "pass" &&  0 <= count("fail")`:                     `1:27: 0 <= count("fail") holds whatever`,
		`age_h("a", "b") >= 0.0`:                                           "holds whatever",
		`sources("a", "b") > -1`:                                           "holds whatever",
		`sources("a", "b") >= 1`:                                           "holds whatever",
		`run.id != ""`:                                                     "holds whatever",
		`recovery_s("x") > -0.5`:                                           "holds whatever",
		`run.age_h >= 0`:                                                   "holds whatever",
		`!(count("fail") < 0)`:                                             `1:3: count("fail") < 0 never holds`,
		`count("fail") != 1.5`:                                             "holds whatever",
		`count("fail") < 3 || count("fail") > 2`:                           "holds whatever",
		`age_h("a", "b") < 3.0 || age_h("a", "b") > 2.0`:                   "holds whatever",
		`age_h("a", "b") > 3.0 && age_h("a", "b") < 2.0`:                   "never holds",
		`verdict("a", "b") == "pass" || verdict("a", "b") != "pass"`:       "holds whatever",
		`verdict("a", "b") in ["pass", "fail", "unknown"]`:                 "holds whatever",
		`verdict("a", "b").size() > 3`:                                     "holds whatever",
		`result("x") == "pass" && result("x") == "fail"`:                   "never holds",
		`run.dirty ? result("x") == "pass" : result("x") != "pass"`:        "",
		`run.dirty ? count("fail") >= 0 : result("x") == "pass"`:           "holds whatever",
		`run.commit == "a" || run.commit != "a"`:                           "holds whatever",
		`verdict("a", "b") > 3`:                                            "never holds",
		`count("unknown") < 100000`:                                        "",
		`count("fail") == 0 && age_h("a", "b") < 24.0`:                     "",
		`age_h("a", "b") > 2.0 && age_h("a", "b") < 2.5`:                   "",
		`count("pass") > count("fail")`:                                    "",
		`recovery_s("x") < 2.0 * recovery_s("y")`:                          "",
		`run.commit.startsWith("c") || run.id in ["a", "b"]`:               "",
		`run.seed < 0 || verdict("a", "b") == verdict("c", "d")`:           "",
		`age_h("a", "b") <= 0.0 || sources("a", "b") == 1`:                 "",
		`["a"].all(n, verdict(n, "retry") == "pass")`:                      "has no loops",
		`[].all(n, verdict(n, "retry") == "pass")`:                         "has no loops",
		`has(run.commit)`:                                                  "names what it reads",
		`run["commit"] == "c"`:                                             "names what it reads",
		`verdict("a" + "b", "retry") == "pass"`:                            "names what it reads",
		`run.comit == "c"`:                                                 "run has no comit (it has id, age_h, verdict, commit, dirty, seed)",
		`verdict("a") == "pass"`:                                           "verdict: it takes 2 names, not 1 (it takes a journey and a mode)",
		`count("failed") == 0`:                                             `count: `,
		`result(3) == "pass"`:                                              "it takes a name in quotes",
		strings.Repeat(`verdict("a", "b") == "pass" && `, 9) + `run.dirty`: "",
	} {
		_, err := Compile(src)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", src, err)
		}
		if at := (*expr.Error)(nil); err != nil && !errors.As(err, &at) {
			t.Errorf("%s: the mistake has no place", src)
		}
	}
}

// Of several sources a condition reads what is worst.
func TestConditionsReadTheWorst(t *testing.T) {
	t.Parallel()
	now := time.Now()
	young := matrix.Source{At: now.Add(-time.Hour), Grade: evidence.GradePacket, Layer: "integration"}
	old := matrix.Source{At: now.Add(-144 * time.Hour), Grade: evidence.GradeStream, Layer: "component"}
	for _, sources := range [][]matrix.Source{{young, old}, {old, young}} {
		if !oldest(sources).Equal(old.At) {
			t.Errorf("the oldest is of %v", oldest(sources))
		}
		if got := least(evidence.Grades(), sources, func(s matrix.Source) string { return s.Grade }); got != evidence.GradeStream {
			t.Errorf("grade %s", got)
		}
		if got := least(evidence.Layers(), sources, func(s matrix.Source) string { return s.Layer }); got != "component" {
			t.Errorf("layer %s", got)
		}
	}
}
