package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/internal/hold"
)

func (a *app) faultListCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List what is broken in a running environment, by whomever",
		Long: `List the faults that are in an environment now: rules of links, instances that were killed
or paused, by a run or by assay fault.

` + exitCodes,
		Example: `  assay fault list
  assay fault list --env shop-1f0c22aa --json`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := attach(cmd.Context(), id)
			if err != nil {
				return err
			}
			defer env.Close(cmd.Context())
			all, err := env.Broken(cmd.Context())
			if err != nil {
				return err
			}
			return a.printFaults(env.Info().ID, all)
		},
	}
	cmd.Flags().StringVar(&id, "env", "", "environment to ask, by id (default: the only one that runs)")
	return cmd
}

func (a *app) printFaults(env string, all []hold.Broken) error {
	if a.json {
		a.printJSON(map[string]any{"env": env, "faults": append([]hold.Broken{}, all...)})
		return nil
	}
	if len(all) == 0 {
		fmt.Fprintf(a.out, "nothing is broken in %s\n", env)
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tBY\tFOR\tLINKS")
	for _, b := range all {
		by := "run"
		if b.ByUser {
			by = "hand"
		}
		var links []string
		for _, l := range b.Links {
			links = append(links, l.String())
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", b.Fault, by, time.Since(b.Since).Round(100*time.Millisecond), strings.Join(links, ", "))
	}
	return w.Flush()
}

func (a *app) faultProfilesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "profiles",
		Short: "List the named links that link(A -> B, NAME) knows, and where their figures come from",
		Long: `List the profiles of links: what each sets on a link in one direction, and the source of
its figures. Published delays are of a round trip; here each direction has half.

` + exitCodes,
		Example: `  assay fault profiles
  assay fault 'link(client <-> api, 3g)'`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				a.printJSON(map[string]any{"profiles": fault.Profiles()})
				return nil
			}
			p := newPrinter(a.out)
			for _, profile := range fault.Profiles() {
				p.text("", "%-12s  %s", profile.Name, strings.Join(profile.Faults, "; "))
				p.text("  ", "source: %s", profile.Source)
				if profile.Ours != "" {
					p.text("  ", "ours: %s", profile.Ours)
				}
			}
			return nil
		},
	}
}
