package diff

import (
	"strings"
	"testing"
)

// A share that fell by half in a run that is too short to decide is not passed over in silence, and decides nothing.
func TestLooksWorse(t *testing.T) {
	t.Parallel()
	short := world{before: 3, fault: 3, after: 3, rate: 20, calm: true}
	failing := short
	failing.failing = 0.5
	only := Options{Metrics: []string{Success}, Alpha: 1e-6} // so sure that seconds of records decide nothing
	r := compare(t, short.pool("a", 1, 1), failing.pool("b", 1, 2), only)
	var text, markdown strings.Builder
	if err := r.Text(&text, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.Markdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if r.Verdict != NotEnough || len(r.LooksWorse) == 0 || !strings.HasPrefix(r.Headline(), "looks worse: ") || !strings.Contains(r.Headline(), " success 100 % → ") {
		t.Errorf("got %s, %s, %q", r.Verdict, r.Headline(), r.LooksWorse)
	}
	for _, worse := range r.LooksWorse {
		if strings.Count(text.String(), worse) != 1 || strings.Count(markdown.String(), escape(worse)) != 1 {
			t.Errorf("%q is not told once:\n%s", worse, text.String())
		}
	}
	for name, r := range map[string]Report{"better": compare(t, failing.pool("a", 1, 1), short.pool("b", 1, 2), only), "the same": compare(t, short.pool("a", 1, 1), short.pool("b", 1, 2), only)} {
		if len(r.LooksWorse) > 0 {
			t.Errorf("%s: got %q", name, r.LooksWorse)
		}
	}
	decided := Report{Verdict: Regressed, Counts: map[Verdict]int{Regressed: 1}, Lines: []Line{{Key: Key{Metric: P50}, Verdict: Regressed}}, LooksWorse: []string{"checkout"}}
	if got := decided.worseBelow(); len(got) != 1 {
		t.Errorf("beside a regression: got %q", got)
	}
}
