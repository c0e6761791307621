package diff

import "math"

// decide decides all pairs. Numbers with a spread and single numbers share alpha in halves, unless
// there are too few runs for any single number to be decided.
func (c *comparison) decide() (lines []Line, tested int) {
	var spread, single []*pair
	for _, p := range c.pairs {
		switch p.begin(); {
		case p.line.Reason != "":
		case p.metric.single:
			single = append(single, p)
		default:
			spread = append(spread, p)
		}
	}
	alpha := c.opts.alpha()
	half := alpha / 2
	if len(spread) == 0 {
		half = alpha
	}
	all := newSingles(single, c.base, c.candidate)
	decidable := len(single) > 0 && 1/choose(len(all.deal), len(c.candidate)) <= half
	if decidable {
		worse, better := all.adjusted(c.opts.Seed, 1), all.adjusted(c.opts.Seed, -1)
		for i, p := range single {
			p.byRank(worse[i], better[i], half, alpha)
		}
		tested += len(single)
	} else {
		for _, p := range single {
			p.byRank(1, 1, half, alpha)
		}
	}
	for _, p := range spread {
		share := alpha
		if decidable {
			share = half
		}
		p.bySpread(share, len(spread), alpha)
	}
	for _, p := range c.pairs {
		lines = append(lines, p.line)
	}
	return lines, tested + len(spread)
}

// begin fills what is known before anything is decided, and the reason where nothing can be.
func (p *pair) begin() {
	p.line = Line{Key: p.key, Unit: p.metric.unit, Verdict: NotEnough, Base: p.base.value, Candidate: p.candidate.value}
	if a, b := p.base.value, p.candidate.value; a != nil && b != nil {
		p.line.Change = b.Value - a.Value
		p.line.Tolerance = p.limit.of(a.Value, b.Value)
		p.line.Severity = severity(p.metric.worse*p.line.Change, p.line.Tolerance)
	}
	switch {
	case p.base.lacks != "" && p.base.lacks == p.candidate.lacks:
		p.line.Reason, p.line.More = "it needs more on both sides", p.base.lacks
	case p.base.lacks != "":
		p.line.Reason, p.line.More = "it needs more of the base", "of the base: "+p.base.lacks
	case p.candidate.lacks != "":
		p.line.Reason, p.line.More = "it needs more of the candidate", "of the candidate: "+p.candidate.lacks
	}
}

// severity is how many tolerances a change is, finite also where nothing is tolerated.
func severity(change, tolerance float64) float64 {
	if tolerance > 0 {
		return change / tolerance
	}
	return math.Copysign(min(math.Abs(change)*1e9, 1e9), change)
}
