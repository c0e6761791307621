package evidence

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/verdict"
)

// provingRun makes a sealed run with one experiment that proves checkout:retry.
func provingRun(tb testing.TB, s *Store, started time.Time) *Run {
	tb.Helper()
	r, err := s.Create(Meta{Version: "1", Seed: 1, Grade: GradeStream, Environment: "plain", Commit: "c0ffee", Started: started})
	if err != nil {
		tb.Fatal(err)
	}
	records := []error{
		r.WriteJSON("declaration.json", Declaration{System: "shop", Journeys: []Journey{{"checkout", "team-orders"}}, Cells: []Cell{{"checkout", "retry", "refused"}}}),
		r.WriteJSON("subjects.json", []Subject{{Service: "orders", Instances: []string{"orders-1"}, SHA256: "sha256:01"}}),
		r.WriteFile("plan.json", []byte("{}")), r.WriteFile("timings.json", []byte("[]")),
		r.WriteFile("files/assay.yaml", []byte("system: shop")), r.WriteFile("logs/orders-1.log", []byte("up\n")),
		r.WriteFile("x/refused/ops.jsonl", []byte("{}\n")), r.WriteFile("x/refused/events.jsonl", nil),
		r.WriteFile("x/refused/env.jsonl", nil), r.WriteFile("x/refused/exchanges.jsonl", nil),
		r.AddJudgement("refused", ExperimentResult{Name: "refused", Owner: "team-orders", Verdict: verdict.Pass, Reason: "1 of 1 checks hold", Judged: started,
			Checks: []Checked{{"during", check.Result{Check: `success("checkout") > 0.9`, Verdict: verdict.Pass, Measured: "0.99"}}},
			Modes:  map[string][]Mode{"checkout": {{"retry", true, "2 retries were seen"}}}}),
		r.Seal(End{Ended: started.Add(time.Minute), Verdict: verdict.Pass}),
	}
	for _, err := range records {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return r
}

func TestCard(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	r := provingRun(t, s, time.Now())
	for range 2 { // verified, then remembered
		cards, err := s.Cards()
		must(t, err)
		if len(cards) != 1 || cards[0].Refused != "" || cards[0].Status != Complete || cards[0].ID != r.ID() || len(cards[0].Results) != 1 {
			t.Fatalf("%+v", cards)
		}
		if got := cards[0].Results[0]; got.Name != "refused" || got.Verdict != verdict.Pass || got.Layer != DefaultLayer || !got.Modes["checkout"][0].Proved {
			t.Errorf("%+v", got)
		}
	}
}

// Whatever is done to a run that was remembered, its card says so.
func TestCardOfChangedRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		change     func(*testing.T, *Run)
	}{
		{"records cut", "ops.jsonl was changed", func(t *testing.T, r *Run) { must(t, os.Truncate(r.path("x/refused/ops.jsonl"), 1)) }},
		{"file added", "was added", func(t *testing.T, r *Run) { must(t, os.WriteFile(r.path("x/refused/more"), nil, 0o666)) }},
		{"file gone", "is missing", func(t *testing.T, r *Run) { must(t, os.Remove(r.path("subjects.json"))) }},
		{"judgement edited", "", func(t *testing.T, r *Run) { edit(t, r, "x/refused/judged-1.json", "2 retries", "3 retries") }},
		{"later judgement forged", "cannot be read", func(t *testing.T, r *Run) {
			must(t, os.WriteFile(r.path("x/refused/judged-2.json"), []byte(`{"name":"refused","verdict":"pass"}`), 0o666))
		}},
		{"newer format", "use a newer one", func(t *testing.T, r *Run) { edit(t, r, "run.json", `"format": 1`, `"format": 2`) }},
		{"unknown kind", "a kind", func(t *testing.T, r *Run) { edit(t, r, "run.json", `"format": 1`, `"format": 1, "kind": "dream"`) }},
		{"seal garbled", "cannot be read", func(t *testing.T, r *Run) { must(t, os.WriteFile(r.path("end.json"), []byte("{"), 0o666)) }},
	} {
		s := newStore(t)
		r := provingRun(t, s, time.Now())
		_, err := s.Cards()
		must(t, err)
		tt.change(t, r)
		cards, err := s.Cards()
		must(t, err)
		if got := cards[0]; got.Refused == "" || !strings.Contains(got.Refused, tt.want) || len(got.Results) != 0 {
			t.Errorf("%s: %q %+v", tt.name, got.Refused, got.Results)
		}
	}
}

