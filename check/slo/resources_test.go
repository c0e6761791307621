package slo

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/telemetry"
)

// sampled is a series with one sample a second, from the first second on.
func sampled(name, instance string, from int, values ...float64) telemetry.Series {
	s := telemetry.Series{Name: name, Labels: map[string]string{"instance": instance}}
	for i, v := range values {
		s.Points = append(s.Points, telemetry.Point{At: time.Duration(from+i) * time.Second, Value: v})
	}
	return s
}

func TestResources(t *testing.T) {
	t.Parallel()
	in := check.Input{
		Series: []telemetry.Series{
			sampled(telemetry.CPUSeconds, "orders-1", 0, 0, 1, 2, 3, 4, 5, 6),
			sampled(telemetry.CPUSeconds, "orders-2", 0, 0, 0, 0, 0, 2, 4, 6),
			sampled(telemetry.CPUSeconds, "late-1", 5, 0, 1),
			sampled(telemetry.CPUSeconds, "once-1", 0, 1),
			sampled(telemetry.RSSBytes, "orders-1", 0, 9, 1, 2, 3, 1, 1, 9),
			sampled(telemetry.RSSBytes, "orders-2", 0, 1, 1, 1, 4, 1, 1, 1),
		},
		Service: func(instance string) string { s, _, _ := strings.Cut(instance, "-"); return s },
		From:    1500 * time.Millisecond, To: 5500 * time.Millisecond,
	}
	for _, tt := range []struct {
		name    string
		measure func(check.Input, string) (float64, error)
		of      string
		want    float64
	}{
		{"cores of all instances, between samples", Cores, "orders", (4 + 5) / 4.0},
		{"cores of one instance", Cores, "orders-1", 1},
		{"the largest instance in the window", PeakRSS, "orders", 4},
		{"one instance in the window", PeakRSS, "orders-1", 3},
		{"nobody", Cores, "payments", math.NaN()},
		{"nobody's memory", PeakRSS, "payments", math.NaN()},
		{"samples began late", Cores, "late", math.NaN()},
		{"one sample", Cores, "once", math.NaN()},
	} {
		got, err := tt.measure(in, tt.of)
		if math.IsNaN(tt.want) {
			if !errors.Is(err, ErrNoData) {
				t.Errorf("%s: got %v, %v, want ErrNoData", tt.name, got, err)
			}
		} else if err != nil || math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
	in.From, in.To = 100*time.Second, 200*time.Second
	if got, err := PeakRSS(in, "orders"); !errors.Is(err, ErrNoData) {
		t.Errorf("a window without samples: %v, %v", got, err)
	}
}
