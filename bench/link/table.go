package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A result is all that one run measured.
type result struct {
	Rows    []row    `json:"rows"`
	Notes   []string `json:"notes,omitempty"`
	Machine machine  `json:"machine"`
}

// A row is one figure: the median of the rounds for each proxy, and the ratio of ours to another.
type row struct {
	What    string             `json:"what"`
	Unit    string             `json:"unit"`
	Median  map[string]float64 `json:"median"`
	Rounds  samples            `json:"rounds,omitempty"`
	Ratio   float64            `json:"ratio,omitempty"` // median of the rounds' ratios of ours to Against
	Against string             `json:"against,omitempty"`
	Aim     string             `json:"aim,omitempty"`
	Met     *bool              `json:"met,omitempty"` // nil: no aim
}

// samples are the values of each round, by proxy.
type samples map[string][]float64

func (s samples) median(name string) float64 { return median(s[name]) }

// ratio returns the median of the rounds' ratios of one proxy to another.
func (s samples) ratio(of, to string) float64 {
	var ratios []float64
	for i := range min(len(s[of]), len(s[to])) {
		ratios = append(ratios, s[of][i]/s[to][i])
	}
	return median(ratios)
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// add adds a row of samples.
func (b *bench) add(what, unit string, s samples) *row {
	r := row{What: what, Unit: unit, Rounds: s, Median: map[string]float64{}}
	for name := range s {
		r.Median[name] = s.median(name)
	}
	b.result.Rows = append(b.result.Rows, r)
	return &b.result.Rows[len(b.result.Rows)-1]
}

// against compares ours with another proxy, where both were measured.
func (r *row) against(name string) *row {
	if len(r.Rounds[name]) > 0 && len(r.Rounds[ours]) > 0 {
		r.Against, r.Ratio = name, r.Rounds.ratio(ours, name)
	}
	return r
}

// aim says what the row is held to, and whether it is so. Without a comparison that it needs there is no answer.
func (r *row) aim(text string, met func(*row) bool) {
	r.Aim = text
	if len(r.Rounds[ours]) > 0 {
		is := met(r)
		r.Met = &is
	}
}

func (r *row) ratioAtMost(most float64) {
	if r.Against != "" {
		r.aim(fmt.Sprintf("≤ %.2f", most), func(r *row) bool { return r.Ratio <= most })
	}
}

func (r *row) ratioAtLeast(least float64) {
	if r.Against != "" {
		r.aim(fmt.Sprintf("≥ %.2f", least), func(r *row) bool { return r.Ratio >= least })
	}
}

func (r *row) oursAtMost(most float64) {
	r.aim(fmt.Sprintf("≤ %s %s", number(most), r.Unit), func(r *row) bool { return r.Median[ours] <= most })
}

func (r *row) oursWithin(least, most float64) {
	r.aim(number(least)+" to "+number(most), func(r *row) bool { return r.Median[ours] >= least && r.Median[ours] <= most })
}

func (r result) markdown() string {
	var out strings.Builder
	out.WriteString("| what | unit | direct | plain | Toxiproxy " + toxiproxyVersion + " | ours | ratio | aim |\n|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		ratio, aim := "", row.Aim
		if row.Against != "" {
			ratio = fmt.Sprintf("%.2f of %s", row.Ratio, row.Against)
		}
		if row.Met != nil {
			aim += map[bool]string{true: ", met", false: ", **missed**"}[*row.Met]
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", row.What, row.Unit,
			row.cell(direct), row.cell(plain), row.cell(toxiproxy), row.cell(ours), ratio, aim)
	}
	out.WriteString("\n" + r.Machine.String() + "\n")
	for _, note := range r.Notes {
		out.WriteString("\n" + note + "\n")
	}
	return out.String()
}

func (r row) cell(name string) string {
	if len(r.Rounds[name]) == 0 {
		return ""
	}
	return number(r.Median[name])
}

// number writes three digits that mean something.
func number(f float64) string {
	switch {
	case f >= 100 || f <= -100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f == float64(int64(f)):
		return strconv.FormatInt(int64(f), 10)
	case f >= 10 || f <= -10:
		return strconv.FormatFloat(f, 'f', 1, 64)
	case f >= 1 || f <= -1:
		return strconv.FormatFloat(f, 'f', 2, 64)
	}
	return strconv.FormatFloat(f, 'f', 3, 64)
}
