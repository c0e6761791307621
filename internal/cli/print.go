package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

// printer writes results: coloured and fitted for a terminal, plain columns in a pipe.
type printer struct {
	w       io.Writer
	colour  bool
	columns int // of the terminal, 0 where nothing is to be fitted
}

func newPrinter(w io.Writer) *printer {
	return &printer{w, isTerminal(w) && os.Getenv("NO_COLOR") == "", columns(w)}
}

// leastColumns keep a window that was made very small from tearing every word apart.
const leastColumns = 40

// columns returns how wide a terminal is, 0 for what is none, and for one that does not say.
func columns(w io.Writer) int {
	f, ok := raw(w).(*os.File)
	if !ok {
		return 0
	}
	wide, _, err := term.GetSize(int(f.Fd()))
	if err != nil || wide <= 0 {
		return 0
	}
	return max(wide, leastColumns)
}

func (p *printer) style() *table.Style { return &table.Style{Columns: p.columns, Paint: p.paint} }

// line writes a text that begins with a verdict's word, broken between words where the terminal ends.
func (p *printer) line(v verdict.Verdict, word, text, indent string) {
	whole := table.Wrap(word+"  "+text, p.columns, indent)
	fmt.Fprintf(p.w, "%s%s\n", p.paint(v, word), strings.TrimPrefix(whole, word))
}

// text writes what begins with an indent and goes on with a wider one.
func (p *printer) text(indent, format string, args ...any) {
	fmt.Fprintln(p.w, table.Wrap(indent+fmt.Sprintf(format, args...), p.columns, indent+"  "))
}

func isTerminal(w io.Writer) bool {
	f, ok := raw(w).(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// paint colours a verdict's word. The word is there without the colour, too.
func (p *printer) paint(v verdict.Verdict, text string) string {
	if !p.colour {
		return text
	}
	code := map[verdict.Verdict]string{verdict.Pass: "32", verdict.Fail: "31", verdict.Unknown: "33"}[v]
	return "\x1b[1;" + code + "m" + text + "\x1b[0m"
}

func (p *printer) verdict(report run.Report, headlines []run.Headline) {
	counts := map[verdict.Verdict]int{}
	for _, r := range report.Results {
		counts[r.Verdict]++
	}
	for _, h := range headlines {
		p.line(h.Verdict, strings.ToUpper(h.Verdict.String()), headlineText(h), "      ")
		p.text("      ", "in experiment %s%s, seed %d%s", h.Experiment, phaseText(h.Phase), report.Seed, defectText(report.Defect))
		if h.Replay != "" {
			fmt.Fprintf(p.w, "      replay: %s\n", h.Replay)
		}
	}
	if report.Broken != "" {
		p.line(verdict.Unknown, "BROKEN", "the run broke: "+report.Broken, "      ")
	}
	if report.Interrupted {
		p.line(verdict.Unknown, "UNKNOWN", "interrupted: what was stored is partial", "      ")
	}
	v := report.Verdict()
	p.line(v, strings.ToUpper(v.String()), fmt.Sprintf("%s: %d experiments: %d pass, %d fail, %d unknown (seed %d%s)", report.System,
		len(report.Results), counts[verdict.Pass], counts[verdict.Fail], counts[verdict.Unknown], report.Seed, defectText(report.Defect)), "      ")
	fmt.Fprintln(p.w)
}

func headlineText(h run.Headline) string {
	journey := h.Journey
	if journey == "" {
		journey = h.Experiment
	}
	return fmt.Sprintf("%s under %s: %s", journey, h.Fault, h.Reason)
}

func phaseText(phase string) string {
	if phase == "" {
		return ""
	}
	return ", " + phase
}

func defectText(defect string) string {
	if defect == "" {
		return ""
	}
	return ", defect " + defect
}

func (p *printer) table(results []evidence.ExperimentResult) {
	if len(results) == 0 {
		return
	}
	t := table.Table{Head: []string{"EXPERIMENT", "VERDICT", "PROVED", "RECOVERY", "REASON"}, Prose: []int{2, 4}}
	for _, r := range results {
		t.Row(r.Name, r.Verdict.String(), provedText(r), recoveryText(r), r.Reason)
	}
	t.Paint = p.paintColumn(1, func(row int) verdict.Verdict { return results[row].Verdict })
	fmt.Fprint(p.w, t.Lay(p.columns))
	for _, r := range results {
		for _, problem := range r.Problems {
			p.text("  ", "%s: %s", r.Name, problem)
		}
		for _, expectation := range r.CannotFail {
			p.text("  ", "%s: %s", r.Name, run.CannotFail(expectation))
		}
	}
}

// paintColumn colours the verdicts in one column of a table.
func (p *printer) paintColumn(verdicts int, of func(row int) verdict.Verdict) func(row, column int, text string) string {
	return func(row, column int, text string) string {
		if column != verdicts {
			return text
		}
		return p.paint(of(row), text)
	}
}

func provedText(r evidence.ExperimentResult) string {
	var cells []string
	for journey, modes := range r.Modes {
		for _, m := range modes {
			if m.Proved {
				cells = append(cells, journey+":"+m.Name)
			}
		}
	}
	slices.Sort(cells)
	if len(cells) == 0 {
		return "-"
	}
	return strings.Join(cells, " ")
}

func recoveryText(r evidence.ExperimentResult) string {
	switch {
	case r.Recovery == nil:
		return "-"
	case !r.Recovery.Recovered:
		return "never"
	}
	return fmt.Sprintf("%.1fs", r.Recovery.FromInject.Seconds())
}

func (p *printer) next(a *app, report run.Report, page string) {
	fmt.Fprintf(p.w, "\nevidence: %s\n", report.Dir)
	if page != "" {
		fmt.Fprintf(p.w, "report: %s\n", page)
	}
	if p.colour {
		fmt.Fprintf(p.w, "next: %s\n", a.command("evidence", "show", report.ID))
	}
}
