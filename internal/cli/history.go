package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/trial"
	"github.com/assay-dev/assay/verdict"
)

// historyFlags are the flags of "assay history" and its subcommands.
type historyFlags struct {
	trial.Options
	model  string
	budget int64
	html   string
	goTest string
	init   string
	events []string
	limit  int
}

func (a *app) historyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Judge histories of operations: linearizability and isolation",
		Long: "Read histories of operations in files, whoever wrote them, and judge them.\n" +
			"The format is known by the content: JSON lines of assay, Jepsen's EDN and JSON, logs of\n" +
			"etcd runs, the one-line shorthand; each also gzipped.\n\n" + exitCodes,
		Example: "  assay history check --model cas-register history.edn\n  assay history show history.edn",
		Args:    usageArgs(subcommandOnly),
		RunE:    help,
	}
	cmd.AddCommand(a.historyCheckCommand(), a.historyShowCommand(), a.historyConvertCommand())
	return cmd
}

func (a *app) historyCheckCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:   "check --model MODEL FILE...",
		Short: "Decide whether a history is of a model",
		Long: `Decide whether the operations of each FILE are of a model. A fail comes with a witness: the
fewest operations found that have no order, or the cycle of transactions with the reason of
each step. The budget counts steps and not seconds, so the verdict is the same on every
machine; where it is used up the verdict is unknown.

Models:
` + trial.ModelsText(90) + `

` + exitCodes,
		Example: `  assay history check --model cas-register history.edn
  assay history check --model serializable --html cycle.html history.edn.gz
  assay history check --model serializable --go-test skew_test.go history.edn
  assay history check --model register --object stock ops.jsonl
  assay history check --model kv --key '"5"' --budget 1000000 --json kv.txt`,
		Args: someArgs("name the histories: assay history check --model MODEL FILE..."),
		RunE: func(cmd *cobra.Command, args []string) error { return a.historyCheck(cmd.Context(), args, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.model, "model", "", "the model, such as cas-register or serializable")
	f.Int64Var(&flags.budget, "budget", 0, "steps that a search may take (default: enough for some seconds)")
	f.StringVar(&flags.html, "html", "", "draw the history and the verdict as one offline page (of one FILE)")
	f.StringVar(&flags.init, "init", "", "what the object holds at first, as JSON (registers, counters; of a multi-register a map)")
	f.StringVar(&flags.goTest, "go-test", "", "write a Go test that fails for the smallest failing part (of one FILE)")
	f.StringArrayVar(&flags.events, "events", nil, "file of events, for the faults in the page")
	flags.choose(cmd)
	_ = cmd.RegisterFlagCompletionFunc("model", cobra.FixedCompletions(trial.Models(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// choose adds the flags that choose what of a file is read.
func (f *historyFlags) choose(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.Object, "object", "", "only operations on this object")
	cmd.Flags().StringVar(&f.Key, "key", "", "only operations on this key, as JSON or as it is")
	cmd.Flags().BoolVar(&f.Keyed, "keyed", false, "values of Jepsen's histories are [key value], of jepsen.independent")
	cmd.Flags().BoolVar(&f.Cut, "cut", false, "take what stands before the cut of a file that is cut; it can fail, and not pass")
}

func (a *app) historyCheck(ctx context.Context, files []string, flags historyFlags) error {
	switch {
	case flags.model == "":
		return &run.UsageError{Msg: "say with --model what the history is of; there are\n" + trial.ModelsText(110)}
	case flags.html != "" && len(files) > 1:
		return &run.UsageError{Msg: "--html draws one history, and there are several"}
	case flags.goTest != "" && len(files) > 1:
		return &run.UsageError{Msg: "--go-test writes a test of one history, and there are several"}
	case flags.goTest != "" && !strings.HasSuffix(flags.goTest, "_test.go"):
		return &run.UsageError{Msg: fmt.Sprintf("--go-test %s: Go finds tests in files that end in _test.go", flags.goTest)}
	case flags.init != "" && !json.Valid([]byte(flags.init)):
		return &run.UsageError{Msg: "--init " + flags.init + ": want a value as JSON, such as 0 or '\"a\"'"}
	case flags.budget < 0:
		return &run.UsageError{Msg: fmt.Sprintf("--budget %d: want a number of steps", flags.budget)}
	}
	if err := trial.KnowsModel(flags.model); err != nil {
		return &run.UsageError{Msg: "--model: " + err.Error()}
	}
	var reports []*trial.Report
	worst, bad := verdict.Pass, error(nil)
	for _, file := range files {
		rep, err := a.judgeHistory(ctx, file, flags)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			bad = errors.Join(bad, err)
			continue
		}
		reports = append(reports, rep)
		worst = verdict.Merge(worst, rep.Verdict)
		if !a.json {
			if err := rep.Text(a.out, newPrinter(a.out).style()); err != nil {
				return err
			}
		}
	}
	if a.json {
		a.printJSON(historyJSON{Histories: reports, Error: errorText(bad)})
	} else if bad != nil {
		fmt.Fprintln(a.err, bad)
	}
	return historyExit(worst, bad)
}

// historyJSON is what assay history check prints with --json.
type historyJSON struct {
	Histories []*trial.Report `json:"histories"`
	Error     string          `json:"error,omitempty"`
}

// historyExit: a fail goes over files that cannot be judged, and these over what is not decided.
func historyExit(worst verdict.Verdict, bad error) error {
	var badInput *trial.InputError
	switch {
	case worst == verdict.Fail:
		return &exit{run.ExitFail}
	case errors.As(bad, &badInput):
		return &exit{run.ExitUsage}
	case bad != nil:
		return &exit{run.ExitBroken}
	case worst == verdict.Unknown:
		return &exit{run.ExitUnknown}
	}
	return nil
}

// start is what the object holds at first, nil where nobody says.
func (f historyFlags) start() (*history.Value, error) {
	if f.init == "" {
		return nil, nil
	}
	var v history.Value
	if err := json.Unmarshal([]byte(f.init), &v); err != nil {
		return nil, &run.UsageError{Msg: fmt.Sprintf("--init %s: want a value as JSON, such as 0 or '\"a\"': %v", f.init, err)}
	}
	return &v, nil
}

func (a *app) judgeHistory(ctx context.Context, file string, flags historyFlags) (*trial.Report, error) {
	c, err := trial.Load(file, flags.Options)
	if err != nil {
		return nil, err
	}
	start, err := flags.start()
	if err != nil {
		return nil, err
	}
	rep, err := trial.JudgeFrom(ctx, c, flags.model, flags.budget, start)
	if err == nil && flags.goTest != "" {
		err = a.writeGoTest(rep, flags.goTest)
	}
	if err != nil || flags.html == "" {
		return rep, err
	}
	for _, name := range flags.events {
		e, err := trial.Load(name, trial.Options{})
		if err != nil {
			return nil, err
		}
		c.Events = append(c.Events, e.Events...)
	}
	return rep, writeFile(flags.html, func(w io.Writer) error { return rep.HTML(w, c) })
}

// writeGoTest writes the test of a fail; where there is none it says why not.
func (a *app) writeGoTest(rep *trial.Report, path string) error {
	if len(rep.Smallest) == 0 {
		fmt.Fprintf(a.err, "%s was not written: the verdict is %v, and a test is of a failing part\n", path, rep.Verdict)
		return nil
	}
	return writeFile(path, func(w io.Writer) error { return rep.GoTest(w, packageBeside(path)) })
}

// packageBeside is the package that a test in a file belongs to: one beside the Go files of its folder.
func packageBeside(path string) string {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.go"))
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if err == nil && filepath.Clean(file) != filepath.Clean(path) {
			return strings.TrimSuffix(f.Name.Name, "_test") + "_test"
		}
	}
	return "history_test"
}

func (a *app) historyShowCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "List the operations of a history",
		Long:  "List the operations of a history in order of call, with their lines in the file.\n\n" + exitCodes,
		Example: `  assay history show history.edn
  assay history show --key 5 --limit 0 history.edn`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error { return a.historyShow(args[0], flags) },
	}
	cmd.Flags().IntVar(&flags.limit, "limit", 200, "how many operations, 0 for all")
	flags.choose(cmd)
	return cmd
}

