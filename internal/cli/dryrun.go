package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/internal/table"
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
	services := &table.Table{Head: []string{"INSTANCE", "ZONE", "OWNER", "COMMAND"}, Prose: []int{3}, Whole: true}
	for _, service := range project.System.Services {
		for _, i := range service.Instances() {
			services.Row(i.Name, orDash(i.Zone), orDash(i.Owner), run.Redact(strings.Join(service.Process.Command, " ")))
		}
	}
	faults := &table.Table{Head: []string{"EXPERIMENT", "AT", "FOR", "FAULT", "TARGETS", "POWERS"}, Prose: []int{4, 5}, Whole: true}
	for _, x := range plan.Experiments {
		for i, action := range x.Method {
			faults.Row(x.Name, fmt.Sprint(action.At), fmt.Sprint(action.For), fmt.Sprint(action.Fault), short(x.Targets[i]), strings.Join(action.Fault.Powers(), ", "))
		}
	}
	addresses := &table.Table{Head: []string{"INSTANCE", "WHERE", "FROM", "TO"}}
	for _, r := range rewrites {
		addresses.Row(r.Instance, r.Where, r.From, r.To)
	}
	p := newPrinter(a.out)
	for _, t := range []*table.Table{services, recipeTable(project.System), faults, addresses} {
		if t != nil {
			fmt.Fprintf(a.out, "\n%s", t.Lay(p.columns))
		}
	}
	return nil
}

// short lists the first few targets; --json has all.
func short(targets []string) string {
	const most = 3
	if len(targets) <= most {
		return strings.Join(targets, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(targets[:most], ", "), len(targets)-most)
}
