package diff

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
)

// calm is a world in which little varies: 12 s of each phase, 100 operations a second.
func calm() world { return world{before: 12, fault: 12, after: 12, rate: 100, calm: true} }

func compare(t *testing.T, base, candidate []*Run, opts Options) Report {
	t.Helper()
	r, err := Compare(base, candidate, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func line(t *testing.T, r Report, phase, subject, metric string) Line {
	t.Helper()
	for _, l := range r.Lines {
		if l.Phase == phase && l.Subject == subject && l.Metric == metric {
			return l
		}
	}
	t.Fatalf("no line for %s %s %s", phase, subject, metric)
	return Line{}
}

// wide tolerates enough that what did not change is seen to be the same.
func wide() Options {
	return Options{Tolerances: map[string]Tolerance{Success: {0, 3}, P50: {0.25, 0}, P95: {0.2, 0}, P99: {0.5, 0}, Retries: {0, 0.05}, CPU: {0.3, 0}}}
}

func TestPlantedShifts(t *testing.T) {
	t.Parallel()
	with := func(change func(*world)) world { w := calm(); change(&w); return w }
	for _, tt := range []struct {
		name            string
		base, candidate world
		runs            int
		phase, subject  string
		metric          string
		want            Verdict
	}{
		{"median, the same", calm(), calm(), 1, "fault", "checkout", P50, Same},
		{"median, slower", calm(), with(func(w *world) { w.slower = 1.6 }), 1, "fault", "checkout", P50, Regressed},
		{"median, faster", with(func(w *world) { w.slower = 1.6 }), calm(), 1, "fault", "checkout", P50, Improved},
		{"tail, slower", calm(), with(func(w *world) { w.p95 = 2.5 }), 1, "after", "browse", P95, Regressed},
		{"success, the same", calm(), calm(), 1, "before", "checkout", Success, Same},
		{"success, a fifth fails", calm(), with(func(w *world) { w.failing = 0.2 }), 1, "before", "checkout", Success, Regressed},
		{"success, a fifth failed", with(func(w *world) { w.failing = 0.2 }), calm(), 1, "before", "checkout", Success, Improved},
		{"retries, the same", with(func(w *world) { w.retries = 0.1 }), with(func(w *world) { w.retries = 0.1 }), 1, "fault", "orders -> payments", Retries, Same},
		{"retries, more", with(func(w *world) { w.retries = 0.1 }), with(func(w *world) { w.retries = 0.4 }), 1, "fault", "orders -> payments", Retries, Regressed},
		{"retries, at last", calm(), with(func(w *world) { w.retries = 0.4 }), 1, "fault", "orders -> payments", Retries, Regressed},
		{"processor time, the same", calm(), calm(), 1, "fault", "orders", CPU, Same},
		{"processor time, twice", calm(), with(func(w *world) { w.cpu = 0.004 }), 1, "fault", "orders", CPU, Regressed},
		{"memory, one run each", calm(), with(func(w *world) { w.rss = 500e6 }), 1, wholePhase, "orders", RSS, NotEnough},
		{"memory, five runs each, the same", calm(), calm(), 5, wholePhase, "orders", RSS, Same},
		{"memory, five runs each, more", calm(), with(func(w *world) { w.rss = 70e6 }), 5, wholePhase, "orders", RSS, Regressed},
		{"memory, five runs each, less", with(func(w *world) { w.rss = 70e6 }), calm(), 5, wholePhase, "orders", RSS, Improved},
		{"memory, four runs each", calm(), with(func(w *world) { w.rss = 70e6 }), 4, wholePhase, "orders", RSS, NotEnough},
		{"recovery, five runs each", with(func(w *world) { w.recovery = 3 }), with(func(w *world) { w.recovery = 7 }), 5, wholePhase, allJourneys, FromHeal, Regressed},
		{"recovery, never", with(func(w *world) { w.recovery = 3 }), with(func(w *world) { w.recovery = 90 }), 5, wholePhase, allJourneys, FromHeal, Regressed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := compare(t, tt.base.pool("a", tt.runs, 1), tt.candidate.pool("b", tt.runs, 2), wide())
			got := line(t, r, tt.phase, tt.subject, tt.metric)
			if got.Verdict != tt.want {
				t.Errorf("got %s (%s; %v -> %v, %v, tolerance %v), want %s", got.Verdict, got.Reason, got.Base, got.Candidate, got.Interval, got.Tolerance, tt.want)
			}
			if got.Verdict == NotEnough && got.More == "" {
				t.Error("it does not say how much more would decide")
			}
			if got.Verdict == Regressed && (r.Verdict != Regressed || !strings.Contains(r.Headline(), "->")) {
				t.Errorf("the whole is %s: %s", r.Verdict, r.Headline())
			}
		})
	}
}

// A difference of one cluster is none: a second of failures is not a hundred witnesses.
func TestOneClusterIsNotEnough(t *testing.T) {
	t.Parallel()
	good, bad := calm().drawn(1), calm().drawn(2)
	for i := range bad.Ops {
		if at := bad.Ops[i].Scheduled; at >= 15*time.Second && at < 16*time.Second {
			bad.Ops[i].Outcome = 0
		}
	}
	got := line(t, compare(t, made("a", good), made("b", bad), Options{}), "fault", "checkout", Success)
	if got.Verdict != NotEnough || got.Change > -8 {
		t.Errorf("a hundred failures of one second: %s, change %v", got.Verdict, got.Change)
	}
}

func made(name string, in check.Input) []*Run {
	return []*Run{{ID: name, plan: plan{Experiments: map[string]planned{"slow": {}}}, numbers: map[string]map[Key]estimate{"slow": reduce("slow", in, 1)}}}
}

// Swapping the sides swaps regressed and improved, and changes no other verdict.
func TestSwap(t *testing.T) {
	t.Parallel()
	worse := calm()
	worse.slower, worse.failing, worse.retries, worse.cpu, worse.rss = 1.4, 0.05, 0.2, 0.003, 65e6
	swapped := map[Verdict]Verdict{Regressed: Improved, Improved: Regressed, Same: Same, NotEnough: NotEnough}
	seen := map[Verdict]int{}
	for seed := range uint64(6) {
		n := 1 + 4*int(seed%2)
		a, b := calm().pool("a", n, 10*seed), worse.pool("b", n, 10*seed+1)
		there, back := compare(t, a, b, wide()), compare(t, b, a, wide())
		for _, l := range there.Lines {
			seen[l.Verdict]++
			if other := line(t, back, l.Phase, l.Subject, l.Metric); other.Verdict != swapped[l.Verdict] {
				t.Errorf("seed %d: %v is %s, and %s with the sides swapped", seed, l.Key, l.Verdict, other.Verdict)
			}
		}
	}
	if seen[Regressed] == 0 || seen[Same] == 0 || seen[NotEnough] == 0 {
		t.Errorf("the property was asked of %v, which is not all verdicts", seen)
	}
}

func TestIdenticalRunsAreTheSame(t *testing.T) {
	t.Parallel()
	w := calm()
	w.retries = 0.1
	var a, b []*Run
	for i, name := range []string{"1", "2", "3", "4", "5"} {
		in := w.drawn(uint64(i))
		a, b = append(a, made("a"+name, in)...), append(b, made("b"+name, in)...)
	}
	opts := wide()
	opts.Tolerances[Success] = Tolerance{0, 2}
	for _, l := range compare(t, a, b, opts).Lines {
		if l.Verdict != Same || math.Abs(l.Change) > 1e-9 {
			t.Errorf("%v: %s, %s", l.Key, l.Verdict, l.Reason)
		}
	}
}

func TestEmptyIsNotEnough(t *testing.T) {
	t.Parallel()
	full := calm().drawn(1)
	for _, tt := range []struct {
		name      string
		candidate check.Input
		lines     bool
	}{
		{"no records", check.Input{}, true},
		{"no operations", check.Input{Events: full.Events}, true},
		{"no events", check.Input{Ops: full.Ops}, true},
	} {
		for _, sides := range [][2]check.Input{{full, tt.candidate}, {tt.candidate, full}, {tt.candidate, tt.candidate}} {
			r := compare(t, made("a", sides[0]), made("b", sides[1]), Options{})
			if r.Verdict != NotEnough || !r.Unknown() || r.Counts[Same]+r.Counts[Improved]+r.Counts[Regressed] > 0 {
				t.Errorf("%s: %s, %v, %v", tt.name, r.Verdict, r.Counts, r.Unknown())
			}
		}
	}
}

// An experiment whose records cannot be used is unknown, and never the same.
func TestProblemsAreUnknown(t *testing.T) {
	t.Parallel()
	a, b := calm().pool("a", 1, 1), calm().pool("b", 1, 2)
	b[0].problems = map[string]string{"slow": "the driver was late"}
	r := compare(t, a, b, Options{})
	if r.Verdict != NotEnough || !r.Unknown() || !strings.Contains(r.Headline(), "the driver was late") {
		t.Errorf("%s: %s", r.Verdict, r.Headline())
	}
	b[0].problems, b[0].broken = nil, "it was cut short"
	r = compare(t, a, b, Options{})
	if r.Verdict != NotEnough || !r.Unknown() || len(r.Lines) > 0 || !strings.Contains(r.Headline(), "it was cut short") {
		t.Errorf("%s: %s, %d lines", r.Verdict, r.Headline(), len(r.Lines))
	}
}

func TestIncomparable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*Run)
		want   string
	}{
		{"another load", func(r *Run) { r.plan.Experiments["slow"] = planned{load: "x"} }, "another load"},
		{"another method and load", func(r *Run) { r.plan.Experiments["slow"] = planned{load: "x", method: "y"} }, "another load, and another method"},
		{"another experiment", func(r *Run) { r.plan.Experiments = map[string]planned{"fast": {}} }, "only one side planned it"},
		{"a control", func(r *Run) { r.plan.Control = true }, "control"},
		{"another environment", func(r *Run) { r.Meta.Environment = "lab" }, "another environment"},
	} {
		a, b := calm().pool("a", 1, 1), calm().pool("b", 1, 2)
		tt.change(b[0])
		_, err := Compare(a, b, Options{})
		var apart *IncomparableError
		if !errors.As(err, &apart) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	text := func(seed uint64) string {
		worse := calm()
		worse.slower = 1.2
		var out bytes.Buffer
		r := compare(t, calm().pool("a", 9, 1), worse.pool("b", 9, 2), Options{Seed: seed})
		if err := errors.Join(r.Text(&out, 0, nil), r.Markdown(&out), json.NewEncoder(&out).Encode(r)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if a, b := text(1), text(1); a != b {
		t.Errorf("the same seed gave\n%s\nand\n%s", a, b)
	}
	if text(1) == text(2) {
		t.Error("another seed changed nothing: the permutations are not drawn by it")
	}
}

func TestWorstFirst(t *testing.T) {
	t.Parallel()
	worse := calm()
	worse.slower, worse.failing = 3, 0.3
	r := compare(t, calm().pool("a", 1, 1), worse.pool("b", 1, 2), Options{})
	order := []Verdict{Regressed, Improved, NotEnough, Same}
	if !slices.IsSortedFunc(r.Lines, func(a, b Line) int { return slices.Index(order, a.Verdict) - slices.Index(order, b.Verdict) }) {
		t.Error("the lines are not in order of verdict")
	}
	if first := r.Lines[0]; first.Metric != Success || first.Severity < r.Lines[1].Severity {
		t.Errorf("the first line is %v with severity %v", first.Key, first.Severity)
	}
}
