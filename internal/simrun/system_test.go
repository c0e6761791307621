package simrun

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/assay-dev/assay/internal/overlay"
	"github.com/assay-dev/assay/verdict"
)

// Faults and plans act on simulations as on real systems.
func TestPowers(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("builds Go's standard library, on linux")
	}
	o := options("../../sim/simsystem")
	o.Seeds, o.NoSave, o.NoShrink = 10, true, true
	res, err := Run(t.Context(), o)
	var anchors *overlay.AnchorError
	switch {
	case errors.As(err, &anchors):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	case res.Verdict != verdict.Pass || len(res.Tests) < 9:
		var text strings.Builder
		err := res.Text(&text)
		t.Errorf("%v, %d tests, %v: %s", res.Verdict, len(res.Tests), err, text.String())
	}
}
