package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/verdict"
)

// printer writes results: coloured for a terminal, plain columns in a pipe.
type printer struct {
	w      io.Writer
	colour bool
}

func newPrinter(w io.Writer) *printer {
	return &printer{w, isTerminal(w) && os.Getenv("NO_COLOR") == ""}
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
		fmt.Fprintf(p.w, "%s  %s\n", p.paint(h.Verdict, strings.ToUpper(h.Verdict.String())), headlineText(h))
		fmt.Fprintf(p.w, "      in experiment %s%s, seed %d%s\n", h.Experiment, phaseText(h.Phase), report.Seed, defectText(report.Defect))
		if h.Replay != "" {
			fmt.Fprintf(p.w, "      replay: %s\n", h.Replay)
		}
	}
	if report.Broken != "" {
		fmt.Fprintf(p.w, "%s  the run broke: %s\n", p.paint(verdict.Unknown, "BROKEN"), report.Broken)
	}
	if report.Interrupted {
		fmt.Fprintf(p.w, "%s  interrupted: what was stored is partial\n", p.paint(verdict.Unknown, "UNKNOWN"))
	}
	v := report.Verdict()
	fmt.Fprintf(p.w, "%s  %s: %d experiments: %d pass, %d fail, %d unknown (seed %d%s)\n\n", p.paint(v, strings.ToUpper(v.String())), report.System,
		len(report.Results), counts[verdict.Pass], counts[verdict.Fail], counts[verdict.Unknown], report.Seed, defectText(report.Defect))
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
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "EXPERIMENT\tVERDICT\tPROVED\tRECOVERY\tREASON")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Verdict, provedText(r), recoveryText(r), brief(r.Reason))
	}
	w.Flush()
	fmt.Fprint(p.w, p.paintTable(text.String(), results))
	for _, r := range results {
		for _, problem := range r.Problems {
			fmt.Fprintf(p.w, "  %s: %s\n", r.Name, problem)
		}
		for _, expectation := range r.CannotFail {
			fmt.Fprintf(p.w, "  %s: %s\n", r.Name, run.CannotFail(expectation))
		}
	}
}

// paintTable colours the verdicts after the columns were laid out: escapes have no width, and tabwriter would count them.
func (p *printer) paintTable(text string, results []evidence.ExperimentResult) string {
	if !p.colour {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, r := range results {
		at := strings.Index(lines[i+1], r.Name) + len(r.Name)
		head, tail := lines[i+1][:at], lines[i+1][at:]
		lines[i+1] = head + strings.Replace(tail, r.Verdict.String(), p.paint(r.Verdict, r.Verdict.String()), 1)
	}
	return strings.Join(lines, "\n")
}

// brief keeps a table's line on a screen; evidence show has the whole reason.
func brief(reason string) string {
	const most = 100
	runes := []rune(strings.ReplaceAll(reason, "\n", " "))
	if len(runes) <= most {
		return string(runes)
	}
	return string(runes[:most-1]) + "…"
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
