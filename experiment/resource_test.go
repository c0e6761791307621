package experiment

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/telemetry"
	"github.com/assay-dev/assay/verdict"
)

// grows is a series of orders-1 that grows by step each second, for 11 s.
func grows(name string, step float64) telemetry.Series {
	all := telemetry.Series{Name: name, Labels: map[string]string{"instance": "orders-1"}}
	for i := range 12 {
		all.Points = append(all.Points, telemetry.Point{At: time.Duration(i) * time.Second, Value: float64(i) * step})
	}
	return all
}

func TestResourceExpectations(t *testing.T) {
	t.Parallel()
	measured := []telemetry.Series{grows(telemetry.CPUSeconds, 0.5), grows(telemetry.RSSBytes, 10e6)}
	for _, tt := range []struct {
		name, text string
		series     []telemetry.Series
		want       verdict.Verdict
		reason     string
	}{
		{"processors within the limit", `cpu_cores("orders") < 0.6`, measured, verdict.Pass, "was 0.5"},
		{"processors over the limit", `cpu_cores("orders") < 0.4`, measured, verdict.Fail, "was 0.5"},
		{"memory of the window", `rss_mb("orders") < 55.0`, measured, verdict.Pass, "was 50"},
		{"too much memory", `rss_mb("orders") < 45.0`, measured, verdict.Fail, "was 50"},
		{"nothing was sampled", `rss_mb("orders") < 45.0`, nil, verdict.Unknown, "no rss_bytes of"},
		{"nothing was sampled, and less is asked", `cpu_cores("orders") >= 0.0`, nil, verdict.Unknown, "no cpu_seconds of"},
	} {
		c := well("delay(orders -> payments, 3s)")
		c.in.Series = tt.series
		c.in.Service = func(instance string) string { name, _, _ := strings.Cut(instance, "-"); return name }
		c.x.During = []Expectation{{Text: tt.text}}
		for _, r := range Judge(context.Background(), c.x, c.in, nil).Checks {
			if r.Phase == PartDuring && (r.Verdict != tt.want || !strings.Contains(r.Reason, tt.reason)) {
				t.Errorf("%s: %s: %s, want %s: %s", tt.name, r.Verdict, r.Reason, tt.want, tt.reason)
			}
		}
	}
}
