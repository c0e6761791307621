package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/simrun"
	"github.com/assay-dev/assay/verdict"
)

func (a *app) simCommand() *cobra.Command {
	var o simrun.Options
	var flags coverFlags
	cmd := &cobra.Command{
		Use:   "sim [PACKAGES] [-- GO TEST FLAGS]",
		Short: "Run Go tests with every order of events decided by a seed",
		Long: `Run the simulations in the tests of Go packages (sim.Run) over many seeds. Each seed decides
the schedule of goroutines, the choices of select, the order of timers and maps, random numbers,
and what the simulated network does; so a seed that fails is found again.

The tests are built with a changed copy of a few files of Go's runtime, made from the toolchain
that is installed; nothing of it is touched. The first seed is run twice: a test whose two
runs differ is not reproducible, and its verdict is unknown. The first failure ends the search;
it is run twice more, each time in a process of its own. One that fails only where other seeds
ran before comes from package variables: its test goes on with a process for each seed.

A failure is then made small: the few decisions that it needs are told, with the places in the
code. They are saved in testdata/assay-sim beside the test, and tried first the next time.

What a test covers (sim.Covers) is stored as evidence of the layer component, for assay matrix and
assay gate: proved if every seed holds and all that is sometimes true was. A single seed, a replay
and an audit store nothing.

` + exitCodes,
		Example: `  assay sim                                  # the simulations of this folder, seeds 1 to 100
  assay sim --seeds 10000 ./...
  assay sim --for 10m ./consensus
  assay sim --seed 42 --seeds 1 --run '^TestElection$' ./consensus
  assay sim --replay consensus/testdata/assay-sim/TestElection.json ./consensus
  assay sim --audit --seeds 50 ./...          # is each test a function of its seed?
  assay sim ./... -- -race -short`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				o.Flags = args[n:]
				args = args[:n]
			}
			o.Packages = args
			flags.anyStore = cmd.Flags().Changed("store")
			return a.sim(cmd.Context(), o, flags)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&o.Seed, "seed", 1, "the first seed")
	f.IntVar(&o.Seeds, "seeds", 100, "how many seeds of each test")
	f.DurationVar(&o.For, "for", 0, "instead of a number of seeds: how long to go on")
	f.StringVar(&o.Tests, "run", "", "only tests that match this regular expression")
	f.StringVar(&o.Mode, "mode", "", "one way to draw schedules for all seeds: fifo, uniform/N, pct/POINTS/LENGTH or pos (default: each seed its own)")
	f.IntVar(&o.Workers, "workers", 0, "processes at once (default: one a processor)")
	f.BoolVar(&o.All, "all", false, "go on after a failure, and collect")
	f.BoolVar(&o.Fresh, "fresh", false, "a process for each seed of each test, so that package variables carry nothing over")
	f.BoolVar(&o.NoAtomics, "no-atomics", false, "operations of sync/atomic are no places to preempt: for tests that spend their time on them")
	f.StringVar(&o.Replay, "replay", "", "make the decisions in this file (JSON lines), and plain ones where it says nothing")
	f.BoolVar(&o.NoShrink, "no-shrink", false, "leave a failure's decisions as many as they are")
	f.BoolVar(&o.NoSave, "no-save", false, "neither try the failures saved in testdata/assay-sim, nor save new ones")
	f.BoolVar(&o.Audit, "audit", false, "run each seed twice, and show the first event in which two runs differ")
	f.StringVar(&o.Events, "events", "", "folder for the events of runs that differ (JSON lines)")
	f.StringVar(&o.HTML, "html", "", "draw the first failure into this file: hosts as lanes, messages as arrows")
	f.StringVar(&flags.project, "project", "", "folder of the project whose cells the tests cover (default: this one, or the nearest above it that has one)")
	f.BoolVar(&flags.none, "no-evidence", false, "store nothing")
	return cmd
}

func (a *app) sim(ctx context.Context, o simrun.Options, flags coverFlags) error {
	if err := simUsage(o); err != nil {
		return err
	}
	o.Story = func(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }
	if isTerminal(a.err) {
		o.Progress = func(line string) { fmt.Fprintf(a.err, "\r\x1b[K%s", line) }
	}
	began := time.Now()
	res, err := simrun.Run(ctx, o)
	var build *simrun.BuildError
	var input *simrun.InputError
	interrupted := ctx.Err()
	switch {
	case interrupted != nil && res == nil:
		return interrupted
	case errors.As(err, &build):
		return &run.UsageError{Msg: build.Error()}
	case errors.As(err, &input):
		err = &run.UsageError{Msg: input.Error()}
	}
	if res == nil {
		return err
	}
	if a.json {
		a.printJSON(res)
	} else if err := res.Text(a.out); err != nil {
		return err
	}
	switch { // what did not come to its end proves nothing
	case interrupted != nil:
		return interrupted
	case err != nil && res.Verdict == verdict.Fail:
		fmt.Fprintf(a.err, "after that: %v\n", err)
		return exitOf(res.Verdict)
	case err != nil:
		return err
	}
	code := map[verdict.Verdict]int{verdict.Pass: run.ExitPass, verdict.Fail: run.ExitFail, verdict.Unknown: run.ExitUnknown}[res.Verdict]
	if err := a.cover(ctx, flags, o, res, began, code); err != nil {
		return err
	}
	return exitOf(res.Verdict)
}

// asGoFlags takes flags of "assay sim" as Go's own commands have them, with one dash: -seeds 10.
func asGoFlags(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Name() != "sim" {
		return args
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if len(name) > 1 && strings.HasPrefix(arg, "-") && cmd.Flags().Lookup(name) != nil {
			args[i] = "-" + arg
		}
	}
	return args
}

// simUsage refuses what cannot be meant, before anything is built.
func simUsage(o simrun.Options) error {
	if o.Seeds < 1 || o.For < 0 || o.Workers < 0 {
		return &run.UsageError{Msg: "--seeds, --for and --workers are numbers above 0"}
	}
	if o.Seed == 0 {
		return &run.UsageError{Msg: "--seed: seeds begin at 1"}
	}
	if o.Mode != "" && !regexp.MustCompile(`^(fifo|pos|uniform(/[1-9]\d{0,8})?|pct(/\d{1,9}(/[1-9]\d{0,8})?)?)$`).MatchString(o.Mode) {
		return &run.UsageError{Msg: fmt.Sprintf("--mode: there is no mode %q: take fifo, uniform/N, pct/POINTS/LENGTH or pos", o.Mode)}
	}
	if _, err := regexp.Compile(o.Tests); err != nil {
		return &run.UsageError{Msg: "--run: " + err.Error()}
	}
	if err := simrun.CheckFlags(o.Flags); err != nil {
		return &run.UsageError{Msg: err.Error()}
	}
	if err := checkOutputs(o); err != nil {
		return err
	}
	if o.Replay != "" {
		if _, err := os.Stat(o.Replay); err != nil {
			return &run.UsageError{Msg: "--replay: the decisions cannot be read: " + err.Error()}
		}
		if err := simrun.CheckReplay(o.Replay); err != nil {
			return &run.UsageError{Msg: "--replay: " + err.Error()}
		}
	}
	return nil
}
