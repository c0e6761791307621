package matrix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

func now() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// declared asks for checkout:retry by the experiment refused, and for status:failover by nobody.
func declared() evidence.Declaration {
	return evidence.Declaration{System: "shop", Journeys: []evidence.Journey{{Name: "checkout", Owner: "team-orders"}, {Name: "status"}},
		Cells:    []evidence.Cell{{Journey: "checkout", Mode: "retry", Experiment: "refused"}},
		Required: []evidence.Requirement{{Journey: "checkout", Mode: "retry"}, {Journey: "status", Mode: "failover"}}}
}

// ran is a run some hours ago in which an experiment came to a verdict on checkout:retry.
func ran(id string, hours int, experiment string, v verdict.Verdict, change func(*evidence.Card)) evidence.Card {
	started := now().Add(-time.Duration(hours) * time.Hour)
	c := evidence.Card{Summary: evidence.Summary{ID: id, Status: evidence.Complete, Meta: evidence.Meta{ID: id, Started: started, Grade: "stream"}, End: &evidence.End{Ended: started}},
		System: "shop", Subjects: []evidence.Subject{{Service: "orders", SHA256: "sha256:01"}},
		Results: []evidence.CardResult{{Name: experiment, Owner: "team-x", Layer: "integration", Verdict: v, Reason: "because", Judged: started,
			Modes: map[string][]evidence.Mode{"checkout": {{Name: "retry", Proved: true, Text: "2 retries were seen"}}}}}}
	if change != nil {
		change(&c)
	}
	return c
}

// ofContracts makes a run one that compared contracts.
func ofContracts(c *evidence.Card) {
	c.Meta.Kind, c.Meta.Grade, c.Subjects, c.Results[0].Layer = evidence.KindContract, "", nil, "contract"
}

func modes() []string { return []string{"failover", "retry", "timeout"} }