func (a *app) historyShow(file string, flags historyFlags) error {
	c, err := trial.Load(file, flags.Options)
	if err != nil {
		return badHistory(err)
	}
	if a.json {
		a.printJSON(map[string]any{"file": c.File, "format": c.Format, "counts": c.Stats, "operations": c.Ops, "events": c.Events})
		return nil
	}
	return c.Text(a.out, newPrinter(a.out).style(), flags.limit)
}

// badHistory gives a file that is no history its exit code.
func badHistory(err error) error {
	var bad *trial.InputError
	if errors.As(err, &bad) {
		return &run.UsageError{Msg: bad.Error()}
	}
	return err
}

func (a *app) historyConvertCommand() *cobra.Command {
	var flags historyFlags
	cmd := &cobra.Command{
		Use:     "convert FILE",
		Short:   "Write a history as JSON lines",
		Long:    "Write the operations of a history as JSON lines, the format of assay's own records, to stdout.\n\n" + exitCodes,
		Example: "  assay history convert history.edn >ops.jsonl",
		Args:    usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			c, err := trial.Load(args[0], flags.Options)
			if err != nil {
				return badHistory(err)
			}
			out := bufio.NewWriter(a.out)
			w := history.NewWriter[history.Op](out)
			for _, op := range c.Ops {
				if err := w.Write(op); err != nil {
					return err
				}
			}
			return errors.Join(w.Flush(), out.Flush())
		},
	}
	flags.choose(cmd)
	return cmd
}
