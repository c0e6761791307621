package simrun

import (
	"html/template"
	"strings"
	"testing"

	"github.com/assay-dev/assay/sim"
)

func TestPicture(t *testing.T) {
	t.Parallel()
	const ms = 1_000_000
	message := func(from, to, at, arrives uint64) sim.Decision {
		return sim.Decision{Kind: "message", AtNS: at * ms, Key: arrives * ms, N: 7, Target: (10<<24|from+1)<<32 | 10<<24 | to + 1}
	}
	f := &Failure{Test: "TestX", Seed: 7, Shrunk: []Step{{Decision: sim.Decision{AtNS: 2 * ms}, Text: "at 2ms it was preempted"}}}
	r := &sim.Report{Hosts: []string{"one", "two"}, SimNS: 9 * ms, Points: []sim.Point{{Kind: "always", Name: "<b>", Hits: 1}}, Events: []string{
		"    0.001000s partition of [one] from [two]", "    0.004000s heal", "    0.005000s crash of two", "    0.007000s two: said",
	}}
	p := newPicture(f, r, []sim.Decision{message(1, 2, 1, 3), message(2, 1, 3, 0)})
	if got, want := len(p.Messages), 2; got != want {
		t.Fatalf("%d messages, want %d", got, want)
	}
	if m := p.Messages[0]; m.X != lane(1) || m.W != lane(2) || m.Class != "message" || m.Y >= m.H {
		t.Errorf("from one to two: %+v", m)
	}
	if m := p.Messages[1]; m.Class != "lost" {
		t.Errorf("a message that never arrives: %+v", m)
	}
	if len(p.Faults) != 2 || p.Faults[0].H != p.rows[4*ms]-p.rows[1*ms] || p.Faults[1].X != lane(2)-30 || p.Faults[1].Y+p.Faults[1].H != p.Bottom {
		t.Errorf("faults: %+v", p.Faults)
	}
	var page strings.Builder
	if err := template.Must(newPage()).Execute(&page, p); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"at 2ms it was preempted", "&lt;b&gt;", "two: said", ">one</text>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if strings.Contains(page.String(), "http://") || strings.Contains(page.String(), "https://") {
		t.Error("the page needs a network")
	}
}

// What is drawn is told by the run that is drawn, and the first line by the one that was found.
func TestSaidOfWhich(t *testing.T) {
	t.Parallel()
	f := &Failure{Trace: "a", Output: "x_test.go:1: found 7", LessOutput: "x_test.go:1: found 2", FailedAt: "x/x_test.go:1"}
	for _, tt := range []struct {
		r    *sim.Report
		want string
	}{
		{f.report(), "x_test.go:1: found 7"},
		{&sim.Report{Trace: "b", FailedAt: f.FailedAt}, "x_test.go:1: found 2"},
		{&sim.Report{Trace: "a", FailedAt: f.FailedAt}, "x_test.go:1: found 7"},
	} {
		if got := f.said(tt.r); got != tt.want {
			t.Errorf("trace %q: %q, want %q", tt.r.Trace, got, tt.want)
		}
	}
}
