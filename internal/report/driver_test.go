package report

import (
	"strings"
	"testing"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// A late driver says nothing about the journey: neither its figures nor the first step may read as if it did.
func TestLateDriver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ measured, reason, want string }{
		{"40.0 ms", "operations started 40.0 ms late at p99", "the load driver was late: nothing is said about checkout under refuse(orders -> payments)"},
		{"1.0 ms", "3 operations found the driver saturated", "the load driver did not keep its schedule: nothing is said about checkout under refuse(orders -> payments)"},
	} {
		r := build(t, lateDriver(t, tt.measured, tt.reason))
		h, steps := r.Headlines[0], r.Next()
		if got := h.sentence(); got != tt.want || !h.Driver() || h.First != 0 || h.Error != nil {
			t.Errorf("got %q (%+v), want %q", got, h, tt.want)
		}
		if !strings.HasPrefix(steps[0].Text, "Run refusing again when the machine is idle") || !strings.Contains(steps[0].Command, "--seed 7") {
			t.Errorf("the first step: %+v", steps[0])
		}
		for form, text := range forms(t, r) {
			if form == "junit" || form == "github" {
				continue
			}
			text = strings.Join(strings.Fields(text), " ") // a terminal breaks lines between words
			for _, want := range []string{"nothing is said about checkout", "driver's lateness"} {
				if form == "html" {
					want = strings.ReplaceAll(want, "'", "&#39;")
				}
				if !strings.Contains(text, want) {
					t.Errorf("%s lacks %q", form, want)
				}
			}
			if strings.Contains(text, "Read the first operation") || strings.Contains(text, "checkout is not proved") {
				t.Errorf("%s leads to the operations", form)
			}
		}
	}
}

// lateDriver stores a run whose deciding check is the driver's.
func lateDriver(t *testing.T, measured, reason string) *evidence.Run {
	t.Helper()
	s := failing()
	s.verdict = verdict.Unknown
	result := s.result()
	result.Reason = "driver: " + reason
	result.Checks = append(result.Checks[:1], evidence.Checked{Phase: driverPhase, Result: check.Result{Check: "driver kept its schedule",
		Verdict: verdict.Unknown, Limit: "p99 <= 10.0 ms", Measured: measured, Reason: reason}})
	s.judged = &result
	return s.make(t)
}
