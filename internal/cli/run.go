package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// runFlags are the flags of "assay run".
type runFlags struct {
	seed    uint64
	defect  string
	only    []string
	control bool
	dry     bool
	junit   string
}

func (a *app) runCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [FOLDER]",
		Short: "Start a system, drive it, break it, heal it, judge it, and store the evidence",
		Long: `Run the experiments of the assay.yaml in FOLDER (default: this folder) on a
fresh system: build and start it, run the setup, then for each experiment drive the
journeys, inject the faults, heal them, judge, and restore the system.

` + exitCodes,
		Example: `  assay run examples/shop
  assay run examples/shop --dry-run
  assay run examples/shop --experiment payments-slow --seed 7
  assay run examples/shop --defect no-retry       # must be found: exit 1
  assay run examples/shop --control               # which expectations cannot fail?`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			opts := a.runOptions(path, flags, cmd.Flags().Changed("seed"))
			return a.run(cmd.Context(), path, flags, opts)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&flags.seed, "seed", 1, "decides targets, schedules and every random choice (default: the project's)")
	f.StringVar(&flags.defect, "defect", "", "run the system with this defect of assay.yaml")
	f.StringSliceVarP(&flags.only, "experiment", "x", nil, "run only these experiments")
	f.BoolVar(&flags.control, "control", false, "also run each experiment on a worse system, and list expectations that cannot fail")
	f.BoolVar(&flags.dry, "dry-run", false, "show plan, targets, address rewrites and the powers each fault needs; start nothing")
	f.StringVar(&flags.junit, "junit", "", "also write the results to this file as JUnit XML")
	return cmd
}

func (a *app) runOptions(path string, flags runFlags, seedGiven bool) run.Options {
	opts := run.Options{Store: a.store, Defect: flags.defect, Only: flags.only, Control: flags.control, Version: version()}
	if seedGiven {
		opts.Seed = &flags.seed
	}
	opts.Replay = func(experiment string, seed uint64) string {
		words := []string{"run", path, "--experiment", experiment, "--seed", fmt.Sprint(seed)}
		if flags.defect != "" {
			words = append(words, "--defect", flags.defect)
		}
		if flags.control {
			words = append(words, "--control")
		}
		return a.command(words...)
	}
	return opts
}

// command returns a command to paste, with the store where it is not the default.
func (a *app) command(words ...string) string {
	if a.store != defaultStore {
		words = append(words, "--store", a.store)
	}
	return a.name + " " + run.Command(words...)
}

func (a *app) run(ctx context.Context, path string, flags runFlags, opts run.Options) error {
	project, err := run.Prepare(path, opts)
	if err != nil {
		return err
	}
	if flags.dry {
		return a.dryRun(ctx, project, opts)
	}
	story := newStory(a.err)
	opts.Progress = story.progress
	report, err := run.Run(ctx, project, opts)
	story.end()
	if report.ID == "" {
		return err
	}
	page, pageErr := a.reportRun(report.ID, path, flags.junit)
	a.printReport(project, report, page, pageErr)
	if err != nil && !report.Interrupted {
		fmt.Fprintln(a.err, err)
	}
	if code := report.Exit(); code != run.ExitPass {
		return &exit{code}
	}
	return nil
}

// printReport prints the verdict and its reasons first, then the table.
func (a *app) printReport(project *spec.Project, report run.Report, page string, pageErr error) {
	headlines := run.Headlines(project, report.Results)
	if a.json {
		a.printJSON(struct {
			run.Report
			Verdict   string         `json:"verdict"`
			Exit      int            `json:"exit"`
			Headlines []run.Headline `json:"headlines,omitempty"`
			Page      string         `json:"report,omitempty"`
			PageError string         `json:"report_error,omitempty"`
		}{report, report.Verdict().String(), report.Exit(), headlines, page, errorText(pageErr)})
		return
	}
	p := newPrinter(a.out)
	p.verdict(report, headlines)
	p.table(report.Results)
	p.next(a, report, page)
	if pageErr != nil {
		fmt.Fprintln(a.err, pageErr)
	}
}
