package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/experiment"
	"github.com/assay-dev/assay/internal/report"
	"github.com/assay-dev/assay/internal/run"
)

// reportFlags are the flags of "assay report".
type reportFlags struct {
	out, format, folder string
}

func reportFormats() []string { return []string{"html", "text", "markdown", "junit", "github", "json"} }

func (a *app) reportCommand() *cobra.Command {
	var flags reportFlags
	cmd := &cobra.Command{
		Use:   "report [RUN]",
		Short: "Show what a run came to: one HTML page, text, Markdown, JUnit XML, GitHub annotations",
		Long: `Draw the report of a run (default: the latest) from its records. Runs that failed, were
interrupted or killed are reported as well, and say so; what cannot be read is named.

html      one page that opens without a network, written to reports/RUN.html of the store
text      for a terminal or a pipe
markdown  for a pull request or the summary of a job
junit     JUnit XML: experiments are suites, checks are cases, and unknown is an error
github    annotations for GitHub Actions, at the lines that expected what did not hold
json      everything

The exit code is of making the report, not of the run: 0 when it was made, whatever it says.

` + exitCodes,
		Example: `  assay report                                    # the latest run, as a page
  assay report 20261122T15 -o failing.html
  assay report --format markdown >>"$GITHUB_STEP_SUMMARY"
  assay report --format junit -o junit.xml
  assay report --format github                    # in a GitHub workflow
  assay report --json | jq .headlines`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error { return a.report(runName(args), flags) },
	}
	f := cmd.Flags()
	f.StringVarP(&flags.out, "output", "o", "", "file to write, - for stdout (default: stdout, and for html reports/RUN.html of the store)")
	f.StringVar(&flags.format, "format", "", strings.Join(reportFormats(), ", ")+" (default html, with --json json)")
	f.StringVar(&flags.folder, "folder", "", "where the project's files are, to name them from here (default: as the run was started)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reportFormats(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) report(id string, flags reportFlags) error {
	format := cmp.Or(flags.format, map[bool]string{true: "json", false: "html"}[a.json])
	if !slices.Contains(reportFormats(), format) {
		return &run.UsageError{Msg: fmt.Sprintf("no report is of the form %q (there are: %s)", format, strings.Join(reportFormats(), ", "))}
	}
	r, err := a.openRun(id)
	if err != nil {
		return err
	}
	built, err := a.buildReport(r, flags.folder, false)
	if err != nil {
		return err
	}
	path := flags.out
	if path == "" && format == "html" {
		path = a.reportPath(r)
	}
	if path == "" || path == "-" {
		return a.writeReport(built, format, a.out)
	}
	if err := writeFile(path, func(w io.Writer) error { return a.writeReport(built, format, w) }); err != nil {
		return fmt.Errorf("the report cannot be written: %w", err)
	}
	if a.json {
		a.printJSON(map[string]any{"run": r.ID(), "report": path, "format": format, "verdict": built.Verdict})
		return nil
	}
	a.reportWritten(built, path, format, isTerminal(a.out))
	return nil
}

// reportWritten says where a report is. Who reads a pipe wants the path and nothing else; a person wants to know
// what it says, and how to open the page.
func (a *app) reportWritten(built *report.Report, path, format string, person bool) {
	if person {
		fmt.Fprintf(a.out, "%s  %s\n", newPrinter(a.out).paint(built.Verdict, strings.ToUpper(built.Verdict.String())), built.Summary())
		if why := cmp.Or(built.Standing(), built.Reason); why != "" {
			fmt.Fprintf(a.out, "      %s\n", why)
		}
	}
	fmt.Fprintln(a.out, path)
	if whole, err := filepath.Abs(path); person && err == nil && format == "html" {
		fmt.Fprintf(a.out, "open it in a browser: %s\n", &url.URL{Scheme: "file", Path: whole})
	}
}

// reportPath is where the page of a run goes: beside the run and not in it, because the run is sealed.
func (a *app) reportPath(r *evidence.Run) string {
	return filepath.Join(a.store, "reports", r.ID()+".html")
}

// buildReport draws a run with the matrix of the store around it. A run that this process has just sealed is verified as
// the store reads it; any other is read again, whatever is remembered of it.
func (a *app) buildReport(r *evidence.Run, folder string, fresh bool) (*report.Report, error) {
	opts := report.Options{Folder: folder, Report: a.command("report", r.ID()), Gate: a.command("gate"), Modes: experiment.Modes()}
	if store, err := a.openStore(); err == nil {
		opts.Cards, _ = store.Cards() // without them the matrix is of this run alone
	}
	if i := slices.IndexFunc(opts.Cards, func(c evidence.Card) bool { return c.ID == r.ID() }); i >= 0 && fresh {
		opts.Card = &opts.Cards[i]
	}
	built, err := report.Build(r, opts)
	if err != nil {
		return nil, err
	}
	again := a.again(r, folder)
	built.Rerun(again.command)
	if folder == "" {
		built.Place(cmp.Or(again.folder, startedWith(r)))
	}
	return built, nil
}

func (a *app) writeReport(r *report.Report, format string, w io.Writer) error {
	switch format {
	case "html":
		return r.HTML(w)
	case "markdown":
		return r.Markdown(w)
	case "junit":
		return r.JUnit(w)
	case "github":
		return r.GitHub(w)
	case "json":
		return writeJSON(w, r)
	}
	p := newPrinter(w)
	return r.Text(w, p.colour, p.columns)
}

// reportRun draws the page of a run that ended, however it did, and JUnit XML where that is asked for. What goes
// wrong here says nothing about the system: the verdict of the run stays as it is, and the error is told beside it.
func (a *app) reportRun(id, folder, junit string) (path string, err error) {
	defer func() {
		if p := recover(); p != nil { // a report is of records that may be damaged in ways that nobody thought of
			path, err = "", fmt.Errorf("the report of run %s broke: %v", id, p)
		}
	}()
	r, err := a.openRun(id)
	if err != nil {
		return "", err
	}
	built, err := a.buildReport(r, folder, true)
	if err != nil {
		return "", err
	}
	path = a.reportPath(r)
	if err := writeFile(path, built.HTML); err != nil {
		return "", fmt.Errorf("the report cannot be written (assay report %s tries again): %w", id, err)
	}
	if junit == "" {
		return path, nil
	}
	return path, writeFile(junit, built.JUnit)
}
