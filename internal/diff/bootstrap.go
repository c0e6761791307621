package diff

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
)

// resamples returns how often a phase of n seconds is drawn again: never less than gives a standard deviation to some 4 %, and the
// more the shorter it is, where all may hang on one second and it costs nothing.
func resamples(n int) int { return max(400, min(4000, 40000/n)) }

// A draw holds, for each second of a phase, how often it is in one resample.
type draw []int32

// draws resamples n seconds by the stationary bootstrap of Politis and Romano (1994), who gave the
// moving blocks of Künsch (1989) random lengths: blocks of consecutive seconds, of
// geometric length, so that what one second hands on to the next stays together.
func draws(n int, key uint64) []draw {
	random := rand.New(rand.NewPCG(key, uint64(n)))
	all := make([]draw, resamples(n))
	next := 1 / blockLength(n) // the chance that a block ends
	for i := range all {
		all[i] = make(draw, n)
		at := random.IntN(n)
		for range n {
			all[i][at]++
			if at = (at + 1) % n; random.Float64() < next {
				at = random.IntN(n)
			}
		}
	}
	return all
}

// blockLength is the mean length of blocks, in seconds: the usual cube root, and single seconds where there are so few
// that longer blocks would leave two or three of them.
func blockLength(n int) float64 {
	if n < 8 {
		return 1
	}
	return math.Cbrt(float64(n))
}

// freedom is how many degrees of freedom a spread over n seconds has: those of its blocks.
func freedom(n int) float64 { return float64(n)/blockLength(n) - 1 }

// few undoes that resampling n blocks shows less spread than drawing n new ones.
func few(n int) float64 {
	blocks := float64(n) / blockLength(n)
	return math.Sqrt(blocks / (blocks - 1))
}

// key is the seed of the draws of a phase. It is the same for both sides of a comparison, so
// which of them is the base changes nothing.
func key(seed uint64, words ...string) uint64 {
	h := fnv.New64a()
	for _, word := range words {
		h.Write([]byte(word))
		h.Write([]byte{0})
	}
	return h.Sum64() ^ seed*0x9e3779b97f4a7c15
}

// ratioSpread returns the standard error of sum(num)/sum(den) over the seconds of a phase.
func ratioSpread(num, den []float64, all []draw) float64 {
	var values []float64
	for _, d := range all {
		top, bottom := 0.0, 0.0
		for i, times := range d {
			top += float64(times) * num[i]
			bottom += float64(times) * den[i]
		}
		if bottom > 0 {
			values = append(values, top/bottom)
		}
	}
	return deviation(values) * few(len(num))
}

// A timed is one operation: the logarithm of its latency, and the second it was scheduled in.
type timed struct {
	log    float64
	second int32
}

// quantiles returns the quantiles qs of the logarithms, and their standard errors. It sorts ops.
func quantiles(ops []timed, seconds int, qs []float64, all []draw) (values, spreads []float64) {
	slices.SortFunc(ops, func(a, b timed) int { return cmp.Or(cmp.Compare(a.log, b.log), cmp.Compare(a.second, b.second)) })
	counts := make([]int64, seconds)
	for _, op := range ops {
		counts[op.second]++
	}
	drawn := make([][]float64, len(qs))
	ranks := make([]int64, len(qs))
	for _, d := range all {
		total := int64(0)
		for i, times := range d {
			total += int64(times) * counts[i]
		}
		for i, q := range qs {
			ranks[i] = max(1, int64(math.Ceil(q*float64(total))))
		}
		if total > 0 {
			pickRanks(ops, d, ranks, drawn)
		}
	}
	for i, q := range qs {
		values = append(values, ops[rank(q, len(ops))].log)
		spreads = append(spreads, max(deviation(drawn[i])*few(seconds), orderSpread(ops, q)))
	}
	return values, spreads
}

// pickRanks appends to drawn the value at each rank, ascending, of one resample.
func pickRanks(ops []timed, d draw, ranks []int64, drawn [][]float64) {
	passed, i := int64(0), 0
	for _, op := range ops {
		passed += int64(d[op.second])
		for passed >= ranks[i] {
			drawn[i] = append(drawn[i], op.log)
			if i++; i == len(ranks) {
				return
			}
		}
	}
}

func rank(q float64, n int) int { return max(1, min(n, int(math.Ceil(q*float64(n))))) - 1 }

// orderSpread is the standard error that a quantile has even if nothing hung together: half the distance between the
// values two standard deviations of rank to either side. It keeps a few
// seconds that happen to agree from looking certain.
func orderSpread(ops []timed, q float64) float64 {
	n := float64(len(ops))
	by := 2 * math.Sqrt(q*(1-q)/n)
	return (ops[rank(q+by, len(ops))].log - ops[rank(q-by, len(ops))].log) / 4
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation is the standard deviation of a sample, 0 for fewer than two.
func deviation(values []float64) float64 {
	if len(values) < 2 {
		return 0
	}
	m, sum := mean(values), 0.0
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
