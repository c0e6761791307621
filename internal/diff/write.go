package diff

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/table"
)

// Headline returns the verdict's reason in one sentence: the worst regression with its numbers, or how many numbers were decided.
func (r Report) Headline() string {
	if r.Counts[Regressed] > 0 {
		return r.Lines[0].sentence()
	}
	if i := r.gapAbove(); i >= 0 {
		return r.Gaps[i].String()
	}
	if r.Verdict == Improved {
		return r.Lines[0].sentence()
	}
	if r.Verdict == NotEnough {
		if len(r.LooksWorse) > 0 {
			return "looks worse: " + r.LooksWorse[0]
		}
		return "nothing is seen to have regressed, and not all could be decided: " + r.Summary()
	}
	return "nothing regressed: " + r.Summary()
}

// gapAbove returns the gap that is the headline, -1 where none is.
func (r Report) gapAbove() int {
	if r.Verdict != NotEnough {
		return -1
	}
	return slices.IndexFunc(r.Gaps, func(g Gap) bool { return g.Unknown })
}

// gapsBelow are those that the headline does not name.
func (r Report) gapsBelow() []Gap {
	if i := r.gapAbove(); i >= 0 {
		return slices.Delete(slices.Clone(r.Gaps), i, i+1)
	}
	return r.Gaps
}

// String returns what was not compared, and why.
func (g Gap) String() string { return strings.TrimPrefix(g.Experiment+": "+g.Reason, ": ") }

// Summary counts the verdicts.
func (r Report) Summary() string {
	return fmt.Sprintf("of %s %d regressed, %d improved, %d are the same, %d have not enough data",
		plural(len(r.Lines), "number"), r.Counts[Regressed], r.Counts[Improved], r.Counts[Same], r.Counts[NotEnough])
}

func (l Line) sentence() string {
	text := fmt.Sprintf("%s %s in %s, %s: %s -> %s %s (%s", l.Subject, l.Metric, l.Experiment, l.Phase, l.Base, l.Candidate, l.Unit, signed(l.Change))
	if l.Interval != nil {
		text += fmt.Sprintf(", interval %s", l.Interval)
	}
	return text + fmt.Sprintf(", tolerance %s)", number(l.Tolerance))
}

// String returns the value, or "-" for none.
func (v *Value) String() string {
	switch {
	case v == nil:
		return "-"
	case v.AtLeast:
		return ">=" + number(v.Value)
	}
	return number(v.Value)
}

// String returns "+1.2 to +3.4", or "-" for none.
func (i *Interval) String() string {
	if i == nil {
		return "-"
	}
	return signed(i.From) + " to " + signed(i.To)
}

func number(x float64) string {
	switch {
	case x < 1e-9 && x > -1e-9:
		return "0"
	case x != 0 && (x < 0.01 && x > -0.01):
		return fmt.Sprintf("%.2g", x)
	case x < 10 && x > -10:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
	case x < 1000 && x > -1000:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", x), ".0")
	}
	return fmt.Sprintf("%.0f", x)
}

func signed(x float64) string {
	if x > 0 {
		return "+" + number(x)
	}
	return number(x)
}

// runs names one side.
func runsText(ids []string) string {
	if len(ids) == 0 {
		return "no run"
	}
	if len(ids) == 1 {
		return "run " + ids[0]
	}
	return fmt.Sprintf("%d runs, %s to %s", len(ids), ids[len(ids)-1], ids[0])
}

