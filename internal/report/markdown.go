package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// Markdown writes a summary for a pull request or a job's page. All that comes from files and records stands in
// code spans, where no markup, link or mention works.
func (r *Report) Markdown(w io.Writer) error {
	r = scrubbed(r)
	var out strings.Builder
	fmt.Fprintf(&out, "## %s %s\n\n", sign(r.Verdict), code(r.Summary()))
	if standing := r.Standing(); standing != "" {
		fmt.Fprintf(&out, "> %s\n\n", code(standing))
	} else if r.Reason != "" {
		fmt.Fprintf(&out, "%s\n\n", code(r.Reason))
	}
	for _, h := range r.Headlines {
		h.markdown(&out)
	}
	r.markdownMatrix(&out)
	out.WriteString("| verdict | experiment | proved | recovery | reason |\n|---|---|---|---|---|\n")
	for i := range r.Experiments {
		x := &r.Experiments[i]
		if !x.Control {
			fmt.Fprintf(&out, "| %s | %s | %s | %s | %s |\n", sign(x.Verdict), cell(x.Name), cell(proved(x)), recovery(x), cell(brief(x.Reason, 160)))
		}
	}
	if r.foreign() {
		r.markdownTests(&out)
	}
	for i := range r.Experiments {
		for _, text := range trouble(&r.Experiments[i]) {
			fmt.Fprintf(&out, "\n- %s: %s", code(r.Experiments[i].Name), code(text))
		}
	}
	for _, text := range r.Problems {
		fmt.Fprintf(&out, "\n- unreadable: %s", code(text))
	}
	fmt.Fprintf(&out, "\n<sub>run %s", code(r.ID))
	if !r.foreign() {
		fmt.Fprintf(&out, ", seed %d", r.Meta.Seed)
	}
	fmt.Fprintf(&out, ", grade %s", code(orDash(r.Meta.Grade)))
	if r.Command != "" {
		fmt.Fprintf(&out, ", the whole report: %s", code(r.Command))
	}
	out.WriteString("</sub>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// markdownTests lists the tests of a foreign run, which are all there is of it.
func (r *Report) markdownTests(out *strings.Builder) {
	out.WriteString("\n| verdict | test | reason |\n|---|---|---|\n")
	for _, x := range r.Experiments {
		for _, c := range x.Failed() {
			fmt.Fprintf(out, "| %s | %s | %s |\n", sign(c.Verdict), cell(brief(c.Check, 160)), cell(brief(c.Reason, 160)))
		}
	}
}

// sign is the verdict as a sign and a word.
func sign(v verdict.Verdict) string {
	switch v {
	case verdict.Pass:
		return "✅ PASS"
	case verdict.Fail:
		return "❌ FAIL"
	}
	return "❔ UNKNOWN"
}

func (h Headline) markdown(out *strings.Builder) {
	fmt.Fprintf(out, "**%s**: %s\n\n", strings.ToUpper(h.Verdict.String()), code(h.sentence()))
	if h.Measured != "" {
		fmt.Fprintf(out, "| check | limit | %s | missed by |\n|---|---|---|---|\n| %s | %s | **%s** | %s |\n\n", h.MeasuredOf(), cell(h.Check), cell(h.Limit), cell(h.Measured), cell(orDash(h.Missed)))
	}
	fmt.Fprintf(out, "- %s\n", code(h.Reason))
	fmt.Fprintf(out, "- in experiment %s", code(h.Experiment))
	if h.Phase != "" {
		fmt.Fprintf(out, ", %s", h.Phase)
	}
	if h.Pos != "" {
		fmt.Fprintf(out, ", %s", code(h.Pos))
	}
	out.WriteString("\n")
	if h.Error != nil {
		fmt.Fprintf(out, "- commonest error, %d of %d: %s\n", h.Error.Count, h.NotOK, code(brief(h.Error.Example, 300)))
	}
	if h.Replay != "" {
		if h.Elsewhere {
			fmt.Fprintf(out, "\nReplay, %s:\n", whereItRan)
		}
		fmt.Fprintf(out, "\n%s\n", fenced(h.Replay))
	}
	out.WriteString("\n")
}

func (r *Report) markdownMatrix(out *strings.Builder) {
	m := r.Matrix
	if len(m.Rows) == 0 || len(m.Modes) == 0 {
		return
	}
	out.WriteString("| journey |")
	for _, mode := range m.Modes {
		fmt.Fprintf(out, " %s |", cell(mode))
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(m.Modes)) + "\n")
	for _, row := range m.Rows {
		fmt.Fprintf(out, "| %s |", cell(row.Name()))
		for _, c := range row.Cells {
			fmt.Fprintf(out, " %s |", signed(c))
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
}

// signed is the matrix's own word for a cell, with a sign where anybody asks for it.
func signed(c matrix.Cell) string {
	if !c.Asked() {
		return c.Word()
	}
	v := c.Verdict
	if c.Removed {
		v = verdict.Fail
	}
	icon, _, _ := strings.Cut(sign(v), " ")
	return icon + " " + c.Word()
}

// code puts s in a code span that it cannot leave: the span's fence is longer than any run of backticks in it.
func code(s string) string {
	if s == "" {
		return "–"
	}
	fence := strings.Repeat("`", longestTicks(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.TrimSpace(s) == "" {
		s = " " + s + " "
	}
	return fence + s + fence
}

// cell is code within a table, where a bar ends the cell even in a code span.
func cell(s string) string { return strings.ReplaceAll(code(s), "|", `\|`) }

func fenced(s string) string {
	fence := strings.Repeat("`", max(longestTicks(s)+1, 3))
	return fence + "sh\n" + s + "\n" + fence
}

func longestTicks(s string) int {
	longest, run := 0, 0
	for _, c := range s {
		if c != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
