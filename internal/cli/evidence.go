package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/table"
	"github.com/assay-dev/assay/verdict"
)

func (a *app) evidenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "evidence", Short: "List, show and judge again what runs left behind, and carry it elsewhere",
		Long:    "List the runs of the store, show what was concluded from one, and judge its records\nagain with the checkers of this version.\n\n" + exitCodes,
		Example: "  assay evidence list\n  assay evidence show latest",
		Args:    usageArgs(subcommandOnly), RunE: help}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List runs, newest first; cut and corrupt ones say so", Args: usageArgs(cobra.NoArgs),
			Long:    "List the runs of the store, newest first, each with its age, its status (complete, cut short, or\ncorrupt where a file is not what its seal says), what came of its experiments, and what it is of:\na run of a system, or another tool's results, which have no seed. A commit with a + had changes\nthat are in no commit. Exit code 0 whatever the runs' verdicts are.\n\n" + exitCodes,
			Example: "  assay evidence list\n  assay evidence list --store ci/.assay --json",
			RunE:    func(*cobra.Command, []string) error { return a.evidenceList() }},
		&cobra.Command{Use: "show [RUN]", Short: "Show a run: its verdicts, checks and effects (default: the latest)", Args: usageArgs(cobra.MaximumNArgs(1)),
			Long:    "Show one run, named by its id, the start of it, or latest: each experiment's verdict, its\nchecks with limit and measured value, the faults' effects, and what proves its failure\nmodes. Exit code 0 whatever its verdict is, and 3 where its files are not whole.\n\n" + exitCodes,
			Example: "  assay evidence show latest\n  assay evidence show 20261122T15 --json",
			RunE:    func(_ *cobra.Command, args []string) error { return a.evidenceShow(runName(args)) }},
		&cobra.Command{Use: "judge [RUN]", Short: "Judge a run's records again with this version (default: the latest)", Args: usageArgs(cobra.MaximumNArgs(1)),
			Long:    "Judge a run's records again with this version's checkers. The new judgement is\nadded; old ones stay.\n\n" + exitCodes,
			Example: "  assay evidence judge latest\n  assay evidence judge 20261122T15 --json",
			RunE:    func(cmd *cobra.Command, args []string) error { return a.evidenceJudge(cmd.Context(), runName(args)) }},
		a.exportCommand(), a.importCommand(), a.mergeCommand(), a.pruneCommand(), a.removeCommand(),
	)
	return cmd
}

func runName(args []string) string {
	if len(args) == 0 {
		return "latest"
	}
	return args[0]
}

// openStore opens the store for reading: a folder that is not there is the user's mistake.
func (a *app) openStore() (*evidence.Store, error) {
	if _, err := os.Stat(a.store); err != nil {
		return nil, &run.UsageError{Msg: fmt.Sprintf("no evidence at %s: %v (run assay run first, or name the folder with --store)", a.store, err)}
	}
	return evidence.OpenStore(a.store)
}

func (a *app) openRun(id string) (*evidence.Run, error) {
	store, err := a.openStore()
	if err != nil {
		return nil, err
	}
	r, err := store.Open(id)
	if err != nil {
		return nil, &run.UsageError{Msg: err.Error()}
	}
	return r, nil
}

// ended returns the verdict of a run. One that was not sealed has none: unknown.
func ended(s evidence.Summary) verdict.Verdict {
	if s.End == nil {
		return verdict.Unknown
	}
	return s.End.Verdict
}

// why returns what keeps a run from being whole: how it stands, or how it ended.
func why(s evidence.Summary) string {
	switch {
	case s.End == nil || s.Reason != "":
		return s.Reason
	case s.End.Reason == "" && s.End.Interrupted:
		return "interrupted"
	}
	return s.End.Reason
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return strings.ReplaceAll(s, "\n", " ")
}

// results reads the newest judgement of each experiment. What cannot be read is a result, too: unknown.
func results(r *evidence.Run) ([]evidence.ExperimentResult, error) {
	names, err := r.Experiments()
	if err != nil {
		return nil, err
	}
	var all []evidence.ExperimentResult
	for _, name := range names {
		result, err := r.Result(name)
		if err != nil {
			result = evidence.ExperimentResult{Reason: "no judgement can be read: " + err.Error()}
		}
		result.Name = name
		all = append(all, result)
	}
	plan, err := run.ReadPlan(r)
	if err != nil {
		return all, nil // the run is not whole, and that is said of the run
	}
	for _, x := range plan.Experiments {
		if !slices.Contains(names, x.Name) {
			all = append(all, run.NotRun(x.Experiment))
		}
	}
	return all, nil
}

func (a *app) evidenceShow(id string) error {
	r, err := a.openRun(id)
	if err != nil {
		return err
	}
	all, err := results(r)
	if err != nil {
		return err
	}
	summary, torn := r.Summary(), r.Verify()
	if a.json {
		a.printJSON(map[string]any{"run": summary, "results": all, "verify": errorText(torn)})
	} else {
		a.printRun(summary, all, torn, a.again(r, ""))
	}
	if torn != nil {
		return &exit{run.ExitUnknown} // what it says of itself is not to be believed
	}
	return nil
}

