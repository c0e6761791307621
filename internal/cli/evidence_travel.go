package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
)

// exportFlags are the flags of "assay evidence export".
type exportFlags struct {
	all  bool
	last int
	out  string
}

func (a *app) exportCommand() *cobra.Command {
	var flags exportFlags
	cmd := &cobra.Command{
		Use:   "export [RUN...]",
		Short: "Pack whole runs into one file, to be merged elsewhere",
		Long: `Pack runs of the store into one archive, a gzip'd tar: all of each run, with its seal and
its judgements. The same runs make the same bytes. A run that is still being written, or that
is not as it was sealed, is refused by name and left out, and then the exit code is 1. Runs
that were cut short travel as what they are.

` + exitCodes,
		Example: `  assay evidence export latest -o evidence.tgz
  assay evidence export --all -o evidence.tgz
  assay evidence export --last 5 -o - | ssh archive 'cat >evidence.tgz'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(args); err != nil {
				return usageError(cmd, err)
			}
			return a.export(cmd.Context(), flags, args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&flags.all, "all", false, "all runs of the store")
	f.IntVar(&flags.last, "last", 0, "the newest so many runs")
	f.StringVarP(&flags.out, "output", "o", "", "file to write, - for stdout")
	return cmd
}

func (f exportFlags) check(args []string) error {
	ways := 0
	for _, given := range []bool{f.all, f.last != 0, len(args) > 0} {
		if given {
			ways++
		}
	}
	switch {
	case f.out == "":
		return errors.New("export to which file? name it with -o FILE (-o - is stdout)")
	case f.last < 0:
		return fmt.Errorf("--last %d: the number of runs must be positive", f.last)
	case ways == 0:
		return errors.New("export what? name runs, or use --all or --last N")
	case ways > 1:
		return errors.New("name runs, or use --all, or --last N: one of the three")
	}
	return nil
}

// pick returns the runs to export.
func (a *app) pick(flags exportFlags, args []string) ([]*evidence.Run, error) {
	store, err := a.openStore()
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		list, err := store.List()
		if err != nil {
			return nil, err
		}
		if flags.last > 0 {
			list = list[:min(flags.last, len(list))]
		}
		for _, sum := range list {
			args = append(args, sum.ID)
		}
	}
	var runs []*evidence.Run
	for _, id := range args {
		r, err := store.Open(id)
		if err != nil {
			return nil, &run.UsageError{Msg: err.Error()}
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 {
		return nil, &run.UsageError{Msg: fmt.Sprintf("there is no run in %s", a.store)}
	}
	return runs, nil
}

func (a *app) export(ctx context.Context, flags exportFlags, args []string) error {
	runs, err := a.pick(flags, args)
	if err != nil {
		return err
	}
	var got evidence.Exported
	result := a.out
	if flags.out == "-" {
		if isTerminal(a.out) {
			return &run.UsageError{Msg: "an archive is no text for a terminal: name a file with -o FILE, or pipe it"}
		}
		result = a.err
		got, err = evidence.Export(ctx, raw(a.out), runs) // bytes, and no text that could steer a terminal
	} else {
		got, err = exportFile(ctx, flags.out, runs)
	}
	if err != nil {
		return err
	}
	if a.json {
		(&app{out: result, err: a.err}).printJSON(got)
	} else {
		printExported(result, got, flags.out)
	}
	return refusedCode(got.Refused)
}

// exportFile writes the archive whole or not at all.
func exportFile(ctx context.Context, path string, runs []*evidence.Run) (got evidence.Exported, err error) {
	nothing := errors.New("no run was exported")
	err = writeFile(path, func(w io.Writer) error {
		var err error
		if got, err = evidence.Export(ctx, w, runs); err == nil && len(got.Runs) == 0 {
			return nothing
		}
		return err
	})
	if errors.Is(err, nothing) {
		err = nil // what was refused is told by its result, and a file of the same name stays
	}
	return got, err
}

func printExported(w io.Writer, got evidence.Exported, to string) {
	if to == "-" {
		to = "stdout"
	}
	if len(got.Runs) == 0 {
		fmt.Fprintln(w, "nothing was exported")
	} else {
		fmt.Fprintf(w, "exported %s to %s%s\n", count(len(got.Runs), "run"), to, cutShortText(got.CutShort))
	}
	printRefused(w, got.Refused)
}

func cutShortText(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf(", of which %d cut short: %s", len(ids), some(ids))
}

// some lists ids, as many as fit a line or two.
func some(ids []string) string {
	const most = 5
	if len(ids) <= most {
		return strings.Join(ids, " ")
	}
	return strings.Join(ids[:most], " ") + fmt.Sprintf(" and %d more", len(ids)-most)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func printRefused(w io.Writer, refused []evidence.Refused) {
	for _, r := range refused {
		fmt.Fprintf(w, "refused  %s\n", r)
	}
}

// refusedCode is exit 1 where something was refused.
func refusedCode(refused []evidence.Refused) error {
	if len(refused) > 0 {
		return &exit{run.ExitFail}
	}
	return nil
}

func (a *app) mergeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "merge SOURCE...",
		Short: "Take the runs of other stores and archives into the store",
		Long: `Take runs into the store: from other stores, from single runs, from archives of assay
evidence export, and from folders that hold any of these at any depth, such as what a CI
system downloaded.

Runs are united by id, so stores can be merged in any order, and again. Of a run that is
here already only judgements are added that were made since; nothing is overwritten. Where
one of two copies was made before the run was sealed, as by a job that uploads what it has
and uploads again at its end, the later one is kept, whichever of them is here. A run
that is not whole, or that differs from the one of its id here, is refused by name and file;
the others come in, and the exit code is 1. It is safe to interrupt: a run is here whole or not
at all.

` + exitCodes,
		Example: `  assay evidence merge ../other/.assay
  assay evidence merge downloads evidence.tgz
  assay evidence merge downloads --store all/.assay --json`,
		Args: someArgs("merge what? name one or more stores, runs, archives of assay evidence export, or folders that hold them"),
		RunE: func(cmd *cobra.Command, args []string) error {
			got, err := a.merge(cmd.Context(), args)
			if err != nil {
				return err
			}
			if a.json {
				a.printJSON(got)
			} else {
				a.printMerged(got)
			}
			return refusedCode(got.Refused)
		},
	}
}

func (a *app) merge(ctx context.Context, sources []string) (evidence.Merged, error) {
	store, err := evidence.OpenStore(a.store)
	if err != nil {
		return evidence.Merged{}, err
	}
	got, err := store.Merge(ctx, sources...)
	if errors.Is(err, evidence.ErrNoEvidence) {
		err = &run.UsageError{Msg: err.Error()}
	}
	return got, err
}

func (a *app) printMerged(got evidence.Merged) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s added to %s", count(len(got.Added), "run"), a.store)
	text.WriteString(cutShortText(got.CutShort))
	if n := len(got.Judged); n > 0 {
		fmt.Fprintf(&text, "; %s added to %s that %s here", count(got.Judgements, "judgement"), count(n, "run"), wereHere(n))
	}
	if n := len(got.Replaced); n > 0 {
		fmt.Fprintf(&text, "; %s replaced here, of which only an earlier copy was", count(n, "run"))
	}
	if n := len(got.Earlier); n > 0 {
		fmt.Fprintf(&text, "; %s here already, and came as an earlier copy", count(n, "run"))
	}
	if n := len(got.Same); n > 0 {
		fmt.Fprintf(&text, "; %s %s here already", count(n, "run"), wereHere(n))
	}
	if n := len(got.Refused); n > 0 {
		fmt.Fprintf(&text, "; %d refused", n)
	}
	fmt.Fprintln(a.out, text.String())
	printRefused(a.out, got.Refused)
}

func wereHere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
