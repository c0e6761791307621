package cli

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
)

// dry is what --dry-run shows.
type dry struct {
	Plan     run.Plan        `json:"plan"`
	Rewrites []plain.Rewrite `json:"rewrites"`
}

// dryRun prints plan, targets, address rewrites and powers. It starts nothing and writes nothing.
func (a *app) dryRun(ctx context.Context, project *spec.Project, opts run.Options) error {
	plan, err := run.NewPlan(ctx, project, opts)
	if err != nil {
		return err
	}
	rewrites, err := plain.Rewrites(project.System)
	if err != nil {
		return err
	}
	for i, r := range rewrites {
		name, _ := strings.CutPrefix(r.Where, "env ")
		rewrites[i].From, rewrites[i].To = run.RedactNamed(name, r.From), run.RedactNamed(name, r.To)
	}
	if a.json {
		a.printJSON(dry{plan, rewrites})
		return nil
	}
	fmt.Fprintf(a.out, "system %s, seed %d%s\n", project.Name, project.Seed, defectText(opts.Defect))
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nINSTANCE\tZONE\tOWNER\tCOMMAND")
	for _, service := range project.System.Services {
		for _, i := range service.Instances() {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", i.Name, orDash(i.Zone), orDash(i.Owner), run.Redact(strings.Join(service.Process.Command, " ")))
		}
	}
	printRecipes(w, project.System)
	fmt.Fprintln(w, "\nEXPERIMENT\tAT\tFOR\tFAULT\tTARGETS\tPOWERS")
	for _, x := range plan.Experiments {
		for i, action := range x.Method {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.Name, action.At, action.For, action.Fault,
				short(x.Targets[i]), strings.Join(action.Fault.Powers(), ", "))
		}
	}
	fmt.Fprintln(w, "\nINSTANCE\tWHERE\tFROM\tTO")
	for _, r := range rewrites {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Instance, r.Where, r.From, r.To)
	}
	return w.Flush()
}

// short lists the first few targets; --json has all.
func short(targets []string) string {
	const most = 3
	if len(targets) <= most {
		return strings.Join(targets, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(targets[:most], ", "), len(targets)-most)
}