func TestCells(t *testing.T) {
	t.Parallel()
	const pass, fail, unknown = verdict.Pass, verdict.Fail, verdict.Unknown
	mode := func(m ...evidence.Mode) func(*evidence.Card) {
		return func(c *evidence.Card) { c.Results[0].Modes = map[string][]evidence.Mode{"checkout": m} }
	}
	for _, tt := range []struct {
		name  string
		cards []evidence.Card
		want  verdict.Verdict
		says  string
	}{
		{"nothing ran", nil, unknown, "experiment refused has left no evidence"},
		{"proved", []evidence.Card{ran("b", 1, "refused", pass, nil)}, pass, "2 retries were seen"},
		{"failed", []evidence.Card{ran("b", 1, "refused", fail, nil)}, fail, "because"},
		{"the newest counts", []evidence.Card{ran("b", 1, "refused", fail, nil), ran("a", 2, "refused", pass, nil)}, fail, "because"},
		{"mended since", []evidence.Card{ran("b", 1, "refused", pass, nil), ran("a", 2, "refused", fail, nil)}, pass, "2 retries"},
		{"not proved", []evidence.Card{ran("b", 1, "refused", pass, mode(evidence.Mode{Name: "retry", Text: "no request was made again"}))}, unknown, "no request was made again"},
		{"not spoken of", []evidence.Card{ran("b", 1, "refused", pass, mode())}, unknown, "says nothing of retry"},
		{"failed without a word of it", []evidence.Card{ran("b", 1, "refused", fail, mode())}, fail, "because"},
		{"two sources, one failed", []evidence.Card{ran("b", 1, "refused", pass, nil), ran("a", 2, "other", fail, nil)}, fail, "because"},
		{"terms declare it, and nothing ran", []evidence.Card{ran("k", 1, "contract-orders", pass, ofContracts)}, unknown, "experiment refused has left no evidence"},
		{"terms beside what ran", []evidence.Card{ran("k", 1, "contract-orders", pass, ofContracts), ran("b", 2, "refused", pass, nil)}, pass, "2 retries were seen"},
		{"broken terms beside what ran", []evidence.Card{ran("k", 1, "contract-orders", fail, ofContracts), ran("b", 2, "refused", pass, nil)}, fail, "because"},
		{"a newer comparison of other contracts takes the place of an older", []evidence.Card{ran("l", 1, "contract-other", pass, ofContracts), ran("k", 2, "contract-orders", fail, ofContracts), ran("b", 3, "refused", pass, nil)}, pass, "2 retries"},
		{"an experiment that is gone", []evidence.Card{ran("b", 1, "other", pass, nil)}, unknown, "refused has left no evidence"},
		{"cut short", []evidence.Card{ran("b", 1, "refused", pass, func(c *evidence.Card) { c.Status, c.End, c.Reason = evidence.CutShort, nil, "its writer died" })}, unknown, "its writer died"},
		{"cut short after a failure", []evidence.Card{ran("b", 1, "refused", fail, func(c *evidence.Card) { c.Status, c.End = evidence.CutShort, nil })}, fail, "because"},
		{"of a broken system", []evidence.Card{ran("b", 1, "refused", pass, func(c *evidence.Card) { c.Meta.Defect = "no-retry" })}, unknown, "left no evidence"},
		{"of another system", []evidence.Card{ran("b", 1, "refused", pass, func(c *evidence.Card) { c.System = "bank" })}, unknown, "left no evidence"},
		{"of the future", []evidence.Card{ran("b", -2, "refused", pass, nil)}, unknown, "left no evidence"},
		{"planned, and not judged", []evidence.Card{ran("b", 1, "other", pass, func(c *evidence.Card) { c.Meta.Experiments = []string{"other", "refused"} }), ran("a", 2, "refused", pass, nil)}, unknown, "left no judgement"},
		{"refused", []evidence.Card{ran("b", 1, "refused", pass, func(c *evidence.Card) { c.Refused = "forged" })}, unknown, "left no evidence"},
	} {
		m := New(Facts{Now: now(), Declaration: declared(), Modes: modes(), Cards: tt.cards})
		c, ok := m.Cell("checkout", "retry")
		if !ok || c.Verdict != tt.want || !strings.Contains(c.Reason, tt.says) || !c.Required {
			t.Errorf("%s: %v %q %+v", tt.name, c.Verdict, c.Reason, c)
		}
		if c, _ := m.Cell("status", "failover"); c.Verdict != unknown || c.Word() != "unproven" {
			t.Errorf("%s: nobody proves status: failover, and it is %v %q", tt.name, c.Verdict, c.Word())
		}
		if v := m.Verdict(); v == pass {
			t.Errorf("%s: the matrix passes with an unproven cell", tt.name)
		}
	}
}

