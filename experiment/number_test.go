package experiment

import "testing"

// A small limit is no zero.
func TestNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		x    any
		want string
	}{
		{0.0, "0"}, {0.00001, "0.00001"}, {-0.00001, "-0.00001"}, {0.00012, "0.00012"}, {0.001, "0.001"}, {0.66666, "0.6667"}, {2.0, "2"}, {int64(7), "7"}, {1e-6, "0.000001"}, {0.001 / 3, "0.0003333"},
	} {
		if got := number(tt.x); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.x, got, tt.want)
		}
	}
}
