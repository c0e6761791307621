package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/run"
)

func (a *app) pruneCommand() *cobra.Command {
	var rule evidence.Retention
	var age string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove old runs, except those that the matrix still needs",
		Long: `Remove runs that are neither among the newest --keep nor younger than --max-age: with both
flags a run stays while either keeps it. A run that holds the newest evidence of an
experiment, journey and mode, or the newest proof, stays unless --force says otherwise, and
so does a run that is being written or that cannot be read.

` + exitCodes,
		Example: `  assay evidence prune --keep 20 --dry-run
  assay evidence prune --max-age 30d
  assay evidence prune --keep 20 --max-age 30d`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := ruleOf(&rule, age); err != nil {
				return usageError(cmd, err)
			}
			return a.prune(cmd.Context(), rule)
		},
	}
	f := cmd.Flags()
	f.IntVar(&rule.Keep, "keep", 0, "the newest so many runs stay")
	f.StringVar(&age, "max-age", "", "runs that are younger stay, such as 30d or 12h")
	f.BoolVar(&rule.DryRun, "dry-run", false, "say what would be removed, and remove nothing")
	f.BoolVar(&rule.Force, "force", false, "remove also runs that hold the newest evidence of a cell")
	return cmd
}

func ruleOf(rule *evidence.Retention, age string) (err error) {
	if age != "" {
		if rule.MaxAge, err = days(age); err != nil {
			return fmt.Errorf("--max-age: %w", err)
		}
	}
	if rule.Keep < 0 {
		return fmt.Errorf("--keep %d: the number of runs must be positive", rule.Keep)
	}
	if rule.Keep == 0 && rule.MaxAge == 0 {
		return errors.New("prune what? say what is to stay with --keep N, --max-age 30d, or both")
	}
	return nil
}

// days reads a duration that may be in days: 30d, 36h.
func days(text string) (time.Duration, error) {
	number, ok := strings.CutSuffix(text, "d")
	if !ok {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return 0, fmt.Errorf("%q is no age (such as 30d or 12h)", text)
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 || n > 36500 {
		return 0, fmt.Errorf("%q is no age (such as 30d or 12h)", text)
	}
	return time.Duration(n * 24 * float64(time.Hour)), nil
}

func (a *app) prune(ctx context.Context, rule evidence.Retention) error {
	store, err := a.openStore()
	if err != nil {
		return err
	}
	got, err := store.Prune(ctx, rule)
	if err != nil {
		return err
	}
	if a.json {
		a.printJSON(got)
		return nil
	}
	verb, freed := "removed", "freed"
	if rule.DryRun {
		verb, freed = "would remove", "would free"
	}
	for _, r := range got.Removed {
		fmt.Fprintf(a.out, "%s  %s  %s%s\n", verb, r.Run, size(r.Bytes), heldText(r.Held))
	}
	for _, s := range got.Spared {
		fmt.Fprintf(a.out, "kept  %s  %s\n", s.Run, s.Reason)
	}
	fmt.Fprintf(a.out, "%s %s, %s %s\n", verb, count(len(got.Removed), "run"), freed, size(got.Freed))
	return nil
}

func (a *app) removeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove RUN...",
		Short: "Remove runs, whatever they hold",
		Long: `Remove runs from the store and say what they held. A run that is being written is not
removed. What is removed is gone from the matrix: nothing else remembers it.

` + exitCodes,
		Example: `  assay evidence remove 20261122-174041.037068-896d14
  assay evidence remove 20261122T15 --json`,
		Args: someArgs("remove which runs? name one or more by id, or by the start of one (assay evidence list shows them)"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.remove(cmd.Context(), args) },
	}
}

func (a *app) remove(ctx context.Context, names []string) error {
	store, err := a.openStore()
	if err != nil {
		return err
	}
	var ids []string
	for _, name := range names { // all of them, before the first is gone
		r, err := store.Open(name)
		if err == nil && r.Summary().Status == evidence.Running {
			err = fmt.Errorf("run %s is still being written: it can be removed when it ended", r.ID())
		}
		if err != nil {
			return &run.UsageError{Msg: err.Error()}
		}
		ids = append(ids, r.ID())
	}
	all := []evidence.Removed{}
	for _, id := range ids {
		removed, err := store.Remove(ctx, id)
		if err != nil {
			return err
		}
		if all = append(all, removed); !a.json {
			fmt.Fprintf(a.out, "removed  %s  %s%s\n", removed.Run, size(removed.Bytes), heldText(removed.Held))
		}
	}
	if a.json {
		a.printJSON(all)
	}
	return nil
}

func heldText(held []string) string {
	if len(held) == 0 {
		return ""
	}
	return ", it held the newest evidence of " + strings.Join(held, ", ")
}

// size prints bytes for people.
func size(bytes int64) string {
	n, units := float64(bytes), []string{"B", "kB", "MB", "GB", "TB"}
	for n >= 1000 && len(units) > 1 {
		n, units = n/1000, units[1:]
	}
	if units[0] == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", n, units[0])
}