func edit(t *testing.T, r *Run, name, old, new string) {
	t.Helper()
	text, err := os.ReadFile(r.path(name))
	must(t, err)
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q:\n%s", name, old, text)
	}
	must(t, os.WriteFile(r.path(name), []byte(strings.Replace(string(text), old, new, 1)), 0o666))
}

// Cards of runs that were sealed by a writer that lies are refused by what they say.
func TestInconsistentResults(t *testing.T) {
	t.Parallel()
	pass := Checked{"during", check.Result{Check: "c", Verdict: verdict.Pass, Measured: "1"}}
	unknown := Checked{"during", check.Result{Check: "c"}}
	nan := Checked{"during", check.Result{Check: "c", Verdict: verdict.Pass, Measured: "NaN"}}
	for name, r := range map[string]ExperimentResult{
		"no check":         {},
		"unknown check":    {Checks: []Checked{pass, unknown}},
		"measured NaN":     {Checks: []Checked{nan}},
		"a problem":        {Checks: []Checked{pass}, Problems: []string{"cut"}},
		"which can't fail": {Checks: []Checked{pass}, CannotFail: []string{"c"}},
	} {
		r.Name, r.Verdict = "x", verdict.Pass
		if err := r.consistent(); err == nil {
			t.Errorf("%s: it is believed", name)
		}
	}
	if err := (ExperimentResult{Verdict: verdict.Pass, Checks: []Checked{pass}}).consistent(); err != nil {
		t.Error(err)
	}
}

func TestCardOfCutRun(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	r := newRun(t, s)
	must(t, r.WriteJSON("declaration.json", Declaration{System: "shop"}))
	_, err := r.Experiment("slow")
	must(t, err)
	must(t, r.AddJudgement("slow", ExperimentResult{Name: "slow", Verdict: verdict.Fail, Reason: "lost"}))
	must(t, r.Close())
	cards, err := s.Cards()
	must(t, err)
	if got := cards[0]; got.Status != CutShort || got.Refused != "" || len(got.Results) != 1 || got.Results[0].Verdict != verdict.Fail {
		t.Errorf("%+v", got)
	}
}

func TestCardOfAFutureClock(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newStore(t)
	card := provingRun(t, s, now.Add(time.Hour)).Card()
	if got := card.AsOf(now); !strings.Contains(got.Refused, "ahead") || len(got.Results) > 0 {
		t.Errorf("%+v", got)
	}
	if got := card.AsOf(now.Add(time.Hour + time.Minute)); got.Refused != "" {
		t.Error(got.Refused)
	}
}

func TestIndexThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	provingRun(t, s, time.Now())
	_, err := s.Cards()
	must(t, err)
	path, ok := s.index()
	if !ok {
		t.Skip("there is no folder for an index")
	}
	for _, content := range []string{"", "{\n", "null\n", s.dir + "\n{\n", "elsewhere\n", s.dir + "\n" + `{"print":"x","card":{"id":"nobody"}}` + "\n"} {
		must(t, os.WriteFile(path, []byte(content), 0o666))
		if cards, err := s.Cards(); err != nil || len(cards) != 1 || cards[0].Refused != "" {
			t.Errorf("with the index %q: %+v, %v", content, cards, err)
		}
	}
}

// BenchmarkCards10000 is what a matrix over 10,000 runs reads, verified before.
func BenchmarkCards10000(b *testing.B) {
	dir := b.TempDir()
	s, err := OpenStore(dir)
	if err != nil {
		b.Fatal(err)
	}
	multiply(b, s, 10_000)
	begin := time.Now()
	if _, err := s.Cards(); err != nil {
		b.Fatal(err)
	}
	first := time.Since(begin)
	for b.Loop() {
		cards, err := s.Cards()
		if err != nil || len(cards) != 10_000 || cards[0].Refused != "" {
			b.Fatal(len(cards), cards[0].Refused, err)
		}
	}
	b.ReportMetric(first.Seconds(), "s-the-first-time")
}

// multiply makes n proving runs, without waiting for the disk.
func multiply(b *testing.B, s *Store, n int) {
	b.Helper()
	b.StopTimer()
	for i := range n {
		provingRun(b, s, time.Now().Add(-time.Duration(i)*time.Hour))
		if i%1000 == 0 {
			fmt.Fprint(os.Stderr, ".")
		}
	}
	b.StartTimer()
}