// A cell that no experiment claims is not proved by terms that speak of it: it shows their layer, and that nothing ran.
// A seed that failed counts until it was tried again or the code was changed, whatever other seeds come to.
func TestSimulatedSeeds(t *testing.T) {
	t.Parallel()
	seventeen := uint64(17)
	one := func(id string, hours int, v verdict.Verdict, commit string, seeds *evidence.Seeds) evidence.Card {
		return ran(id, hours, "sim-TestRetry", v, func(c *evidence.Card) {
			c.Meta.Kind, c.Meta.Grade, c.Subjects, c.Results[0].Layer, c.Meta.Commit, c.Results[0].Seeds = evidence.KindSim, "", nil, "component", commit, seeds
			c.Results[0].Reason = "of run " + id
		})
	}
	failed := one("f", 3, verdict.Fail, "c1", &evidence.Seeds{First: 1, Last: 17, Failed: &seventeen})
	for _, tt := range []struct {
		name  string
		newer []evidence.Card
		want  verdict.Verdict
	}{
		{"nothing since", nil, verdict.Fail},
		{"others of the same code", []evidence.Card{one("b", 2, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 2})}, verdict.Fail},
		{"it, too", []evidence.Card{one("b", 2, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 100})}, verdict.Pass},
		{"it, in another mode", []evidence.Card{one("b", 2, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 100, Mode: "fifo"})}, verdict.Fail},
		{"it, and then others", []evidence.Card{one("a", 1, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 2}), one("b", 2, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 100})}, verdict.Pass},
		{"other code", []evidence.Card{one("b", 2, verdict.Pass, "c2", &evidence.Seeds{First: 1, Last: 2})}, verdict.Pass},
		{"others, and then other code", []evidence.Card{one("a", 1, verdict.Pass, "c2", &evidence.Seeds{First: 1, Last: 2}), one("b", 2, verdict.Pass, "c1", &evidence.Seeds{First: 1, Last: 2})}, verdict.Pass},
		{"who knows which", []evidence.Card{one("b", 2, verdict.Pass, "c1", nil)}, verdict.Fail},
		{"others, unknown", []evidence.Card{one("b", 2, verdict.Unknown, "c1", &evidence.Seeds{First: 1, Last: 2})}, verdict.Fail},
	} {
		m := New(Facts{Declaration: evidence.Declaration{System: "shop"}, Cards: append(tt.newer, failed), Modes: modes(), Now: now()})
		c, ok := m.Cell("checkout", "retry")
		if !ok || c.Verdict != tt.want {
			t.Errorf("%s: %+v, want %v", tt.name, c, tt.want)
			continue
		}
		if says := "of run f; b ran others"; tt.name == "others of the same code" && c.Reason != says {
			t.Errorf("%s: %q, want %q", tt.name, c.Reason, says)
		}
	}
}

func TestDeclaredAlone(t *testing.T) {
	t.Parallel()
	d := declared()
	d.Cells = nil
	m := New(Facts{Now: now(), Declaration: d, Modes: modes(), Cards: []evidence.Card{ran("k", 1, "contract-orders", verdict.Pass, ofContracts)}})
	c, _ := m.Cell("checkout", "retry")
	if c.Verdict != verdict.Unknown || c.Layer != "contract" || c.Reason != "declared, and unproven: 2 retries were seen" || m.Count()[verdict.Pass] != 0 {
		t.Errorf("got %s, %q, layer %q", c.Verdict, c.Reason, c.Layer)
	}
	var text bytes.Buffer
	if err := m.WriteText(&text, nil); err != nil || !strings.Contains(text.String(), "declared, and unproven: 2 retries were seen (contract-orders, contract, run k") {
		t.Errorf("%v\n%s", err, text.String())
	}
}

// Evidence of an experiment that was changed since proves nothing, and of one that claims nothing it proves what it saw.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		cells   int
		is, was string
		want    verdict.Verdict
	}{
		{"as it was", 1, "sha256:1", "sha256:1", verdict.Pass}, {"changed since", 1, "sha256:2", "sha256:1", verdict.Unknown},
		{"without a claim", 0, "sha256:1", "sha256:1", verdict.Pass}, {"changed, without a claim", 0, "sha256:2", "sha256:1", verdict.Unknown},
	} {
		d := declared()
		d.Cells, d.Experiments = d.Cells[:tt.cells], []evidence.Defined{{Name: "refused", Definition: tt.is}}
		m := New(Facts{Now: now(), Declaration: d, Modes: modes(), Cards: []evidence.Card{ran("b", 1, "refused", verdict.Pass, func(c *evidence.Card) { c.Results[0].Definition = tt.was })}})
		if c, _ := m.Cell("checkout", "retry"); c.Verdict != tt.want {
			t.Errorf("%s: %v %s", tt.name, c.Verdict, c.Reason)
		}
	}
}

// Another tool's word counts beside the experiments'.
func TestForeignSource(t *testing.T) {
	t.Parallel()
	foreign := func(c *evidence.Card) {
		c.Meta.Kind, c.Meta.Grade, c.System = evidence.KindForeign, "claimed", ""
	}
	m := New(Facts{Now: now(), Declaration: declared(), Modes: modes(), Cards: []evidence.Card{ran("c", 0, "junit", verdict.Fail, foreign), ran("b", 1, "refused", verdict.Pass, nil)}})
	if c, _ := m.Cell("checkout", "retry"); c.Verdict != verdict.Fail || len(c.Sources) != 2 || !c.Sources[0].Foreign {
		t.Errorf("%+v", c)
	}
}

