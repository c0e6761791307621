package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/assay-dev/assay/internal/scaffold"
	"github.com/assay-dev/assay/internal/spec"
)

func (a *app) initCommand() *cobra.Command {
	var opts scaffold.Options
	var dry bool
	cmd := &cobra.Command{
		Use:   "init [COMPOSEFILE|FOLDER]",
		Short: "Write the first files of a project from its compose file",
		Long: `Read the compose file (default: the one in this folder) and the folders it builds from,
and write what a first run needs: x-assay into the compose file, which stays valid for
Docker, and beside it assay.yaml with a journey, four experiments, and gate.yaml.

What was detected, what was guessed and what is left to fill in is printed. Files and
x-assay keys that are there are never changed without --force; where all is there, nothing
is. Postgres, Redis and NATS run by recipes from local binaries; other images run once you
say how.

` + exitCodes,
		Example: `  assay init
  assay init --dry-run                 # show what would be written
  assay init deploy/docker-compose.yml
  assay init --force                   # write all of it again`,
		Args: usageArgs(cobra.MaximumNArgs(1)),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			return a.init(path, opts, dry)
		},
	}
	cmd.Flags().BoolVar(&opts.Force, "force", false, "replace files and x-assay keys that are there")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print what would be written; write nothing")
	return cmd
}

func (a *app) init(path string, opts scaffold.Options, dry bool) error {
	plan, err := scaffold.New(path, opts)
	if err != nil {
		return err
	}
	if !dry {
		if err := plan.Write(); err != nil {
			return err
		}
	}
	folder := path
	if filepath.Base(path) == plan.Compose {
		folder = filepath.Dir(path)
	}
	next := a.nextAfterInit(plan, folder, dry)
	if a.json {
		type content struct {
			scaffold.File
			Content string `json:"content,omitempty"`
		}
		var files []content
		for _, f := range plan.Files {
			files = append(files, content{f, string(f.Content)})
		}
		a.printJSON(map[string]any{"dir": plan.Dir, "compose": plan.Compose, "ignored": plan.Ignored, "services": plan.Services,
			"files": files, "fill_in": plan.FillIn(), "notes": plan.Notes, "written": !dry && plan.Changes(), "next": next})
		return nil
	}
	a.printInit(plan, dry)
	fmt.Fprintln(a.out)
	for _, note := range plan.Notes {
		fmt.Fprintf(a.out, "note: %s\n", note)
	}
	fmt.Fprintf(a.out, "next: %s\n", next)
	return nil
}

// nextAfterInit is the command to go on with.
func (a *app) nextAfterInit(plan *scaffold.Plan, folder string, dry bool) string {
	words := []string{"run"}
	switch {
	case dry:
		words = []string{"init"}
	case plan.Missing(), plan.Journey == "" && plan.Changes():
		words = []string{"doctor"}
	}
	if folder != "." {
		words = append(words, folder)
	}
	if !dry && words[0] == "run" && len(plan.FillIn()) > 0 {
		words = append(words, "--dry-run")
	}
	return a.command(words...)
}

func (a *app) printInit(plan *scaffold.Plan, dry bool) {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tIS\tHOW SURE\tWHAT")
	for _, s := range plan.Services {
		name, kind := s.Name, s.Kind
		for _, part := range []struct {
			how   string
			texts []string
		}{{"found", s.Found}, {"guessed", s.Guessed}, {"MISSING", s.Missing}, {"FILL IN", s.FillIn}} {
			for _, text := range part.texts {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, kind, part.how, text)
				name, kind = "", ""
			}
		}
	}
	w.Flush()
	if len(plan.Ignored) > 0 {
		fmt.Fprintf(a.out, "\nnot read: %s (assay reads one compose file, %s)\n", strings.Join(plan.Ignored, ", "), plan.Compose)
	}
	if plan.Journey == "" {
		fmt.Fprintf(a.out, "\nno service answers HTTP on a port that is known: no %s was made. Expose one, or write it by hand (docs/files.md).\n", spec.FileName)
	}
	fmt.Fprintln(a.out)
	if !plan.Changes() {
		fmt.Fprintln(a.out, "nothing to do: every file is there and stays as it is")
		return
	}
	for _, f := range plan.Files {
		action := map[string]string{scaffold.Create: "wrote", scaffold.Change: "changed", scaffold.Replace: "replaced", scaffold.Keep: "kept"}[f.Action]
		if dry {
			action = map[string]string{scaffold.Create: "would write", scaffold.Change: "would change", scaffold.Replace: "would replace", scaffold.Keep: "would keep"}[f.Action]
		}
		fmt.Fprintln(w, strings.TrimSuffix(action+"\t"+f.Path+"\t"+f.Note, "\t"))
	}
	w.Flush()
	if dry {
		for _, f := range plan.Files {
			if f.Action != scaffold.Keep {
				fmt.Fprintf(a.out, "\n-- %s --\n%s", f.Path, f.Content)
			}
		}
	}
}