func TestCardOfACopiedRun(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	r := provingRun(t, s, time.Now())
	must(t, os.CopyFS(filepath.Join(s.runs(), r.ID()+"0"), os.DirFS(r.Dir())))
	must(t, os.CopyFS(filepath.Join(s.runs(), "copy"), os.DirFS(r.Dir())))
	must(t, os.Link(r.path("x/refused/judged-1.json"), r.path("x/refused/judged-2.json")))
	cards, err := s.Cards()
	must(t, err)
	for i, want := range []string{"says that it is run", "says that it is run", "has a judgement twice"} {
		if !strings.Contains(cards[i].Refused, want) {
			t.Errorf("%s: %q", cards[i].ID, cards[i].Refused)
		}
	}
}

// A run that broke before its system was up says so itself, and is no forgery for lacking what comes later.
func TestCardOfABrokenRun(t *testing.T) {
	t.Parallel()
	for _, end := range []End{{Ended: time.Now().Add(time.Second), Reason: "nats-1 did not become ready"}, {Ended: time.Now().Add(time.Second), Interrupted: true}} {
		r := newRun(t, newStore(t))
		must(t, r.WriteJSON("declaration.json", Declaration{System: "shop"}))
		must(t, r.Seal(end))
		if card := r.Card(); card.Refused != "" || len(card.Results) > 0 {
			t.Errorf("%+v: %+v", end, card)
		}
	}
	r := newRun(t, newStore(t))
	must(t, r.WriteJSON("declaration.json", Declaration{System: "shop"}))
	must(t, r.Seal(End{Ended: time.Now().Add(time.Second), Verdict: verdict.Pass}))
	if card := r.Card(); !strings.Contains(card.Refused, "subjects.json") {
		t.Errorf("a run that is whole and names no subjects: %+v", card)
	}
}

// What no run of assay leaves is refused, also under a seal that fits.
func TestCardsThatCannotBe(t *testing.T) {
	t.Parallel()
	pass := []Checked{{"during", check.Result{Check: "c", Verdict: verdict.Pass}}}
	for _, tt := range []struct {
		name, want string
		system     string
		subjects   []Subject
		result     ExperimentResult
		records    bool
	}{
		{"all there", "", "shop", nil, ExperimentResult{Name: "x", Definition: "sha256:1", Verdict: verdict.Pass, Checks: pass}, true},
		{"no records", "of no ops.jsonl", "shop", nil, ExperimentResult{Name: "x", Definition: "sha256:1", Verdict: verdict.Pass, Checks: pass}, false},
		{"no system", "names no system", "", nil, ExperimentResult{Name: "x", Verdict: verdict.Pass, Checks: pass}, true},
		{"a service twice", "orders twice", "shop", []Subject{{Service: "orders"}, {Service: "orders"}}, ExperimentResult{Name: "x", Verdict: verdict.Pass, Checks: pass}, true},
		{"a digest that is none", "banana", "shop", []Subject{{Service: "orders", SHA256: "banana"}}, ExperimentResult{Name: "x", Verdict: verdict.Pass, Checks: pass}, true},
		{"a mode twice", "speaks twice of a: retry", "shop", nil, ExperimentResult{Name: "x", Verdict: verdict.Pass, Checks: pass, Modes: map[string][]Mode{"a": {{Name: "retry", Proved: true}, {Name: "retry"}}}}, true},
	} {
		r := newRun(t, newStore(t))
		must(t, r.WriteJSON("declaration.json", Declaration{System: tt.system}))
		must(t, r.WriteJSON("subjects.json", tt.subjects))
		_, err := r.Experiment("x")
		must(t, err)
		if tt.records {
			must(t, r.WriteFile("x/x/ops.jsonl", nil))
			must(t, r.WriteFile("x/x/events.jsonl", nil))
		}
		must(t, r.AddJudgement("x", tt.result))
		must(t, r.Seal(End{Ended: time.Now().Add(time.Second), Verdict: verdict.Pass}))
		if card := r.Card(); (tt.want == "") != (card.Refused == "") || !strings.Contains(card.Refused, tt.want) {
			t.Errorf("%s: %q", tt.name, card.Refused)
		}
	}
}

// A judgement that came after the seal is marked, since the seal does not say that it is true.
func TestLaterJudgement(t *testing.T) {
	t.Parallel()
	r := provingRun(t, newStore(t), time.Now())
	if r.Card().Results[0].Later {
		t.Error("what was sealed is taken for later")
	}
	must(t, r.AddJudgement("refused", ExperimentResult{Name: "refused", Verdict: verdict.Unknown, Judged: time.Now().Add(time.Minute)}))
	if card := r.Card(); card.Refused != "" || !card.Results[0].Later {
		t.Errorf("%+v", card)
	}
}