func (a *app) printRun(summary evidence.Summary, all []evidence.ExperimentResult, torn error, again again) {
	p := newPrinter(a.out)
	v := ended(summary)
	if torn != nil && v == verdict.Pass {
		v = verdict.Unknown
	}
	origin := fmt.Sprintf("seed %d%s", summary.Meta.Seed, defectText(summary.Meta.Defect))
	if summary.Meta.Kind != evidence.KindRun {
		origin = "results of " + summary.Meta.Tool
	}
	fmt.Fprintf(a.out, "%s  run %s, %s, %s\n", p.paint(v, strings.ToUpper(v.String())), summary.ID, summary.Status, origin)
	if torn != nil {
		fmt.Fprintf(a.out, "not whole: %v\n", torn)
	}
	if reason := why(summary); reason != "" {
		fmt.Fprintf(a.out, "the run ended early: %s\n", reason)
	}
	for _, result := range all {
		p.result(result, again.command(result.Name))
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// result prints one experiment in full. replay runs it again from here, "" where nobody knows how.
func (p *printer) result(r evidence.ExperimentResult, replay string) {
	fmt.Fprintln(p.w)
	p.line(r.Verdict, strings.ToUpper(r.Verdict.String()), r.Name+": "+r.Reason, "      ")
	t := table.Table{Indent: "  ", Prose: []int{3}, Whole: true}
	for _, c := range r.Checks {
		t.Row(c.Verdict.String(), c.Phase, c.Check, c.Reason)
	}
	t.Paint = p.paintColumn(0, func(row int) verdict.Verdict { return r.Checks[row].Verdict })
	fmt.Fprint(p.w, t.Lay(p.columns))
	for _, journey := range slices.Sorted(maps.Keys(r.Modes)) {
		for _, m := range r.Modes[journey] {
			p.text("  ", "%s: %s %s: %s", journey, m.Name, provedWord(m), m.Text)
		}
	}
	for _, c := range r.Checks {
		for _, op := range c.Witness {
			text, _ := json.Marshal(op)
			fmt.Fprintf(p.w, "  witness of %s: %s\n", c.Check, text)
		}
	}
	for _, text := range r.Problems {
		p.text("  ", "problem: %s", text)
	}
	for _, expectation := range r.CannotFail {
		p.text("  ", "%s", run.CannotFail(expectation))
	}
	switch {
	case replay != "":
		fmt.Fprintf(p.w, "  replay: %s\n", replay)
	case r.Replay != "":
		fmt.Fprintf(p.w, "  replay, on the machine that ran it: %s\n", r.Replay)
	}
}

// judgeable says why a run has no records that this version can judge.
func judgeable(r *evidence.Run) error {
	meta, err := r.Meta()
	switch {
	case err != nil:
		return nil // the judge says so
	case meta.Format > evidence.Format:
		return &run.UsageError{Msg: fmt.Sprintf("run %s was written in format %d, and this version reads up to %d: judge it with a newer assay", r.ID(), meta.Format, evidence.Format)}
	case meta.Kind == evidence.KindContract:
		return &run.UsageError{Msg: fmt.Sprintf("run %s compared contracts, and nothing of it ran: compare them again with assay contract check", r.ID())}
	case meta.Kind == evidence.KindSim:
		return &run.UsageError{Msg: fmt.Sprintf("run %s is of simulated tests, which assay sim runs again from their sources: it has no records that could be judged", r.ID())}
	case meta.Kind == evidence.KindForeign:
		return &run.UsageError{Msg: fmt.Sprintf("run %s holds results of %s, and no records that could be judged: import them again", r.ID(), meta.Tool)}
	}
	return nil
}

func (a *app) evidenceJudge(ctx context.Context, id string) error {
	r, err := a.openRun(id)
	if err != nil {
		return err
	}
	if err := judgeable(r); err != nil {
		return err
	}
	all, err := run.Rejudge(ctx, r, version())
	if err != nil {
		return err
	}
	var verdicts []verdict.Verdict
	for _, result := range all {
		verdicts = append(verdicts, result.Verdict)
	}
	early := why(r.Summary())
	if early != "" {
		verdicts = append(verdicts, verdict.Unknown)
	}
	whole := verdict.Merge(verdicts...)
	if a.json {
		a.printJSON(map[string]any{"run": r.ID(), "verdict": whole, "results": all, "ended_early": early})
	} else {
		p := newPrinter(a.out)
		fmt.Fprintf(a.out, "%s  run %s judged again\n", p.paint(whole, strings.ToUpper(whole.String())), r.ID())
		if early != "" {
			fmt.Fprintf(a.out, "the run ended early: %s\n", early)
		}
		fmt.Fprintln(a.out)
		p.table(all)
	}
	return exitOf(whole)
}

func exitOf(v verdict.Verdict) error {
	switch v {
	case verdict.Pass:
		return nil
	case verdict.Fail:
		return &exit{run.ExitFail}
	}
	return &exit{run.ExitUnknown}
}