// Text writes the report for people: the verdict and its reason, both sides, then a line a number, worst first. columns are
// those of a terminal, 0 for a pipe; paint colours a verdict's word, which is there without it, too; nil for none.
func (r Report) Text(w io.Writer, columns int, paint func(v Verdict, word string) string) error {
	if paint == nil {
		paint = func(_ Verdict, word string) string { return word }
	}
	var b strings.Builder
	line := func(text string) { fmt.Fprintln(&b, table.Wrap(text, columns, "           ")) }
	word := strings.ToUpper(string(r.Verdict))
	fmt.Fprintf(&b, "%s%s\n", paint(r.Verdict, word), strings.TrimPrefix(table.Wrap(word+"  "+r.Headline(), columns, "           "), word))
	for _, text := range r.worseBelow() {
		line("looks worse: " + text)
	}
	if r.Verdict == Regressed || r.Verdict == Improved || len(r.LooksWorse) > 0 {
		line("           " + r.Summary())
	}
	fmt.Fprintf(&b, "base:      %s\ncandidate: %s\n", runsText(r.Base), runsText(r.Candidate))
	for _, g := range r.gapsBelow() {
		line("not compared: " + g.String())
	}
	for _, note := range r.Notes {
		line("note: " + note)
	}
	if len(r.Lines) > 0 {
		b.WriteString("\n" + r.table(columns, paint))
		b.WriteByte('\n')
		for _, text := range []string{
			fmt.Sprintf("CHANGE is candidate minus base; INTERVAL holds it but for %s on each side. Regressed and improved allow for all %s:", percent(r.Alpha), plural(r.Tested, "number")),
			fmt.Sprintf("runs of one and the same thing are said to have regressed anywhere with a chance of at most %s%s.", percent(r.Alpha), r.proviso()),
		} {
			fmt.Fprintln(&b, table.Wrap(text, columns, ""))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// proviso is what one run against one cannot know.
func (r Report) proviso() string {
	if len(r.Base) == 1 && len(r.Candidate) == 1 {
		return ", if runs do not differ by themselves"
	}
	return ""
}

func percent(x float64) string { return number(100*x) + " %" }

func (r Report) table(columns int, paint func(Verdict, string) string) string {
	t := table.Table{Head: []string{"VERDICT", "EXPERIMENT", "PHASE", "OF", "METRIC", "BASE", "CANDIDATE", "UNIT", "CHANGE", "INTERVAL", "TOLERANCE", "N", "NEEDS"}, Prose: []int{12}}
	for _, l := range r.Lines {
		t.Row(append([]string{string(l.Verdict)}, l.cells()...)...)
	}
	t.Paint = func(row, column int, text string) string {
		if column > 0 {
			return text
		}
		return paint(r.Lines[row].Verdict, text)
	}
	return t.Lay(columns)
}

func (l Line) cells() []string {
	change, tolerance := "-", "-"
	if l.Base != nil && l.Candidate != nil {
		change, tolerance = signed(l.Change), number(l.Tolerance)
	}
	return []string{l.Experiment, l.Phase, l.Subject, l.Metric, l.Base.String(), l.Candidate.String(), l.Unit, change, l.Interval.String(), tolerance, l.counts(), l.needs()}
}

func (l Line) counts() string {
	count := func(v *Value) string {
		switch {
		case v == nil:
			return "-"
		case v.Runs > 1:
			return fmt.Sprintf("%d in %d runs", v.N, v.Runs)
		}
		return fmt.Sprint(v.N)
	}
	return count(l.Base) + " / " + count(l.Candidate)
}

// needs says what an undecided line lacks.
func (l Line) needs() string {
	switch {
	case l.Verdict != NotEnough:
		return "-"
	case l.More != "":
		return l.More
	}
	return l.Reason
}

// Markdown writes the report for a comment on a change: what is the same is only counted.
func (r Report) Markdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** %s\n\n%s.\n\nBase: %s. Candidate: %s.\n", strings.ToUpper(string(r.Verdict)), escape(r.Headline()), capital(r.Summary()), runsText(r.Base), runsText(r.Candidate))
	for _, text := range r.worseBelow() {
		fmt.Fprintf(&b, "\nLooks worse: %s\n", escape(text))
	}
	for _, g := range r.gapsBelow() {
		fmt.Fprintf(&b, "\nNot compared: %s\n", escape(g.String()))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\nNote: %s\n", escape(note))
	}
	if r.Counts[Regressed]+r.Counts[Improved]+r.Counts[NotEnough] > 0 {
		b.WriteString("\n| verdict | experiment | phase | of | metric | base | candidate | unit | change | interval | tolerance | n | needs |\n|---|---|---|---|---|--:|--:|---|--:|--:|--:|--:|---|\n")
	}
	for _, l := range r.Lines {
		if l.Verdict == Same {
			continue
		}
		cells := append([]string{string(l.Verdict)}, l.cells()...)
		for i := range cells {
			cells[i] = escape(cells[i])
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ", "*", `\*`, "_", `\_`).Replace(text)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
