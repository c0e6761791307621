package diff

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Names of the metrics that are compared.
const (
	Success    = "success"
	Degraded   = "degraded"
	P50        = "p50"
	P95        = "p95"
	P99        = "p99"
	Retries    = "retries"
	CPU        = "cpu"
	RSS        = "rss"
	FromInject = "recovery.from_inject"
	FromHeal   = "recovery.from_heal"
)

// A metric is one kind of number that runs are compared by.
type metric struct {
	name  string
	unit  string
	worse float64 // 1 where more is worse, -1 where less is
	log   bool    // differences are proportions: its spread grows with its size
	// single says that a run gives one number of it and no spread, so that only runs among themselves show how it varies.
	single    bool
	tolerance Tolerance
}

func metrics() []metric {
	return []metric{
		{Success, "%", -1, false, false, Tolerance{0, 0.5}},
		{Degraded, "%", 1, false, false, Tolerance{0, 1}},
		{P50, "ms", 1, true, false, Tolerance{0.10, 2}},
		{P95, "ms", 1, true, false, Tolerance{0.10, 2}},
		{P99, "ms", 1, true, false, Tolerance{0.10, 2}},
		{Retries, "per request", 1, false, false, Tolerance{0.10, 0.02}},
		{CPU, "ms per operation", 1, false, false, Tolerance{0.15, 0.2}},
		{RSS, "MB", 1, false, true, Tolerance{0.10, 1}},
		{FromInject, "s", 1, false, true, Tolerance{0.20, 0.5}},
		{FromHeal, "s", 1, false, true, Tolerance{0.20, 0.5}},
	}
}

// Metrics returns the names of all metrics.
func Metrics() []string {
	var names []string
	for _, m := range metrics() {
		names = append(names, m.name)
	}
	return names
}

func metricOf(name string) metric {
	all := metrics()
	return all[slices.IndexFunc(all, func(m metric) bool { return m.name == name })]
}

// A Tolerance is the largest difference that does not matter: Share of the smaller of the two values, and
// Least in the metric's unit where that is more. The smaller value, so that it is the same whichever run is the base.
type Tolerance struct {
	Share float64 `json:"share"`
	Least float64 `json:"least"`
}

// of returns the tolerance between two values, in their unit.
func (t Tolerance) of(a, b float64) float64 {
	return max(t.Share*min(math.Abs(a), math.Abs(b)), t.Least)
}

// ParseTolerance reads "p95=20%,5ms": a share of the value, a least difference, or both. What
// is not given is 0. The name may be that of a group: "latency" or "recovery".
func ParseTolerance(text string) (names []string, t Tolerance, err error) {
	name, values, ok := strings.Cut(text, "=")
	for _, m := range Metrics() {
		if m == name || name == "latency" && slices.Contains([]string{P50, P95, P99}, m) || strings.HasPrefix(m, name+".") {
			names = append(names, m)
		}
	}
	if !ok || len(names) == 0 {
		return nil, t, fmt.Errorf("tolerance %q: want METRIC=SHARE%%,LEAST, such as p95=20%%,5ms (metrics: latency, recovery, %s)", text, strings.Join(Metrics(), ", "))
	}
	for value := range strings.SplitSeq(values, ",") {
		if err := t.add(names[0], value); err != nil {
			return nil, t, fmt.Errorf("tolerance %q: %w", text, err)
		}
	}
	return names, t, nil
}

// add reads one part of a tolerance. Of what is itself a percentage, a percentage is a least difference in points.
func (t *Tolerance) add(name, value string) error {
	m := metricOf(name)
	number, percent := strings.CutSuffix(value, "%")
	if !percent {
		number = strings.TrimSuffix(strings.TrimSuffix(value, strings.Fields(m.unit)[0]), "points")
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !(x >= 0) || math.IsInf(x, 1) {
		unit := m.unit
		if unit == "%" {
			unit = "points"
		}
		return fmt.Errorf("%q is no share (such as 10%%) and no difference in %s (such as 0.5)", value, unit)
	}
	if percent && m.unit != "%" {
		t.Share = x / 100
	} else {
		t.Least = x
	}
	return nil
}
