package release

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/evidence"
)

// Of two declarations the one whose waivers may last less long says how long.
func TestUnionOfWaivers(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct{ a, b, want time.Duration }{
		{30 * day, 60 * day, 30 * day},
		{60 * day, 30 * day, 30 * day},
		{0, 365 * day, 0}, // 90 days
		{365 * day, 0, 0},
	} {
		a, b := evidence.Declaration{System: "shop", WaiversMax: tt.a}, evidence.Declaration{System: "shop", WaiversMax: tt.b}
		if got := union(a, b).WaiversMax; got != tt.want {
			t.Errorf("%v and %v: %v, want %v", tt.a, tt.b, got, tt.want)
		}
		if got := union(evidence.Declaration{}, b).WaiversMax; got != tt.b {
			t.Errorf("%v alone: %v", tt.b, got)
		}
	}
}
