package diff

import (
	"fmt"
	"math"
	"time"
)

// scale returns a value on the scale on which its differences are compared, and center the mean over runs on that scale.
func (m metric) scale(value float64) float64 {
	if m.log {
		return math.Log(value)
	}
	return value
}

func (m metric) center(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += m.scale(v)
	}
	if total /= float64(len(values)); m.log {
		return math.Exp(total)
	}
	return total
}

// A gauge is a difference with its standard error, on the metric's scale.
type gauge struct {
	change  float64
	spread  [2]float64 // within runs, and between runs
	freedom [2]float64 // 0 for what is not known
}

// measure returns the difference of two sides. Within runs it varies as the blocks of their phases do. Where there are three runs or
// more, what they differ by themselves is known, too, and it holds what varies within them.
func (p *pair) measure() gauge {
	a, b := p.moments(p.base), p.moments(p.candidate)
	g := gauge{change: b.mean - a.mean}
	within := a.within + b.within
	if within > 0 {
		g.spread[0], g.freedom[0] = math.Sqrt(within), within*within/(a.weight+b.weight)
		if x, y := float64(p.base.value.Seconds), float64(p.candidate.value.Seconds); max(x, y) <= 1.25*min(x, y) {
			// Sides of one length that are of one and the same thing vary alike, so both tell how much that is.
			g.freedom[0] = a.freedom + b.freedom
		}
	}
	if df := float64(a.runs + b.runs - 2); df > 0 {
		between := (a.squares + b.squares) / df * (1/float64(a.runs) + 1/float64(b.runs))
		g.spread[1], g.freedom[1] = math.Sqrt(between), df
	}
	return g
}

// moments are what one side says: of its mean, the variance that comes from within runs with the weight of its
// degrees of freedom (Welch and Satterthwaite), and the squares of the runs' deviations.
type moments struct {
	runs           int
	mean           float64
	within, weight float64
	freedom        float64 // of all its runs together
	squares        float64
}

func (p *pair) moments(s side) moments {
	m := moments{runs: len(s.order)}
	n := float64(m.runs)
	for _, id := range s.order {
		e := s.by[id]
		m.mean += p.metric.scale(e.value) / n
		v := e.spread * e.spread / (n * n)
		m.within += v
		m.weight += v * v / freedom(e.seconds)
		m.freedom += freedom(e.seconds)
	}
	for _, id := range s.order {
		d := p.metric.scale(s.by[id].value) - m.mean
		m.squares += d * d
	}
	return m
}

// reach returns how far the interval of the difference goes to either side, with the chance p of an error on each.
func (g gauge) reach(p float64) float64 {
	most := 0.0
	for i, df := range g.freedom {
		if df > 0 {
			most = max(most, g.spread[i]*tQuantile(p, df))
		}
	}
	return most
}

// bySpread decides a pair whose values have a spread. tests is how many such pairs there are, and alpha what they share.
func (p *pair) bySpread(alpha float64, tests int, each float64) {
	g := p.measure()
	a, b := p.base.value.Value, p.candidate.value.Value
	limit := p.limit.of(a, b)
	alone, together := g.reach(each), g.reach(alpha/float64(tests))
	edge := limit
	if p.metric.log {
		edge = math.Log1p(limit / min(a, b))
	}
	p.line.Interval, p.line.Simultaneous = p.interval(a, g.change, alone), p.interval(a, g.change, together)
	worse := p.metric.worse * g.change
	switch {
	case worse-together > edge:
		p.line.Verdict, p.line.Reason = Regressed, "the whole interval is beyond the tolerance"
	case -worse-together > edge:
		p.line.Verdict, p.line.Reason = Improved, "the whole interval is beyond the tolerance, to the better"
	case math.Abs(worse)+alone <= edge:
		p.line.Verdict, p.line.Reason = Same, "the whole interval is within the tolerance"
	case math.Abs(worse)-alone > edge:
		p.line.Reason = fmt.Sprintf("by itself it is beyond the tolerance, but not where %s are tested", plural(tests, "number"))
		p.line.More = p.more(g, alpha/float64(tests), math.Abs(worse)-edge)
	case math.Abs(worse) > edge:
		p.line.Reason = "the difference is beyond the tolerance, and the interval is not"
		p.line.More = p.more(g, alpha/float64(tests), math.Abs(worse)-edge)
	default:
		p.line.Reason = "the interval is wider than the tolerance"
		p.line.More = p.more(g, each, edge-math.Abs(worse))
	}
}

// interval returns change ± reach in the metric's unit, as far as there can be such values: none is below 0, and no share above 100.
func (p *pair) interval(base, change, reach float64) *Interval {
	if p.metric.log {
		most := base * math.Expm1(change+reach)
		if math.IsInf(most, 0) {
			return nil // it says nothing
		}
		return &Interval{base * math.Expm1(change-reach), most}
	}
	if math.IsInf(reach, 0) {
		return nil
	}
	most := math.Inf(1)
	if p.metric.unit == "%" {
		most = 100 - base
	}
	return &Interval{max(change-reach, -base), min(change+reach, most)}
}

// more says, roughly, how much data would let an interval with the chance p of an error on each side stay on one side of an edge at that
// distance: spreads shrink with the square root of what is measured, and how well they are known grows with it.
func (p *pair) more(g gauge, chance, distance float64) string {
	const most = 1000
	enough := func(times float64) bool {
		longer := g
		for i, df := range g.freedom {
			longer.spread[i] = g.spread[i] / math.Sqrt(times)
			if df > 0 {
				longer.freedom[i] = (df+2)*times - 2
			}
		}
		return longer.reach(chance) < distance
	}
	times := 1.0
	for !enough(times) {
		if times *= 1.1; times > most {
			return fmt.Sprintf("more than %d times as much: it differs by about the tolerance", most)
		}
	}
	if runs := len(p.base.order) + len(p.candidate.order); runs > 2 {
		return fmt.Sprintf("about %d runs in all (there are %d)", int(math.Ceil(times*float64(runs))), runs)
	}
	seconds := min(p.base.value.Seconds, p.candidate.value.Seconds)
	return fmt.Sprintf("about %v of this phase (there are %d s)", time.Duration(math.Ceil(times*float64(seconds)))*time.Second, seconds)
}
