package diff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// mostDeals is how many ways to deal runs to the two sides are all tried. Of more, so many are drawn.
const mostDeals = 20000

// singles are the single numbers of all runs: a row for each pair, NaN where a run has none.
type singles struct {
	pairs []*pair
	rows  [][]float64
	deal  []bool // by run: is it the candidate's
}

// newSingles lays out the pairs of single numbers that both sides have.
func newSingles(pairs []*pair, base, candidate []*Run) singles {
	t := singles{deal: make([]bool, len(base)+len(candidate))}
	runs := ids(slices.Concat(base, candidate))
	for i := range candidate {
		t.deal[len(base)+i] = true
	}
	for _, p := range pairs {
		row := make([]float64, len(runs))
		for i, id := range runs {
			row[i] = math.NaN()
			s := p.base
			if t.deal[i] {
				s = p.candidate
			}
			if e, ok := s.by[id]; ok {
				row[i] = e.value
			}
		}
		t.pairs, t.rows = append(t.pairs, p), append(t.rows, row)
	}
	return t
}

// adjusted returns for each row how likely it is that runs which are dealt to the sides at random differ as much to the
// worse, in any row: the permutation test of Westfall and Young (1993). Whole runs are dealt, so
// what hangs together within a run stays together, and nothing is assumed of how numbers are distributed.
func (t singles) adjusted(seed uint64, sign float64) []float64 {
	seen := make([]float64, len(t.rows))
	for i := range t.rows {
		seen[i] = t.statistic(i, t.deal, sign)
	}
	passed, deals := make([]int, len(t.rows)), 0
	t.each(seed, func(deal []bool) {
		most := math.Inf(-1)
		for i := range t.rows {
			most = max(most, t.statistic(i, deal, sign))
		}
		for i := range seen {
			if most >= seen[i]-1e-9 {
				passed[i]++
			}
		}
		deals++
	})
	p := make([]float64, len(t.rows))
	for i := range p {
		p[i] = float64(passed[i]) / float64(deals)
	}
	return p
}

// each calls do with every way to deal the runs, or with the actual one and many at random.
func (t singles) each(seed uint64, do func([]bool)) {
	n, k := len(t.deal), 0
	for _, candidate := range t.deal {
		if candidate {
			k++
		}
	}
	deal := make([]bool, n)
	if choose(n, k) > mostDeals {
		do(t.deal)
		random := rand.New(rand.NewPCG(seed, 2))
		copy(deal, t.deal)
		for range mostDeals {
			random.Shuffle(n, func(i, j int) { deal[i], deal[j] = deal[j], deal[i] })
			do(deal)
		}
		return
	}
	var from func(at, left int)
	from = func(at, left int) {
		if left == 0 {
			do(deal)
			return
		}
		for i := at; i <= n-left; i++ {
			deal[i] = true
			from(i+1, left-1)
			deal[i] = false
		}
	}
	from(0, k)
}

// statistic is how much the candidate's mean is worse, by its standard error and half the tolerance: without the latter, numbers that
// hardly vary would outdo those that matter.
func (t singles) statistic(i int, deal []bool, sign float64) float64 {
	var n, sums, squares [2]float64
	for run, value := range t.rows[i] {
		if math.IsNaN(value) {
			continue
		}
		side := 0
		if deal[run] {
			side = 1
		}
		n[side]++
		sums[side] += value
		squares[side] += value * value
	}
	if n[0] == 0 || n[1] == 0 {
		return math.Inf(-1)
	}
	p := t.pairs[i]
	a, b := sums[0]/n[0], sums[1]/n[1]
	varies := 0.0
	if df := n[0] + n[1] - 2; df > 0 {
		varies = math.Sqrt(max(0, squares[0]-n[0]*a*a+squares[1]-n[1]*b*b) / df * (1/n[0] + 1/n[1]))
	}
	change := sign * p.metric.worse * (b - a)
	if change == 0 {
		return 0
	}
	return change / (varies + p.limit.of(a, b)/2)
}

