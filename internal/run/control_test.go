package run

import (
	"slices"
	"testing"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
	"github.com/assay-dev/assay/workload"
)

func controlled(t *testing.T) *Session {
	s := newSession(t, func(p *spec.Project, o *Options) { o.Control = true })
	s.passed(t)
	return s
}

func TestControlsThatBreakTheExpectations(t *testing.T) {
	t.Parallel()
	s := controlled(t)
	s.ran(t, "x@worst", false, nil)
	if err := s.concludeControls(); err != nil {
		t.Fatal(err)
	}
	if report := s.close(t, nil); report.Verdict() != verdict.Pass {
		t.Errorf("%+v", report.Results)
	}
	if got := rejudged(t, s)[0]; got.Verdict != verdict.Pass {
		t.Errorf("%v %s", got.Verdict, got.Reason)
	}
}

// The experiment has no cells here: an expectation that cannot fail is no pass even so.
func TestExpectationsThatCannotFail(t *testing.T) {
	t.Parallel()
	s := controlled(t)
	s.ran(t, "x@worst", true, nil)
	if err := s.concludeControls(); err != nil {
		t.Fatal(err)
	}
	s.close(t, nil)
	for _, got := range []evidence.ExperimentResult{s.report.Results[0], rejudged(t, s)[0], rejudged(t, s)[0]} {
		wantUnknown(t, got, `during: success("buy") >= 0.9 cannot fail: it held in every control`)
		if len(got.CannotFail) != 2 {
			t.Errorf("%q", got.CannotFail)
		}
	}
}

func TestControlsThatDidNotEnd(t *testing.T) {
	t.Parallel()
	s := controlled(t)
	if err := s.concludeControls(); err != nil {
		t.Fatal(err)
	}
	s.close(t, nil)
	wantUnknown(t, s.report.Results[0], "the controls did not run to their end")
	wantUnknown(t, rejudged(t, s)[0], "the controls did not run to their end")
}

func TestJourneysOf(t *testing.T) {
	t.Parallel()
	record := []workload.Step{{Record: []workload.Record{{Op: "append", Object: "orders"}}}}
	journeys := []workload.Journey{{Name: "buy", Steps: record}, {Name: "look"}, {Name: "sell", Steps: record}}
	for text, want := range map[string][]string{
		`success("look") > 0.9`:             {"look"},
		`no_lost("orders")`:                 {"buy", "sell"},
		`no_lost('orders')`:                 {"buy", "sell"},
		`recovery.from_heal_s < 5.0`:        nil,
		`attempts_max("client", "api") < 4`: nil,
	} {
		if got := journeysOf(journeys, text); !slices.Equal(got, want) {
			t.Errorf("journeysOf(%s) = %q, want %q", text, got, want)
		}
	}
}

func TestUnprove(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ journeys, proved []string }{{nil, nil}, {[]string{"a"}, []string{"b"}}} {
		r := evidence.ExperimentResult{Modes: map[string][]evidence.Mode{"a": {{Name: "retry", Proved: true}}, "b": {{Name: "retry", Proved: true}}}}
		unprove(&r, tt.journeys, "e")
		for journey, modes := range r.Modes {
			if want := slices.Contains(tt.proved, journey); modes[0].Proved != want {
				t.Errorf("%q: %s is proved: %t", tt.journeys, journey, modes[0].Proved)
			}
		}
	}
}
