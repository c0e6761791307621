package spec

import (
	"path/filepath"
	"testing"

	"github.com/assay-dev/assay/internal/expr"
)

// What comes out though nothing was measured is seen, however it is written.
func TestDecidedWithoutSignals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`success("a") > 0.5 || true`:                          true,
		`false && success("a") > 0.5`:                         true,
		`true ? 1 < 2 : no_lost("a")`:                         true,
		`[].all(x, success(x) > 0.5)`:                         true,
		`success("a") > 0.5`:                                  false,
		`recovery.from_heal_s < 5.0`:                          false,
		`success("a") > 0.5 || success("b") > 0.5`:            false,
		`no_lost("a") ? once("a") : recovery.from_heal_s < 1`: false,
		`math.greatest(success("a"), success("b")) > 0.5`:     false,
	} {
		p, err := expr.CompileCondition(text, SignalNames())
		if err != nil {
			t.Fatal(err)
		}
		if got := isDecided(p); got != want {
			t.Errorf("%s: decided is %v, want %v", text, got, want)
		}
	}
}

// The examples say what they mean.
func TestExamplesLoad(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shop", "gotest"} {
		if _, err := LoadOn(FakeHost(), filepath.Join("..", "..", "examples", name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
