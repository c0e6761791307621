package sim

import "math"

// A Spread is the distribution of a link's jitter, of which each message draws one of 17 steps. The first step is the least, so that
// a failure which does not need a delay is told without it.
type Spread string

// The spreads. The zero value is Uniform.
const (
	Uniform Spread = "uniform" // from nothing to Jitter
	Normal  Spread = "normal"  // around two Jitters, which is the standard deviation, from nothing to four
	Pareto  Spread = "pareto"  // Jitter is the mean, of a long tail (Lomax, shape 3): one in 17 takes four and a half times as long
)

// steps are the quantiles in the middle of 17 equal parts, in parts of 1024 of the jitter; nil for even steps.
func (s Spread) steps() *[17]int32 {
	var all [17]int32
	for i := range all {
		u := (float64(i) + 0.5) / 17
		x := 0.0
		switch s {
		case Normal:
			x = min(max(2+math.Sqrt2*math.Erfinv(2*u-1), 0), 4)
		case Pareto:
			x = 2 * (math.Pow(1-u, -1.0/3) - 1)
		case Uniform, "":
			return nil
		default:
			panic("sim: no spread is called " + string(s) + " (there are uniform, normal and pareto)")
		}
		all[i] = int32(math.Round(1024 * x))
	}
	return &all
}
