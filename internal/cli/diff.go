package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/diff"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/verdict"
)

// diffFlags are the flags of "assay diff".
type diffFlags struct {
	choice    diff.Choice
	metrics   []string
	tolerance []string
	alpha     float64
	seed      uint64
	format    string
	strict    bool
}

func (a *app) diffCommand() *cobra.Command {
	var flags diffFlags
	cmd := &cobra.Command{
		Use:   "diff [BASE] [RUN]",
		Short: "Compare runs: what regressed, improved, is the same, or has not enough data",
		Long: `Compare RUN with BASE, experiment by experiment, journey by journey, phase by phase:
success, degraded share, latency, retries, recovery, processor time and memory. BASE and
RUN name a run each, or several, as a list with commas. With --last N the base are the N
newest comparable runs before RUN (default: latest), and what runs differ by themselves counts.

Nothing regressed is exit 0, also where some numbers have not enough data: --strict makes
that exit 3. Records that cannot be used, and no number decided at all, are exit 3 always.

` + exitCodes,
		Example: `  assay diff 20261122-1540 latest
  assay diff --last 10                       # the latest run against the ten before it
  assay diff --last 5 --pool                 # all runs of the latest build against five of others
  assay diff A1,A2,A3,A4,A5 B1,B2,B3,B4,B5 --metric recovery.from_heal
  assay diff --last 10 --tolerance p95=20%,5ms --format markdown`,
		Args: usageArgs(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("last") && flags.choice.Last < 1 {
				return usageError(cmd, fmt.Errorf("--last %d: the number of runs must be at least 1", flags.choice.Last))
			}
			return a.diff(args, flags)
		},
	}
	f := cmd.Flags()
	f.IntVar(&flags.choice.Last, "last", 0, "compare with this many comparable runs before RUN")
	f.BoolVar(&flags.choice.Pool, "pool", false, "with --last: RUN with those before it of the same build, against runs of other builds")
	f.StringVar(&flags.choice.Commit, "base-commit", "", "with --last: only runs of this commit are the base")
	f.StringSliceVarP(&flags.choice.Only, "experiment", "x", nil, "compare only these experiments")
	f.StringSliceVar(&flags.metrics, "metric", nil, "compare only these: "+strings.Join(diff.Metrics(), ", "))
	f.StringArrayVar(&flags.tolerance, "tolerance", nil, "METRIC=SHARE%,LEAST that does not matter, such as p95=20%,5ms; also for latency and recovery")
	f.Float64Var(&flags.alpha, "alpha", diff.DefaultAlpha, "chance that runs of one and the same thing are said to have regressed anywhere")
	f.Uint64Var(&flags.seed, "seed", 1, "decides the resampling")
	f.StringVar(&flags.format, "format", "text", "text, markdown or json")
	f.BoolVar(&flags.strict, "strict", false, "exit 3 where any number has not enough data")
	return cmd
}

// options checks the flags.
func (f diffFlags) options() (diff.Options, error) {
	opts := diff.Options{Alpha: f.alpha, Seed: f.seed, Tolerances: map[string]diff.Tolerance{}, Experiments: f.choice.Only, Metrics: f.metrics}
	for _, name := range f.metrics {
		if !slices.Contains(diff.Metrics(), name) {
			return opts, &run.UsageError{Msg: fmt.Sprintf("no metric is called %q (there are: %s)", name, strings.Join(diff.Metrics(), ", "))}
		}
	}
	for _, text := range f.tolerance {
		names, t, err := diff.ParseTolerance(text)
		if err != nil {
			return opts, &run.UsageError{Msg: "--" + err.Error()}
		}
		for _, name := range names {
			opts.Tolerances[name] = t
		}
	}
	switch {
	case !(f.alpha > 0 && f.alpha < 0.5):
		return opts, &run.UsageError{Msg: fmt.Sprintf("--alpha %v: want a chance between 0 and 0.5, such as 0.01", f.alpha)}
	case !slices.Contains([]string{"text", "markdown", "json"}, f.format):
		return opts, &run.UsageError{Msg: fmt.Sprintf("--format %q: want text, markdown or json", f.format)}
	}
	return opts, nil
}

// mostNotes keeps a store with many other runs from filling the screen.
const mostNotes = 10