// byRank decides a pair of single numbers: by a permutation test of all such numbers together whether the
// difference is real, and by the ranks of the values how large it is.
func (p *pair) byRank(worse, better, alpha, each float64) {
	limit := p.limit.of(p.base.value.Value, p.candidate.value.Value)
	p.line.Interval = p.ranked(each)
	p.line.P = min(worse, better)
	n, k := len(p.base.order), len(p.candidate.order)
	if p.line.Interval == nil {
		p.line.Reason = fmt.Sprintf("a run gives one number of it, and %d and %d do not show how it varies", n, k)
		p.line.More = needRuns(alpha)
		return
	}
	from, to := p.line.Interval.From, p.line.Interval.To
	if p.metric.worse < 0 {
		from, to = -to, -from
	}
	switch {
	case from > limit && worse <= alpha:
		p.line.Verdict, p.line.Reason = Regressed, "the whole interval is beyond the tolerance"
	case to < -limit && better <= alpha:
		p.line.Verdict, p.line.Reason = Improved, "the whole interval is beyond the tolerance, to the better"
	case from >= -limit && to <= limit:
		p.line.Verdict, p.line.Reason = Same, "the whole interval is within the tolerance"
	case from > limit || to < -limit:
		p.line.Reason = fmt.Sprintf("by itself it is beyond the tolerance, but runs dealt at random differ as much somewhere with p = %.2g, which is over %.2g", p.line.P, alpha)
		p.line.More = needRuns(alpha)
	default:
		p.line.Reason = "the interval is neither within the tolerance nor beyond it"
		p.line.More = fmt.Sprintf("more than %d and %d runs", n, k)
	}
}

// ranked returns the interval of the difference by ranks (Mann and Whitney, Hodges and Lehmann): between the k-th smallest and the
// k-th largest difference of a candidate's value and a base's. Nil where there are too few runs for any.
func (p *pair) ranked(alpha float64) *Interval {
	var differences []float64
	for _, a := range p.base.order {
		for _, b := range p.candidate.order {
			differences = append(differences, p.candidate.by[b].value-p.base.by[a].value)
		}
	}
	k := rankDepth(len(p.base.order), len(p.candidate.order), alpha)
	if k == 0 {
		return nil
	}
	slices.Sort(differences)
	return &Interval{differences[k-1], differences[len(differences)-k]}
}

// rankDepth returns the largest k for which fewer than k of the n*m differences lie on one side with a chance of
// at most alpha, where both samples are of one distribution. 0 if there is none.
func rankDepth(n, m int, alpha float64) int {
	// ways[j][u]: in how many orders of j base values among those looked at so far the candidate's are ahead u times.
	ways := make([][]float64, n+1)
	for j := range ways {
		ways[j] = make([]float64, n*m+1)
	}
	ways[0][0] = 1
	for at := 1; at <= n+m; at++ {
		for j := min(at, n); j >= 1; j-- {
			ahead := at - j // candidates before the value at this place
			if ahead > m {
				continue
			}
			for u := n * m; u >= ahead; u-- {
				ways[j][u] += ways[j-1][u-ahead]
			}
		}
	}
	total, below := choose(n+m, n), 0.0
	for u, w := range ways[n] {
		if below += w; below/total > alpha {
			return u
		}
	}
	return n * m
}

// choose returns how many ways there are to choose k of n.
func choose(n, k int) float64 {
	ways := 1.0
	for i := 1; i <= k; i++ {
		ways = ways * float64(n-k+i) / float64(i)
	}
	return math.Round(ways)
}

// needRuns says how many runs let a permutation test decide at alpha.
func needRuns(alpha float64) string {
	n := 1
	for 1/choose(2*n, n) > alpha {
		n++
	}
	return fmt.Sprintf("%d runs on each side, or %.0f before one", n, math.Ceil(1/alpha-1e-9)-1)
}
