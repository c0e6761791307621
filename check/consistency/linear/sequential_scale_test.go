package linear

import (
	"testing"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// A history that is right in real time has an order of the clients that is found at once. Of a wrong one the verdict may be unknown.
func TestSequentialAtScale(t *testing.T) {
	t.Parallel()
	for _, planted := range []bool{false, true} {
		ops := generated(2, 1000, 10, planted)
		start := time.Now()
		res := Sequential(t.Context(), CASRegister(), ops, Options{Budget: 3_000_000, WholeCore: true})
		t.Logf("planted %v: %v in %v, %d steps: %s", planted, res.Verdict, time.Since(start), res.Steps, res.Reason[:min(300, len(res.Reason))])
		if planted == (res.Verdict == verdict.Pass) {
			t.Errorf("%v: %s", res.Verdict, res.Reason)
		}
		if err := CertifySequential(CASRegister(), ops, res); err != nil {
			t.Error(err)
		}
	}
}
