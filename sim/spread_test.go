package sim

import (
	"math"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, tt := range []struct {
		spread      Spread
		mean, last  float64 // in jitters
		first, tail float64
	}{
		{Normal, 2, 3.9, 0.2, 0.1},
		{Pareto, 0.9, 4.5, 0.05, 0.1},
	} {
		steps := tt.spread.steps()
		sum := 0.0
		for i, s := range steps {
			sum += float64(s) / 1024
			if i > 0 && s <= steps[i-1] {
				t.Errorf("%s: step %d is %d after %d", tt.spread, i, s, steps[i-1])
			}
		}
		if mean := sum / 17; math.Abs(mean-tt.mean) > 0.1 {
			t.Errorf("%s: the mean is %.3f jitters, want %.1f", tt.spread, mean, tt.mean)
		}
		if first, last := float64(steps[0])/1024, float64(steps[16])/1024; first > tt.first || math.Abs(last-tt.last) > tt.tail {
			t.Errorf("%s: from %.3f to %.3f jitters", tt.spread, first, last)
		}
	}
	if Spread("").steps() != nil || Uniform.steps() != nil {
		t.Error("even steps are the network's own")
	}
	defer func() {
		if recover() == nil {
			t.Error("a spread of no such name is taken")
		}
	}()
	Spread("bell").steps()
}
