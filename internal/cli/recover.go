package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/run"
)

func (a *app) recoverCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "recover",
		Short: "Remove what a run left behind whose processes were killed",
		Long: `Replay the ledgers under the state folder whose owner is gone: end the processes
that carry the environment's mark, remove its folders and sockets, and verify that
nothing is left. Every run does this first. Environments that are alive are left alone.

` + exitCodes,
		Example: `  assay recover
  assay recover --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := hold.Recover(cmd.Context())
			if a.json {
				a.printJSON(map[string]any{"report": report, "error": errorText(err)})
			} else if lines := report.Lines(); len(lines) > 0 {
				fmt.Fprintln(a.out, strings.Join(lines, "\n"))
			} else if err == nil {
				fmt.Fprintln(a.out, "nothing to recover")
			}
			if err != nil {
				return err
			}
			if code := report.ExitCode(); code != run.ExitPass {
				return &exit{code}
			}
			return nil
		},
	}
}
