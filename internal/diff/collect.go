package diff

import (
	"fmt"
	"maps"
	"slices"
)

// comparison is two groups of runs under way to a report.
type comparison struct {
	base, candidate []*Run
	opts            Options
	gaps            []Gap
	shared          int // experiments that are the same on both sides
	pairs           []*pair
}

// A pair is one number of both sides.
type pair struct {
	key             Key
	metric          metric
	limit           Tolerance
	base, candidate side
	line            Line
}

// A side is one number of the runs of one group.
type side struct {
	by    map[string]estimate // by run, those that can be compared
	order []string
	lacks string // where there is none
	value *Value
}

// collect pairs the numbers of the experiments that are the same on both sides, and says why of those that are not.
func (c *comparison) collect() {
	for _, run := range slices.Concat(c.base, c.candidate) {
		if run.broken != "" {
			c.gaps = append(c.gaps, Gap{Reason: fmt.Sprintf("run %s cannot be compared: %s", run.ID, run.broken), Unknown: true})
		}
	}
	names := map[string]bool{}
	for _, run := range slices.Concat(c.base, c.candidate) {
		for name := range run.plan.Experiments {
			if run.broken == "" && (len(c.opts.Experiments) == 0 || slices.Contains(c.opts.Experiments, name)) {
				names[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		base, candidate := c.fit(c.base, name), c.fit(c.candidate, name)
		if len(base) > 0 && len(candidate) > 0 {
			c.shared++
			c.pair(name, base, candidate)
		}
	}
}

// fit returns the runs whose records of an experiment can be compared with the first candidate's.
func (c *comparison) fit(runs []*Run, name string) []*Run {
	var fit []*Run
	for _, run := range runs {
		if run.broken != "" || c.candidate[0].broken != "" {
			continue
		}
		gap := Gap{Experiment: name}
		if why := c.candidate[0].plan.differs(run.plan, name); why != "" {
			gap.Reason = fmt.Sprintf("run %s is of another experiment: %s", run.ID, why)
		} else if why := run.problems[name]; why != "" {
			gap.Reason, gap.Unknown = fmt.Sprintf("run %s: %s", run.ID, why), true
		}
		if gap.Reason != "" {
			c.gaps = append(c.gaps, gap)
			continue
		}
		fit = append(fit, run)
	}
	return fit
}

// pair pairs every number of one experiment.
func (c *comparison) pair(name string, base, candidate []*Run) {
	keys := map[Key]bool{}
	for _, run := range slices.Concat(base, candidate) {
		for key := range run.numbers[name] {
			if len(c.opts.Metrics) == 0 || slices.Contains(c.opts.Metrics, key.Metric) {
				keys[key] = true
			}
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(keys), compareKeys) {
		p := &pair{key: key, metric: metricOf(key.Metric), limit: c.opts.tolerance(key.Metric), base: group(base, key), candidate: group(candidate, key)}
		if !p.idle() {
			c.pairs = append(c.pairs, p)
		}
	}
}

// idle says whether there is nothing to compare: nobody retried and nothing was degraded on either side.
func (p *pair) idle() bool {
	if p.key.Metric != Degraded && p.key.Metric != Retries {
		return false
	}
	for _, s := range []side{p.base, p.candidate} {
		if s.value == nil || s.value.Value != 0 {
			return false
		}
	}
	return true
}

// group gathers one number of several runs. Runs that have a value that cannot be compared are left out.
func group(runs []*Run, key Key) side {
	s := side{by: map[string]estimate{}, lacks: "a measurement"}
	var values []float64
	var shown *Value
	for _, run := range runs {
		e, ok := run.numbers[key.Experiment][key]
		if !ok {
			continue
		}
		if e.lacks != "" {
			s.lacks = e.lacks
			if e.n > 0 && shown == nil {
				shown = &Value{Value: e.value, Runs: 1, N: e.n, Seconds: e.seconds}
			}
			continue
		}
		s.by[run.ID], s.order = e, append(s.order, run.ID)
		values = append(values, e.value)
	}
	if len(values) == 0 {
		s.value = shown
		return s
	}
	s.lacks = ""
	s.value = &Value{Value: metricOf(key.Metric).center(values), Runs: len(values)}
	for _, e := range s.by {
		s.value.N += e.n
		s.value.Seconds += e.seconds
		s.value.AtLeast = s.value.AtLeast || e.least
	}
	return s
}