func (a *app) diff(args []string, flags diffFlags) error {
	opts, err := flags.options()
	if err != nil {
		return err
	}
	base, candidate, notes, err := a.pickRuns(args, flags)
	if err != nil {
		return err
	}
	both, err := readRuns(slices.Concat(base, candidate), flags)
	if err != nil {
		return err
	}
	report, err := diff.Compare(both[:len(base)], both[len(base):], opts)
	var apart *diff.IncomparableError
	if errors.As(err, &apart) {
		return &run.UsageError{Msg: apart.Msg}
	}
	if err != nil {
		return err
	}
	if more := len(notes) - mostNotes; more > 0 {
		notes = append(notes[:mostNotes], fmt.Sprintf("and %d more runs are passed over", more))
	}
	report.Notes = append(report.Notes, notes...)
	if err := a.printDiff(report, flags, candidate[0].ID()); err != nil {
		return err
	}
	return diffExit(report, flags.strict)
}

// diffExit is the gate: a regression goes over all, and what is not known is no pass.
func diffExit(r diff.Report, strict bool) error {
	switch {
	case r.Verdict == diff.Regressed:
		return &exit{run.ExitFail}
	case r.Unknown(), strict && r.Counts[diff.NotEnough] > 0:
		return &exit{run.ExitUnknown}
	}
	return nil
}

// pickRuns returns the runs of both sides, from the arguments or by --last.
func (a *app) pickRuns(args []string, flags diffFlags) (base, candidate []*evidence.Run, notes []string, err error) {
	c := flags.choice
	switch {
	case c.Last == 0 && (c.Pool || c.Commit != ""):
		return nil, nil, nil, &run.UsageError{Msg: "--pool and --base-commit choose among runs before RUN: say how many with --last N"}
	case c.Last == 0 && len(args) != 2:
		return nil, nil, nil, &run.UsageError{Msg: "name two runs, BASE and RUN, or say --last N for the runs before one"}
	case c.Last > 0 && len(args) == 2:
		return nil, nil, nil, &run.UsageError{Msg: "two runs are named, and --last chooses the base: name one run at most"}
	}
	if c.Last == 0 {
		base, err = a.openRuns(args[0])
		if err == nil {
			candidate, err = a.openRuns(args[1])
		}
		if err == nil {
			err = distinct(slices.Concat(base, candidate))
		}
		return base, candidate, nil, err
	}
	r, err := a.openRun(runName(args))
	if err != nil {
		return nil, nil, nil, err
	}
	store, err := a.openStore()
	if err != nil {
		return nil, nil, nil, err
	}
	base, candidate, notes, err = diff.Pick(store, r, c)
	var apart *diff.IncomparableError
	if errors.As(err, &apart) {
		err = &run.UsageError{Msg: apart.Msg}
	}
	return base, candidate, notes, err
}

func (a *app) openRuns(list string) ([]*evidence.Run, error) {
	var runs []*evidence.Run
	for id := range strings.SplitSeq(list, ",") {
		r, err := a.openRun(id)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// distinct refuses a run that is named twice: compared with itself it would always be the same.
func distinct(runs []*evidence.Run) error {
	seen := map[string]bool{}
	for _, r := range runs {
		if seen[r.ID()] {
			return &run.UsageError{Msg: fmt.Sprintf("run %s is named twice: a run is no second witness of itself", r.ID())}
		}
		seen[r.ID()] = true
	}
	return nil
}

// readRuns reads runs side by side, as many as there are processors to decode them.
func readRuns(runs []*evidence.Run, flags diffFlags) ([]*diff.Run, error) {
	read, errs := make([]*diff.Run, len(runs)), make([]error, len(runs))
	var work sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i, r := range runs {
		work.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			read[i], errs[i] = diff.Read(r, flags.choice.Only, flags.seed)
		})
	}
	work.Wait()
	return read, errors.Join(errs...)
}

func (a *app) printDiff(report diff.Report, flags diffFlags, candidate string) error {
	switch {
	case a.json || flags.format == "json":
		a.printJSON(report)
		return nil
	case flags.format == "markdown":
		return report.Markdown(a.out)
	}
	p := newPrinter(a.out)
	words := map[diff.Verdict]verdict.Verdict{diff.Regressed: verdict.Fail, diff.Improved: verdict.Pass, diff.Same: verdict.Pass}
	err := report.Text(a.out, p.columns, func(v diff.Verdict, word string) string { return p.paint(words[v], word) })
	if p.colour {
		fmt.Fprintf(a.out, "next: %s\n", a.command("evidence", "show", candidate))
	}
	return err
}
