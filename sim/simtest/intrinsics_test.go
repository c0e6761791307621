package simtest

import (
	"crypto/subtle"
	"hash/maphash"
	"math"
	"math/bits"
	"testing"

	"github.com/assay-dev/assay/sim"
)

// What the compiler mostly puts instructions in place of works where it does not, too.
func TestIntrinsics(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		one := len(t.Name()) / len("TestIntrinsics")
		for name, ok := range map[string]bool{
			"ConstantTimeByteEq":   subtle.ConstantTimeByteEq(1, byte(one)) == 1 && subtle.ConstantTimeByteEq(2, byte(one)) == 0,
			"ConstantTimeEq":       subtle.ConstantTimeEq(int32(one), 1) == 1,
			"ConstantTimeSelect":   subtle.ConstantTimeSelect(one, 5, 6) == 5,
			"ConstantTimeLessOrEq": subtle.ConstantTimeLessOrEq(one, 1) == 1,
			"Comparable":           maphash.Comparable(maphash.MakeSeed(), struct{ s string }{t.Name()}) != 0,
			"Mul64":                func() bool { hi, lo := bits.Mul64(1<<63, uint64(2*one)); return hi == 1 && lo == 0 }(),
			"OnesCount":            bits.OnesCount(uint(7*one)) == 3 && bits.LeadingZeros64(uint64(one)) == 63,
			"FMA":                  math.FMA(float64(one), 2, 3) == 5 && math.Floor(1.5*float64(one)) == 1 && math.Sqrt(float64(9*one)) == 3,
		} {
			if !ok {
				t.Errorf("%s is wrong", name)
			}
		}
	})
}
