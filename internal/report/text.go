package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// Text writes the report for a terminal or a pipe: the verdict and its reason first, then limit and measured side by
// side, then where to look. With colour it also says what to do next; without, it is plain columns, which are fitted to
// as many as a terminal has, 0 for a pipe.
func (r *Report) Text(w io.Writer, colour bool, columns int) error {
	p := &terminal{w: w, colour: colour, columns: columns}
	r = scrubbed(r)
	if standing := r.Standing(); standing != "" {
		p.print("%s\n", p.bold(standing))
	}
	p.print("%s  %s\n", p.word(r.Verdict), r.Summary())
	if r.Reason != "" && r.Standing() == "" {
		p.wrapped("      ", "%s", r.Reason)
	}
	for _, h := range r.Headlines {
		p.headline(h)
	}
	for _, text := range r.Problems {
		p.print("unreadable: %s\n", text)
	}
	p.experiments(r)
	for i := range r.Experiments {
		p.experiment(&r.Experiments[i], r.foreign())
	}
	if colour {
		p.print("\nnext:\n")
		for _, step := range r.Next() {
			p.print("  %s\n", strings.TrimSpace(strings.TrimSuffix(step.Text, ":")+"  "+p.bold(step.Command)))
		}
	}
	p.print("\nevidence: %s\n", r.Dir)
	return p.err
}

// terminal writes lines and keeps the first error.
type terminal struct {
	w       io.Writer
	colour  bool
	columns int
	err     error
}

func (p *terminal) print(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// wrapped prints a text that breaks between words where the terminal ends.
func (p *terminal) wrapped(indent, format string, args ...any) {
	p.print("%s\n", table.Wrap(indent+fmt.Sprintf(format, args...), p.columns, indent+"  "))
}

func (p *terminal) bold(s string) string {
	if !p.colour || s == "" {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// word is the verdict's word; the colour is beside it and never instead.
func (p *terminal) word(v verdict.Verdict) string {
	word := strings.ToUpper(v.String())
	if !p.colour {
		return word
	}
	code := map[verdict.Verdict]string{verdict.Pass: "32", verdict.Fail: "31", verdict.Unknown: "33"}[v]
	return "\x1b[1;" + code + "m" + word + "\x1b[0m"
}

func (p *terminal) headline(h Headline) {
	word := strings.ToUpper(h.Verdict.String())
	sentence := strings.TrimPrefix(table.Wrap(word+"  "+h.sentence(), p.columns, "      "), word+"  ")
	p.print("\n%s  %s\n", p.word(h.Verdict), p.bold(sentence))
	if h.Measured != "" {
		p.print("      %s %s, limit %s%s   %s\n", h.MeasuredOf(), h.Measured, h.Limit, prefixed(", missed by ", h.Missed), h.Says)
	}
	p.wrapped("      ", "%s", h.Reason)
	p.print("      in experiment %s%s%s\n", h.Experiment, prefixed(", ", h.Phase), prefixed(", ", h.Pos))
	if h.Error != nil {
		p.wrapped("      ", "commonest error, %d of %d: %s", h.Error.Count, h.NotOK, brief(h.Error.Example, 200))
	}
	if h.More > 0 {
		p.print("      %d other %s not passed\n", h.More, plural(h.More, "check"))
	}
	if h.Replay != "" {
		p.print("      %s\n", replayed(h.Replay, h.Elsewhere))
	}
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func (p *terminal) experiments(r *Report) {
	t := table.Table{Head: []string{"EXPERIMENT", "VERDICT", "PROVED", "RECOVERY", "REASON"}, Prose: []int{2, 4}}
	for i := range r.Experiments {
		x := &r.Experiments[i]
		name := x.Name
		if x.Control {
			name += " (control)"
		}
		t.Row(name, x.Verdict.String(), proved(x), recovery(x), x.Reason)
	}
	p.print("\n%s", t.Lay(p.columns))
}

// tests prints all checks of a foreign run.
func (p *terminal) tests(x *Experiment) {
	t := table.Table{Indent: "  ", Prose: []int{2}}
	for _, c := range x.Failed() {
		t.Row(c.Verdict.String(), brief(c.Check, 80), brief(c.Reason, 120))
	}
	p.print("\n%s\n%s", x.Name, t.Lay(p.columns))
}

// experiment prints what did not pass: its checks with limits and figures, what the operations came to, and the commonest errors.
func (p *terminal) experiment(x *Experiment, foreign bool) {
	for _, text := range trouble(x) {
		p.print("  %s: %s\n", x.Name, text)
	}
	if foreign {
		p.tests(x)
		return
	}
	if x.Verdict == verdict.Pass || x.Control || len(x.Checks)+len(x.Journeys) == 0 {
		return
	}
	t := table.Table{Indent: "  ", Prose: []int{5}, Whole: true}
	for _, c := range x.Failed() {
		if c.Verdict != verdict.Pass {
			t.Row(c.Verdict.String(), c.Phase, brief(c.Check, 80), "limit "+orDash(c.Limit), "measured "+orDash(c.Measured), brief(c.Reason, 120))
		}
	}
	p.print("\n%s\n%s", x.Name, t.Lay(p.columns))
	for _, j := range x.Journeys {
		p.print("  %s: %s\n", j.Name, j.sentence())
		for _, e := range j.Errors[:min(3, len(j.Errors))] {
			p.wrapped("    ", "%d times: %s", e.Count, brief(e.Example, 160))
		}
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
