package diff

import "math"

// tQuantile returns the t that a variable of Student's distribution with df degrees of freedom, which
// need not be whole, exceeds with probability p, for p in (0, 0.5]. Without a degree of freedom it is infinite.
func tQuantile(p, df float64) float64 {
	if !(df > 0) || !(p > 0) {
		return math.Inf(1)
	}
	low, high := 0.0, 1.0
	for tTail(high, df) > p {
		if high *= 2; math.IsInf(high, 1) {
			return high
		}
	}
	for high-low > 1e-9*high {
		mid := (low + high) / 2
		if tTail(mid, df) > p {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// tTail returns the probability that t is exceeded, for t >= 0.
func tTail(t, df float64) float64 { return betaShare(df/(df+t*t), df/2, 0.5) / 2 }

// betaShare is the regularised incomplete beta function I_x(a, b), by its continued fraction.
func betaShare(x, a, b float64) float64 {
	if x <= 0 || x >= 1 {
		return max(0, min(x, 1))
	}
	if x > (a+1)/(a+b+2) {
		return 1 - betaShare(1-x, b, a) // where the fraction converges fast
	}
	gamma := func(x float64) float64 { g, _ := math.Lgamma(x); return g }
	front := math.Exp(gamma(a+b) - gamma(a) - gamma(b) + a*math.Log(x) + b*math.Log1p(-x))
	return front / a / betaFraction(x, a, b)
}

// betaFraction is the denominator 1 + d1 x/(1 + d2 x/(1 + …)) of the continued fraction, from its inside out.
func betaFraction(x, a, b float64) float64 {
	f := 1.0
	for m := 100.0; m >= 1; m-- {
		even := m * (b - m) / ((a + 2*m - 1) * (a + 2*m))
		odd := -(a + m - 1) * (a + b + m - 1) / ((a + 2*m - 2) * (a + 2*m - 1))
		f = 1 + odd*x/(1+even*x/f)
	}
	return f
}
