package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/run"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/internal/table"
)

// How a finding stands.
const (
	findingOK       = "ok"
	findingDegraded = "degraded" // it works, and not as well as it could
	findingMissing  = "missing"
)

// A finding is one thing the machine or the project can do, or not.
type finding struct {
	Group  string `json:"group"` // "machine", "programs", "store" or "project"
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`          // what was found
	Means  string `json:"means,omitempty"` // what does not work without it
	Fix    string `json:"fix,omitempty"`   // the command that gets it
	Needed bool   `json:"needed"`          // by assay run itself, or by the project
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [FOLDER]",
		Short: "Say what this machine can do, and how to get the rest",
		Long: `Look at the machine, the programs that recipes and builds use, what earlier runs left
behind, the store of evidence, and the project in FOLDER (default: this folder, where it
has an assay.yaml). Each line is ok, degraded or missing; with what that means, and the
command that gets it. Nothing is installed, started or changed.

Exit code 0: runs can run, and the project has what it needs. 3: something that the project
needs is missing. 4: this machine cannot run a system.

` + exitCodes,
		Example: `  assay doctor
  assay doctor examples/shop
  assay doctor --json`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, given := ".", len(args) == 1
			if given {
				folder = args[0]
			}
			return a.doctor(cmd.Context(), folder, given)
		},
	}
}

func (a *app) doctor(ctx context.Context, folder string, given bool) error {
	if _, err := os.Stat(folder); err != nil {
		return &run.UsageError{Msg: fmt.Sprintf("there is no folder %s: %v", folder, err)}
	}
	all := append(machineFindings(ctx), programFindings(ctx)...)
	all = append(all, a.storeFindings()...)
	if _, err := os.Stat(filepath.Join(folder, spec.FileName)); given || err == nil {
		all = append(all, projectFindings(folder)...)
	}
	code := doctorCode(all)
	if a.json {
		a.printJSON(map[string]any{"findings": all, "exit": code})
	} else {
		a.printFindings(all)
	}
	if code != run.ExitPass {
		return &exit{code}
	}
	return nil
}

// doctorCode is 4 where the machine lacks what every run needs, and 3 where it lacks what the project needs.
func doctorCode(all []finding) int {
	code := run.ExitPass
	for _, f := range all {
		if !f.Needed || f.Status != findingMissing {
			continue
		}
		if f.Group != "project" {
			return run.ExitBroken
		}
		code = run.ExitUnknown
	}
	return code
}

func (a *app) printFindings(all []finding) {
	var lacking []finding
	p := newPrinter(a.out)
	t := table.Table{Head: []string{"STATUS", "OF", "WHAT", "FOUND"}, Prose: []int{3}, Whole: true}
	for _, f := range all {
		t.Row(f.Status, f.Group, f.Name, f.Detail)
		if f.Status != findingOK {
			lacking = append(lacking, f)
		}
	}
	fmt.Fprint(a.out, t.Lay(p.columns))
	for _, f := range lacking {
		needed := ""
		if f.Needed {
			needed = ", needed"
		}
		fmt.Fprintln(a.out)
		p.text("", "%s (%s%s): %s", f.Name, f.Status, needed, f.Means)
		if f.Fix != "" {
			fmt.Fprintf(a.out, "  get it: %s\n", f.Fix)
		}
	}
	switch doctorCode(all) {
	case run.ExitPass:
		fmt.Fprintln(a.out, "\nassay run can run here")
	case run.ExitUnknown:
		fmt.Fprintln(a.out, "\nassay run can run here, and the project lacks something")
	default:
		fmt.Fprintln(a.out, "\nassay run cannot run here")
	}
}

// firstLine keeps a finding on its line.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