func TestWhatTheBaseHad(t *testing.T) {
	t.Parallel()
	base := declared()
	base.Journeys = append(base.Journeys, evidence.Journey{Name: "refund", Owner: "team-pay"})
	base.Cells = append(base.Cells, evidence.Cell{Journey: "checkout", Mode: "timeout", Experiment: "slow"}, evidence.Cell{Journey: "refund", Mode: "retry", Experiment: "refused"})
	m := New(Facts{Now: now(), Declaration: declared(), Base: &base, Modes: modes(), Cards: []evidence.Card{ran("b", 1, "refused", verdict.Pass, nil)}})
	if c, _ := m.Cell("checkout", "timeout"); !c.Removed || c.Word() != "REMOVED" {
		t.Errorf("%+v", c)
	}
	if row := m.Rows[len(m.Rows)-1]; row.Journey != "refund" || !row.Removed || row.Owner != "team-pay" {
		t.Errorf("%+v", row)
	}
	var text bytes.Buffer
	if err := m.WriteText(&text, nil); err != nil || !strings.Contains(text.String(), "\nfail  checkout: timeout: the base asks for it") {
		t.Errorf("%v\n%s", err, text.String())
	}
	if m.Verdict() != verdict.Fail || !strings.Contains(m.Title(), "removed") {
		t.Errorf("%v %s", m.Verdict(), m.Title())
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{-time.Second: "0s", 90 * time.Second: "90s", 3 * time.Minute: "3m", 119 * time.Minute: "119m", 3 * time.Hour: "3h", 47 * time.Hour: "1d", 240 * time.Hour: "10d"} {
		if got := Age(d).String(); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// Names that others chose do no harm in any form, and the same facts give the same bytes.
func TestForms(t *testing.T) {
	t.Parallel()
	const evil = "<script>alert(1)</script>|\n**x** @all `y` \"><img src=x onerror=alert(1)>"
	d := declared()
	d.Journeys[0].Name, d.Cells[0].Journey, d.Required[0].Journey = evil, evil, evil
	facts := Facts{Now: now(), Declaration: d, Modes: modes(), Cards: []evidence.Card{ran("b", 1, "refused", verdict.Fail, func(c *evidence.Card) { c.Results[0].Reason = evil })}}
	for name, write := range map[string]func(Matrix, *bytes.Buffer) error{
		"text":     func(m Matrix, w *bytes.Buffer) error { return m.WriteText(w, nil) },
		"markdown": func(m Matrix, w *bytes.Buffer) error { return m.WriteMarkdown(w) },
		"json":     func(m Matrix, w *bytes.Buffer) error { return json.NewEncoder(w).Encode(m) },
	} {
		var one, again bytes.Buffer
		if err := write(New(facts), &one); err != nil {
			t.Fatal(err)
		}
		if err := write(New(facts), &again); err != nil || one.String() != again.String() {
			t.Errorf("%s: the same facts gave other bytes, %v", name, err)
		}
		if name != "text" && name != "json" && (strings.Contains(one.String(), "<script>") || strings.Contains(one.String(), "<img")) {
			t.Errorf("%s lets a name through:\n%s", name, one.String())
		}
		if name == "markdown" && strings.Contains(one.String(), "@all") {
			t.Errorf("%s mentions people:\n%s", name, one.String())
		}
	}
}

func BenchmarkMatrix10000(b *testing.B) {
	var cards []evidence.Card
	for i := range 10_000 {
		cards = append(cards, ran(fmt.Sprint(i), i, "refused", verdict.Pass, nil))
	}
	for b.Loop() {
		New(Facts{Now: now(), Declaration: declared(), Modes: modes(), Cards: cards})
	}
}
