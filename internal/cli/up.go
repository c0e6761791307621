package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/hold"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/system"
)

func (a *app) upCommand() *cobra.Command {
	var seed uint64
	var defect string
	cmd := &cobra.Command{
		Use:   "up [FOLDER]",
		Short: "Start a system and keep it up until Ctrl-C, to look at it and to break it by hand",
		Long: `Start the system of the assay.yaml in FOLDER (default: this folder), run its setup, print
the addresses at which this machine reaches it, and keep it up until Ctrl-C or SIGTERM; then
nothing of it is left. No experiment is run, and no evidence is stored.

What dials these addresses is the client, "client" in faults. Break the system from another
terminal with assay fault.

Exit code 0: it came up, and was ended by Ctrl-C.

` + exitCodes,
		Example: `  assay up examples/shop
  assay up examples/shop --defect no-retry
  assay fault 'delay(client -> orders, 200ms±50ms)' --for 30s   # in another terminal`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			opts := run.Options{Defect: defect}
			if cmd.Flags().Changed("seed") {
				opts.Seed = &seed
			}
			return a.up(cmd.Context(), path, opts)
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 1, "decides which instance a connection reaches (default: the project's)")
	cmd.Flags().StringVar(&defect, "defect", "", "run the system with this defect of assay.yaml")
	return cmd
}

func (a *app) up(ctx context.Context, path string, opts run.Options) error {
	project, err := run.Prepare(path, opts)
	if err != nil {
		return err
	}
	story := newStory(a.err)
	env, err := run.Up(ctx, project, story.progress)
	story.end()
	if err != nil {
		return err
	}
	if err := a.printAddresses(ctx, env); err != nil {
		run.Down(ctx, env)
		return err
	}
	select {
	case <-ctx.Done():
		story.line("teardown", "stopping the system")
	case <-env.Done():
	}
	lost := env.Lost()
	if err := run.Down(ctx, env); lost == nil {
		return err
	}
	return lost
}

// An address is where the client reaches a port of a service or an instance.
type address struct {
	Host string `json:"host"` // the service, or the instance where a service has several
	Port int    `json:"port"`
	Addr string `json:"addr"`
}

func addresses(ctx context.Context, env system.Env) ([]address, error) {
	var all []address
	for _, service := range env.System().Services {
		hosts := []string{service.Name}
		if instances := service.Instances(); len(instances) > 1 {
			for _, instance := range instances {
				hosts = append(hosts, instance.Name)
			}
		}
		for _, host := range hosts {
			for _, port := range service.Ports {
				addr, err := env.Addr(ctx, system.Client, host, port)
				if err != nil {
					return nil, err
				}
				all = append(all, address{host, port, addr})
			}
		}
	}
	return all, nil
}

func (a *app) printAddresses(ctx context.Context, env *hold.Env) error {
	all, err := addresses(ctx, env)
	if err != nil {
		return err
	}
	info := env.Info()
	if a.json {
		a.printJSON(map[string]any{"env": info.ID, "system": info.System, "addresses": all, "logs": info.LogDir})
		return nil
	}
	fmt.Fprintf(a.out, "%s is up as %s; end it with Ctrl-C\n", info.System, info.ID)
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, at := range all {
		fmt.Fprintf(w, "  %s:%d\t%s\n", at.Host, at.Port, at.Addr)
	}
	fmt.Fprintf(w, "  logs\t%s\n", info.LogDir)
	return w.Flush()
}
