package gate

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// word is the clause's verdict as it counts.
func (c Clause) word() string {
	if c.Waived {
		return "waived"
	}
	return c.Verdict.String()
}

// WriteText writes the decision: the verdict and its reason, what would flip it, then clause by clause.
// A nil style is that of a pipe.
func (d Decision) WriteText(w io.Writer, style *table.Style) error {
	word := strings.ToUpper(d.Verdict.String())
	first := table.Wrap(fmt.Sprintf("%s  %s: %s", word, d.System, d.Reason), style.Width(), "      ")
	fmt.Fprintf(w, "%s%s\n", style.Word(d.Verdict, word), strings.TrimPrefix(first, word))
	for _, line := range d.context() {
		fmt.Fprintf(w, "      %s\n", table.Wrap(line, style.Width(), "      "))
	}
	d.Flip.writeText(w, style.Width())
	fmt.Fprintf(w, "\n%s", d.table(style).Lay(style.Width()))
	for i, use := range d.Waivers {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, table.Wrap("waiver  "+use.text(), style.Width(), "        "))
	}
	return nil
}

func (d Decision) table(style *table.Style) *table.Table {
	t := &table.Table{Head: []string{"CLAUSE", "VERDICT", "AGE", "OWNER", "EVIDENCE", "REASON"}, Prose: []int{5}}
	for _, c := range d.Clauses {
		age, run := c.cited()
		t.Row(matrix.Flat(c.Name), c.word(), age, matrix.Flat(c.Owner), run, matrix.Flat(c.Reason))
	}
	t.Paint = func(row, column int, text string) string {
		if column != 1 {
			return text
		}
		return style.Word(d.Clauses[row].Verdict, text)
	}
	return t
}

// context says what was decided about, by what, and compared with what.
func (d Decision) context() []string {
	about := "candidate: as " + d.Candidate.From + " says"
	if d.Candidate.Commit != "" {
		about += ", commit " + brief(d.Candidate.Commit)
	}
	if d.Candidate.Dirty {
		about += " with uncommitted changes"
	}
	policy := "policy: " + d.Policy.Name
	if d.Policy.Digest != "" {
		policy += " " + brief(d.Policy.Digest)
	}
	return []string{fmt.Sprintf("%s; %s; base: %s; at %s", about, policy, d.Base, d.At.Format(time.RFC3339)), d.counts()}
}

// counts accounts for clauses and waivers.
func (d Decision) counts() string {
	n := map[string]int{}
	for _, c := range d.Clauses {
		n[c.word()]++
	}
	states := map[string]int{}
	for _, w := range d.Waivers {
		states[w.State]++
	}
	text := fmt.Sprintf("%d clauses: %d pass, %d fail, %d unknown, %d waived; %d waivers", len(d.Clauses), n["pass"], n["fail"], n["unknown"], n["waived"], len(d.Waivers))
	if len(d.Waivers) > 0 {
		text += fmt.Sprintf(": %d used, %d unused, %d expired", states[WaiverUsed], states[WaiverUnused], states[WaiverExpired])
		for _, state := range []string{WaiverTooFar, WaiverElsewhere, WaiverTooWeak} {
			if states[state] > 0 {
				text += fmt.Sprintf(", %d %s", states[state], state)
			}
		}
	}
	return text
}

// cited names the evidence that decides a clause.
func (c Clause) cited() (age, run string) {
	for _, e := range c.Evidence {
		if e.Run != "" && (e.Verdict == c.Verdict || age == "") {
			age, run = e.Age.String(), e.Run
			if e.Verdict == c.Verdict {
				break
			}
		}
	}
	return matrix.Flat(age), matrix.Flat(run)
}

func (f Flip) writeText(w io.Writer, columns int) {
	if len(f.Changes)+len(f.Open) == 0 {
		return
	}
	title := "what would make it pass, the smallest set of changes:"
	if !f.Smallest {
		title = "what would make it pass (a smaller set may do):"
	}
	fmt.Fprintf(w, "\n%s\n", title)
	for i, c := range f.Changes {
		text := fmt.Sprintf("  %d. %s  [%s]", i+1, matrix.Flat(c.Text), matrix.Flat(strings.Join(c.Clauses, ", ")))
		fmt.Fprintln(w, table.Wrap(text, columns, "     "))
		if c.Command != "" {
			fmt.Fprintf(w, "     %s\n", matrix.Flat(c.Command))
		}
	}
	for _, name := range f.Open {
		fmt.Fprintf(w, "  -  %s: nobody can tell\n", matrix.Flat(name))
	}
	if f.Command != "" && f.reruns() > 1 {
		fmt.Fprintf(w, "  all runs in one: %s\n", matrix.Flat(f.Command))
	}
}

func (f Flip) reruns() int {
	n := 0
	for _, c := range f.Changes {
		if c.Rerun != "" {
			n++
		}
	}
	return n
}

func (u WaiverUse) text() string {
	what := "condition " + u.Condition
	if u.Contract != "" {
		what = "contract " + u.Contract
	} else if u.Condition == "" {
		what = strings.Join(u.Journeys, ",") + ": " + strings.Join(u.Modes, ",")
	}
	text := fmt.Sprintf("%s: %s, by %s until %s: %s", matrix.Flat(what), u.State, matrix.Flat(u.Owner), u.Expires.Format(time.DateOnly), matrix.Flat(u.Reason))
	if u.Ticket != "" {
		text += " (" + matrix.Flat(u.Ticket) + ")"
	}
	return text
}

// WriteMarkdown writes the decision for a pull request.
func (d Decision) WriteMarkdown(w io.Writer) error {
	fmt.Fprintf(w, "## %s %s: %s\n\n%s\n\n", sign(d.Verdict, false), strings.ToUpper(d.Verdict.String()), matrix.Markdown(d.System), matrix.Markdown(d.Reason))
	for _, line := range d.context() {
		fmt.Fprintf(w, "%s  \n", matrix.Markdown(line))
	}
	if len(d.Flip.Changes) > 0 {
		fmt.Fprint(w, "\n### What would make it pass\n\n")
		for i, c := range d.Flip.Changes {
			fmt.Fprintf(w, "%d. %s (%s)", i+1, matrix.Markdown(c.Text), matrix.Markdown(strings.Join(c.Clauses, ", ")))
			if c.Command != "" {
				fmt.Fprintf(w, "\n   ```\n   %s\n   ```", strings.ReplaceAll(matrix.Flat(c.Command), "```", ""))
			}
			fmt.Fprintln(w)
		}
	}
	fmt.Fprint(w, "\n| clause | verdict | age | owner | evidence | reason |\n|---|---|---|---|---|---|\n")
	for _, c := range d.Clauses {
		age, run := c.cited()
		fmt.Fprintf(w, "| %s | %s %s | %s | %s | %s | %s |\n", matrix.Markdown(c.Name), sign(c.Verdict, c.Waived), c.word(), age, matrix.Markdown(c.Owner), matrix.Markdown(run), matrix.Markdown(c.Reason))
	}
	for i, use := range d.Waivers {
		if i == 0 {
			fmt.Fprint(w, "\n### Waivers\n\n")
		}
		fmt.Fprintf(w, "- %s\n", matrix.Markdown(use.text()))
	}
	return nil
}

func sign(v verdict.Verdict, waived bool) string {
	switch {
	case waived:
		return "⚠️"
	case v == verdict.Pass:
		return "✅"
	case v == verdict.Fail:
		return "❌"
	}
	return "❔"
}
